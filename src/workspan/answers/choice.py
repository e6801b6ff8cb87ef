"""Multiple choice: one option letter from A to J."""

from __future__ import annotations

import re

from workspan.answers.marks import marked

_MARKED = re.compile(
    r"(?:\\(?:text|mathrm|mathbf)\{)?[\s(\[*_`$]*(?:option |choice )?\(?([A-J])(?![A-Za-z])",
    re.IGNORECASE,
)
_ALONE = re.compile(r"(?<![A-Za-z])\(?([A-J])\)|(?<![A-Za-z'’])([A-J])(?![A-Za-z'’])")


def extract(text: str, *, finished: bool) -> str | None:
    """Return the letter of the last mark that starts with one, or the last lone letter.

    Without a mark, "A" and "I" are words: they count in brackets or alone on a line only.
    """
    for found in marked(text, finished=finished):
        if letter := _MARKED.match(found):
            return letter[1].upper()
    return _last_letter(text) if finished else None


def _last_letter(text: str) -> str | None:
    for line in reversed(text.splitlines()):
        alone = line.strip(" .*_`:")
        if len(alone) == 1 and alone.upper() in "ABCDEFGHIJ":
            return alone.upper()
        for found in reversed([*_ALONE.finditer(line)]):
            if found[1] or found[2] not in ("A", "I"):
                return str(found[1] or found[2])
    return None


def equivalent(a: str, b: str) -> bool:
    """Compare letters."""
    return a.strip(" ().").upper() == b.strip(" ().").upper()
