"""Mathematics: read and compared by math-verify, within bounds that untrusted text can't pass."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any

from workspan.answers import number
from workspan.answers.marks import marked

_LONGEST = 300
_FORMULA = re.compile(
    r"\$\$([^$]{1,300})\$\$|\$([^$\n]{1,300})\$|\\\[(.{1,300}?)\\\]|\\\((.{1,300}?)\\\)", re.DOTALL
)
_RISKY = re.compile(
    r"\d{7,}|\^.*\^|\*\*|!|\\(?:int|sum|prod|lim|binom)|\^\s*\{?\s*\(?\d{4,}", re.DOTALL
)
"""What may make a computer algebra system work for ever: such answers are compared as text."""


def extract(text: str, *, finished: bool) -> str | None:
    """Return the last marked answer, or the last formula or number of a finished text."""
    for found in marked(text, finished=finished):
        return _clean(found)
    if not finished:
        return None
    formulas = [*_FORMULA.finditer(text)]
    tail = text[formulas[-1].end() :] if formulas else text
    if formulas and number.extract(tail, finished=True) is None:
        return _clean(next(group for group in formulas[-1].groups() if group is not None))
    return number.extract(tail, finished=True)


def equivalent(a: str, b: str) -> bool:
    """Ask math-verify both ways, since it is not symmetric; refuse what could not end."""
    if _plain(a) == _plain(b):
        return True
    if number.value(a) is not None and _is_number(a) and _is_number(b):
        return number.equivalent(a, b)
    if any(len(x) > _LONGEST or _RISKY.search(x) for x in (a, b)):
        return False
    return _verify(*sorted((a, b)))


def _clean(found: str) -> str:
    found = found.strip()
    for left, right in (("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if found.startswith(left) and found.endswith(right) and len(found) > len(left + right):
            found = found[len(left) : -len(right)].strip()
    return found.rstrip(". ")[:_LONGEST] or found[:_LONGEST]


def _plain(text: str) -> str:
    return re.sub(r"\s|\\[,;!]|\\left|\\right|\$", "", text).rstrip(".")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?[\d,]*\.?\d+(?:/\d+)?", text.strip(" $")) is not None


# Its time-outs are signals, which only the main thread has: the bounds above stand for them, and
# its warning about their absence is not for our users.
logging.getLogger("math_verify.utils").addFilter(lambda record: "Timeout" not in str(record.msg))


@lru_cache(maxsize=4096)
def _verify(a: str, b: str) -> bool:
    from math_verify import verify

    left, right = _parsed(a), _parsed(b)
    if not left or not right:
        return False
    return any(
        verify(gold, target, timeout_seconds=None, raise_on_error=False)
        for gold, target in ((left, right), (right, left))
    )


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    from math_verify import parse

    return parse(f"${text}$", parsing_timeout=None, raise_on_error=False)
