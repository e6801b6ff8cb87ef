"""Answers in JSON, tool calls among them: one value, held to a schema where there is one.

Strict, as a program would read it: NaN, infinities, names that come twice, comments, single quotes
and commas too many are no JSON, and so no answer. Compared by value: 1 is 1.0, the order of names
means nothing, true is not 1. A tool call's arguments are the same as an object and as the text of
one,
as the chat API sends them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from workspan.answers.calls import calls
from workspan.answers.code import fenced
from workspan.answers.marks import Mark, marks
from workspan.answers.said import Found, Said
from workspan.answers.schema import Schema
from workspan.answers.values import decimal

_LANGUAGES = ("json", "jsonc", "json5", "tool_call", "tool_code")
_TRIES = 48
"""Places that are tried, so that hostile text is read in linear time."""
_OPENING = re.compile(r"[{\[]")
_ARGUMENTS = ("arguments", "parameters", "input", "args")
_DEEPEST = 200


def read(said: Said) -> Found | None:
    """Return the last JSON value that the text gives as its answer.

    Tool calls in their tags come first, then what is marked, fenced or the whole text, then the
    last
    object or list that stands free. In a text that was cut the value must have been closed.
    """
    schema = None if said.schema is None else Schema(said.schema)
    for candidate in (_calls, _whole, _marked, _fenced, _free):
        found = candidate(said)
        if found is not None:
            value = value_of(found.answer)
            return found if schema is None or schema.fits(value) else None
    return None


class _Refused(ValueError):
    """JSON that a program would not take, or take in two ways."""


def value_of(text: str) -> Any:
    """Read one JSON value.

    Raises:
        ValueError: it is none; numbers come as `Decimal` or int, exactly.
    """
    value, end = _decode(text, len(text) - len(text.lstrip()))
    if text[end:].strip():
        raise _Refused("more follows the value")
    return value


def key(answer: str) -> Hashable:
    """Return what equal values share; what is no JSON equals its own text."""
    return _key(answer)


@lru_cache(maxsize=4096)
def _key(answer: str) -> Hashable:
    try:
        return ("j", value_key(value_of(answer)))
    except ValueError:
        return ("j", "text", answer.strip())


def value_key(value: Any) -> Hashable:
    """Return what equal JSON values share."""
    if value is None or isinstance(value, bool | str):
        return (type(value).__name__, value)
    if isinstance(value, dict):
        value = with_arguments(value)
        return ("object", *sorted((name, value_key(one)) for name, one in value.items()))
    if isinstance(value, list):
        return ("list", *map(value_key, value))
    return ("number", _number_key(value))


def with_arguments(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the arguments of a tool call where they stand as the text of an object."""
    for name in _ARGUMENTS if isinstance(value.get("name"), str) else ():
        inner = value.get(name)
        if isinstance(inner, str) and inner.lstrip().startswith("{"):
            try:
                return {**value, name: value_of(inner)}
            except ValueError:
                return value
    return value


def written(value: Any) -> str:
    """Write a JSON value as an answer, numbers with all their digits."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{json.dumps(k, ensure_ascii=False)}: {written(v)}" for k, v in value.items()
            )
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def _number_key(value: Any) -> Hashable:
    sign, digits, exponent = Decimal(value).as_tuple()
    assert isinstance(exponent, int)
    size = decimal("".join(map(str, digits)), exponent)
    return size if not isinstance(size, tuple) and size == 0 else (sign, size)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Refused("a name comes twice")
    return made


def _refuse(name: str) -> Any:
    raise _Refused(f"{name} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse
)


def _decode(text: str, at: int) -> tuple[Any, int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except RecursionError:
        raise _Refused("nested too deeply") from None
    if not _is_shallow(text, at, end):
        raise _Refused("nested too deeply")
    return value, end


def _is_shallow(text: str, start: int, end: int) -> bool:
    if text.count("[", start, end) + text.count("{", start, end) <= _DEEPEST:
        return True
    depth = 0
    for sign in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text[start:end]):
        depth += (sign[0] in "[{") - (sign[0] in "]}")
        if depth > _DEEPEST:
            return False
    return True


def _at(said: Said, start: int, end: int, rule: str) -> Found | None:
    """Read a value that fills the text between two places."""
    part = said.text[start:end]
    content = part.strip()
    if not content or content[0] not in '{["-0123456789tfn':
        return None
    try:
        value_of(content)
    except ValueError:
        return None
    first = start + len(part) - len(part.lstrip())
    return Found(content, first, first + len(content), rule)


def _calls(said: Said) -> Found | None:
    return calls(said, _at, _longest)


def _whole(said: Said) -> Found | None:
    is_closed = said.text.lstrip()[:1] in ("{", "[", '"')
    # A word or a number alone is JSON where a schema asks for one; cut it may have gone on.
    may_be_scalar = said.schema is not None and said.finished
    return _at(said, 0, len(said.text), "whole text") if is_closed or may_be_scalar else None


def _marked(said: Said) -> Found | None:
    for mark in marks(said):
        if mark.rule == "JSON member":
            continue
        if mark.end >= 0:
            found = _at(said, mark.start, mark.end, mark.rule) or _fenced(
                said, mark.start, mark.end
            )
        else:
            found = _longest(said, mark.start, mark.rule) or _scalar(said, mark)
        if found is not None:
            return found
    return None


def _scalar(said: Said, mark: Mark) -> Found | None:
    """Read a number, a string, true, false or null that fills the rest of a marked line."""
    line = said.text.find("\n", mark.start)
    if mark.is_negated or (line < 0 and not said.finished):
        return None
    rest = said.text[mark.start : len(said.text) if line < 0 else line]
    start = mark.start + len(rest) - len(rest.lstrip(_DRESS))
    return _at(said, start, mark.start + len(rest.rstrip(f"{_DRESS}.")), mark.rule)


def _fenced(said: Said, start: int = 0, end: int | None = None) -> Found | None:
    """Read the last fenced block that is JSON; one that says so comes first."""
    blocks, _ = fenced(said.text, finished=False)
    limit = len(said.text) if end is None else end
    inside = [block for block in reversed(blocks) if start <= block.start and block.end <= limit]
    named = [block for block in inside if block.language in _LANGUAGES]
    for block in (named or inside)[:_TRIES]:
        found = _at(said, block.start, block.end, "fenced JSON")
        if found is not None or named:
            return found
    return None


def _longest(said: Said, start: int, rule: str) -> Found | None:
    """Read the value that starts at the next sign of one."""
    text = said.text
    first = re.compile(r"[\s*`:$]*(?:(?:`{3,}|~{3,})\w*\s*\n\s*)?").match(text, start)
    at = first.end() if first else start
    if text[at : at + 1] not in ("{", "["):
        return None
    try:
        _, end = _decode(text, at)
    except ValueError:
        return None
    if text[end : end + 24].lstrip()[:1] in ("}", "]"):
        return None
    return Found(text[at:end], at, end, rule)


_SIGNS = re.compile(r'"(?:[^"\\\n]|\\.)*"|\\.|[\[\]{}]')
"""Strings, brackets, and escapes outside of strings, at which no string begins: linear."""
_MEMBER = re.compile(r"\{\s*(?:[\"'][^\"'\n]{0,200}[\"']|\w{1,80})\s*:")


def _past(text: str, opening: re.Match[str], error: ValueError) -> int:
    """Return where to go on after what is no JSON; -1 where the text ends inside of it.

    What stands inside a broken object is no value of its own.
    """
    if isinstance(error, json.JSONDecodeError) and (
        error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
    ):
        return -1
    if not _MEMBER.match(text, opening.start()):
        return opening.end()
    depth = 0
    for sign in _SIGNS.finditer(text, opening.start()):
        depth += (sign[0] in "[{") - (sign[0] in "]}")
        if depth == 0:
            return sign.end()
    return -1


_DRESS = " \t\r*`"
_DENIED = re.compile(
    r"(?:\bnot|n't|\binstead of|\brather than|\bnever|\bwrong)\s*:?\s+[`*]{0,3}\Z", re.IGNORECASE
)


def _free(said: Said) -> Found | None:
    """Read the last object or list that stands in the text, objects first."""
    text, at, tries = said.text, 0, 0
    last: Found | None = None
    while tries < _TRIES and (opening := _OPENING.search(text, at)) is not None:
        try:
            value, end = _decode(text, opening.start())
        except ValueError as error:
            tries += 1
            at = _past(text, opening, error)
            if at < 0:  # the last value was cut
                return None
            continue
        if text[end : end + 24].lstrip()[:1] in ("}", "]"):  # a part of what is broken
            tries += 1
            at = end + 1
            continue
        if _DENIED.search(text, max(0, opening.start() - 40), opening.start()):
            at = end
            continue
        if isinstance(value, dict) or last is None or not last.answer.startswith("{"):
            last = Found(text[opening.start() : end], opening.start(), end, "last JSON value")
        at = end
    if tries == _TRIES:
        return None
    return last
