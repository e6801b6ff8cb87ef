"""Upper limits of a run, and how people write them: ``8k work, 2k span, 30s``."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from decimal import Decimal

from workspan.errors import SpecError, nearest
from workspan.legible import quoted

_WORDS = {
    "work": "work",
    "tokens": "work",
    "span": "span",
    "depth": "span",
    "prefill": "prefill",
    "call": "calls",
    "calls": "calls",
    "wide": "width",
    "width": "width",
    "usd": "cost",
    "dollars": "cost",
}
_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "sec": Decimal(1),
    "seconds": Decimal(1),
    "min": Decimal(60),
    "minutes": Decimal(60),
    "h": Decimal(3600),
}
_NAMES = {**_WORDS, **dict.fromkeys(_SECONDS, "seconds")}
"""Of limits, by how they are written."""
_SCALE = {"": 1, "k": 1_000, "m": 1_000_000}
_ITEM = re.compile(
    r"(?P<dollar>\$)? ?(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+) ?"
    r"(?P<scale>[kKM](?![a-z]))? ?(?P<word>[A-Za-z]*)"
)
_LONGEST = 60
"""Characters of an item."""
_HIGHEST = 10**15
"""Of any limit: its account is to fit a journal's 64 bits."""
_EXAMPLE = "write limits like '8k work, 2k span, 16 calls, 8 wide, 30s, $0.05'"


@dataclass(frozen=True, slots=True)
class Budget:
    """Upper limits on one account, never passed; None is unlimited."""

    work: int | None = None
    """Decoded tokens of all calls together."""
    span: int | None = None
    """Decoded tokens on the longest chain of calls that wait for one another."""
    prefill: int | None = None
    """Prompt tokens that no cache served."""
    calls: int | None = None
    """Calls that an engine may charge for."""
    width: int | None = None
    """Calls in flight at a time."""
    seconds: float | None = None
    """Wall clock of the run, without loading models; streams, tools and votes are cut at the end,
    what had arrived is used."""
    cost: Decimal | None = None
    """USD."""

    def __post_init__(self) -> None:
        """Refuse limits below 0 and those that are no number.

        Raises:
            ValueError: a limit is negative, infinite or NaN, or `width` is 0.
        """
        for item in fields(self):
            value = getattr(self, item.name)
            lowest = 1 if item.name == "width" else 0
            if value is not None and not (math.isfinite(value) and lowest <= value):
                raise ValueError(
                    f"budget {item.name} is {quoted(value)}: must be finite and not negative, "
                    "nor a width 0"
                )

    def all_but(self, tokens: int) -> Budget:
        """Return a budget for a part, which leaves so many tokens of work and span for the rest."""
        work, span = (None if x is None else max(0, x - tokens) for x in (self.work, self.span))
        return Budget(work=work, span=span)

    @classmethod
    def parse(
        cls, text: str, *, only: Collection[str] | None = None, example: str = _EXAMPLE
    ) -> Budget:
        """Read ``8k work, 2k span, 16 calls, 8 wide, 30s, $0.05``; `tokens` means work.

        Args:
            text: as people write it.
            only: the limits that may be named, and are hinted at; all of them if None.
            example: ends the message about an item that is none.

        Raises:
            SpecError: an item is not understood, not above 0, given twice or none of these.
        """
        limits: dict[str, int | float | Decimal] = {}
        column = 0
        for item in text.split(","):
            start = column + len(item) - len(item.lstrip())
            try:
                name, value = _item(item.strip(), only, example)
            except _Odd as odd:
                raise SpecError(str(odd), text=text, column=start) from None
            if name in limits:
                raise SpecError(f"budget limits {name} twice", text=text, column=start)
            limits[name] = value
            column += len(item) + 1
        return cls(**limits)  # type: ignore[arg-type]  # _item pairs each name with its type

    def __str__(self) -> str:
        """Write it so that `parse` reads the same limits back."""
        words = {
            "work": "work",
            "span": "span",
            "prefill": "prefill",
            "calls": "calls",
            "width": "wide",
        }
        parts = [
            f"{value} {word}"
            for name, word in words.items()
            if (value := getattr(self, name)) is not None
        ]
        if self.seconds is not None:
            parts.append(f"{_digits(self.seconds)}s")
        if self.cost is not None:
            parts.append(f"${_plain(self.cost)}")
        return ", ".join(parts) or "unlimited"


UNLIMITED = Budget()
"""A budget without a limit."""


def _digits(seconds: float) -> str:
    """Write seconds without an exponent, and without losing any: `parse` reads them back."""
    return _plain(Decimal(repr(float(seconds))))


def _plain(number: Decimal) -> str:
    """Write equal numbers the same."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class _Odd(Exception):
    """An item is none."""


def _item(
    item: str, only: Collection[str] | None, example: str
) -> tuple[str, int | float | Decimal]:
    found = _ITEM.fullmatch(" ".join(item.split())) if len(item) <= _LONGEST else None
    if not found:
        raise _Odd(f"budget item {quoted(item)} is not understood: {example}")
    number, word = Decimal(found["number"]), found["word"].lower()
    value = number * _SCALE[(found["scale"] or "").lower()]
    if not 0 < value <= _HIGHEST:
        raise _Odd(f"budget item {item!r} must be above 0, and at most 10^15")
    is_money = bool(found["dollar"])
    name = "cost" if is_money and not word else None if is_money else _NAMES.get(word)
    if name is None:
        known = [one for one, of in _NAMES.items() if only is None or of in only]
        hint = nearest(word, known) if word else f"name what {item!r} limits; {example}"
        raise _Odd(f"unknown budget word {word!r}: {hint}")
    if only is not None and name not in only:
        raise _Odd(f"{item!r} limits {name}, which can't be limited here: {example}")
    if name == "cost":
        return name, value
    if name == "seconds":
        return name, float(value * _SECONDS[word])
    if value != int(value):
        raise _Odd(f"budget item {item!r} must be a whole number")
    return name, int(value)


def within(limits: Budget | str) -> str:
    """Say limits, or their text, behind what keeps to them: ``within 8k work``."""
    return "without a limit" if str(limits) == str(Budget()) else f"within {limits}"
