"""Programs: the last fenced block; never run here."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^[ \t]*```[\w+-]*[ \t]*$", re.MULTILINE)


def extract(text: str, *, finished: bool) -> str | None:
    """Return the last closed fenced block; of a finished text without a fence, all of it."""
    fences = [*_FENCE.finditer(text)]
    if len(fences) >= 2:
        first = len(fences) - 2 - len(fences) % 2
        return text[fences[first].end() : fences[first + 1].start()].strip("\n") or None
    return text.strip() or None if finished and not fences else None


def equivalent(a: str, b: str) -> bool:
    """Compare line by line, without trailing space and empty lines."""
    return _lines(a) == _lines(b)


def _lines(code: str) -> list[str]:
    return [line.rstrip() for line in code.splitlines() if line.strip()]
