"""What a command says that it used: JSON in the forms that coding agents write.

Read are objects with a ``usage``, as lines among others or alone: of `claude -p` (its ``result``
holds the totals and ``total_cost_usd``; prompt tokens stand beside those of caches), of `codex exec
--json` (``turn.completed``; cached tokens are part of the prompt's), and a form of our own:
``{"input_tokens": …, "cached_tokens": …, "output_tokens": …, "cost": …}``. What is missing,
negative or no number is unknown, and never taken for zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

_HIGHEST = 10**12
"""Of a count that is believed."""
_LONGEST = 1_000_000
"""Bytes of a line that is looked at."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was said; None is unknown."""

    input: int | None = None
    """Prompt tokens, those of caches included."""
    cached: int = 0
    output: int | None = None
    reasoning: int = 0
    cost: Decimal | None = None
    is_total: bool = False
    """It counts all, not one turn."""

    def plus(self, other: Told) -> Told:
        """Add another turn, or let a total stand for all before it."""
        if other.is_total:
            return other
        if self.is_total:
            return self
        return Told(
            _sum(self.input, other.input),
            self.cached + other.cached,
            _sum(self.output, other.output),
            self.reasoning + other.reasoning,
            None if self.cost is None and other.cost is None else _money(self, other),
        )


NOTHING = Told()


class Reader:
    """Reads what a command writes, line by line, and keeps what it said of its use."""

    def __init__(self) -> None:
        self.told = NOTHING
        self.has_said = False
        self._open = bytearray()

    def add(self, piece: bytes) -> None:
        """Take the next piece; whole lines of it are read."""
        *lines, rest = (bytes(self._open) + piece).split(b"\n")
        self._open = bytearray(rest[-_LONGEST:])
        for line in lines:
            self._read(line)

    def end(self) -> None:
        """Read the last line, which may have no end."""
        self._read(bytes(self._open))
        self._open.clear()

    def _read(self, line: bytes) -> None:
        if not (b"usage" in line or b"_tokens" in line) or len(line) > _LONGEST:
            return
        found = read_one(line)
        if found is not None:
            self.told = self.told.plus(found) if self.has_said else found
            self.has_said = True


def read_all(content: bytes) -> Told | None:
    """Read a file: one JSON value over all lines, or one a line; None where it says nothing."""
    whole = read_one(content) if len(content) <= 16 * _LONGEST else None
    if whole is not None:
        return whole
    reader = Reader()
    reader.add(content)
    reader.end()
    return reader.told if reader.has_said else None


def read_one(text: bytes) -> Told | None:
    """Read one JSON value; None where it says nothing of use."""
    try:
        said = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    if isinstance(said, list) and said:  # all messages of a session; the last is its result
        said = said[-1]
    if not isinstance(said, Mapping):
        return None
    usage = said.get("usage", said)
    if not isinstance(usage, Mapping) or "output_tokens" not in usage:
        return None
    return _told(said, usage)


def _told(said: Mapping[str, Any], usage: Mapping[str, Any]) -> Told:
    read, written = (usage.get(f"cache_{what}_input_tokens") for what in ("read", "creation"))
    prompt, cached = _count(usage.get("input_tokens")), 0
    if read is not None or written is not None:  # beside the prompt
        cached = _count(read) or 0
        prompt = None if prompt is None else prompt + cached + (_count(written) or 0)
    else:  # within it
        inside = usage.get("cached_input_tokens", usage.get("cached_tokens"))
        cached = min(_count(inside) or 0, prompt or 0)
    output = _count(usage.get("output_tokens"))
    thought = _count(usage.get("reasoning_output_tokens", usage.get("reasoning_tokens"))) or 0
    cost = said.get("total_cost_usd", said.get("cost", usage.get("cost")))
    is_turn = said.get("type") in ("turn.completed", "assistant")
    return Told(prompt, cached, output, min(thought, output or 0), _usd(cost), is_total=not is_turn)


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _HIGHEST
    return value if is_count else None  # type: ignore[return-value]  # it is an int


def _usd(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found <= _HIGHEST else None


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _money(one: Told, other: Told) -> Decimal:
    return (one.cost or Decimal(0)) + (other.cost or Decimal(0))
