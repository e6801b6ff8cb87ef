"""Lists in prompts and replies: candidates laid out, and the items of a list."""

from __future__ import annotations

import re
from collections.abc import Iterable

from workspan.data.types import Message, Prompt

LONGEST = 4_000
"""Characters of one text in a listing, some 1000 tokens."""

_BULLET = re.compile(r"\A(?:[-*•]|\d{1,3}[.):])\s{0,4}")


def listing(texts: Iterable[str], label: str = "Solution", longest: int = LONGEST) -> str:
    """Lay out texts one below the other, numbered from 1.

    Of a text that is too long the end is kept, where answers stand.
    """
    parts = []
    for number, text in enumerate(texts, start=1):
        whole = text.strip()
        shown = whole if len(whole) <= longest else "…" + whole[-longest:]
        parts.append(f"--- {label} {number} ---\n{shown}")
    return "\n\n".join([*parts, "--- end ---"])


def items(text: str, most: int) -> list[str]:
    """Read the lines of a list that a model wrote, without their bullets or numbers."""
    lines = (_BULLET.sub("", line.strip()[:LONGEST]) for line in text.splitlines())
    return [line for line in lines if line][:most]


def beside(prompt: Prompt, text: str) -> Prompt:
    """Put `text` below a prompt, in its last turn: many models take no two user turns in a row."""
    *before, last = prompt
    if last.role != "user":
        return (*prompt, Message("user", text))
    return (*before, last.plus(f"\n\n{text}"))
