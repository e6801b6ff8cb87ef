"""A calibration library: what a model's chains on other problems did, without a word of them.

It holds when chains ended, which interim answers agreed, how much a prompt held (its `signs`), and,
where the right answer was known, which answers were right. These are small numbers, the same within
a problem for equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import msgspec

from workspan.errors import DataError
from workspan.strategies.auto.fit.form import Form
from workspan.strategies.auto.fit.seen import Ladders

FORMAT = 1


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One chain."""

    depths: tuple[int, ...]
    """Tokens decoded at each interim answer, ascending; the last is the chain's end."""
    groups: tuple[int, ...]
    """The answer at each depth, -1 for none."""
    ended: bool
    """By itself; else it was cut there, and its length is censored."""


class Once(msgspec.Struct, frozen=True, array_like=True):
    """One run of an arm, a strategy that is not made of lines."""

    work: int
    span: int
    right: bool
    """It was answered, and rightly."""


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """One problem."""

    lines: tuple[Record, ...]
    right: tuple[int, ...] | None = None
    """The groups that are right; None where nobody knows."""
    task: str = ""
    """The task set that it is of."""
    arms: tuple[Once | None, ...] = ()
    """A run of each of the library's arms; None where it failed, or nobody knows what is right."""
    signs: tuple[float, ...] = ()
    """What its prompt shows (`signs.NAMES`); empty where nobody knows."""


class Library(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of a model on problems of the user's kind."""

    model: str
    unit: str
    """"tokens", or "characters" where nobody counted tokens."""
    problems: tuple[Case, ...]
    asked: float = 0.0
    """Tokens of an interim answer, mean; 0 where none was asked."""
    signals: Mapping[str, float] = {}
    """How a signal of a chain speaks for its being right, among chains of one problem: 2 AUC - 1,
    so -1 to 1 and 0 for nothing. Signs differ between models, hence they are measured."""
    arms: tuple[str, ...] = ()
    """Strategies that were run beside the lines, with every dial (their `repr`)."""
    kinds: tuple[str, ...] = ()
    """Kinds of answers of its problems; none where nobody knows."""
    ladders: Ladders | None = None
    """What was seen of the model's efforts, of `workspan which`; `auto` then climbs them."""

    @property
    def labelled(self) -> int:
        """Problems of which the right answer was known."""
        return sum(case.right is not None for case in self.problems)

    def even(self) -> tuple[list[Case], int]:
        """Return the problems to learn from, and how many lines to take of each; maybe none.

        If any right answer is known, only such problems are taken; those that have far fewer lines
        than most are left out.
        """
        known = [case for case in self.problems if case.right is not None]
        cases = [case for case in known or self.problems if case.lines]
        sizes = sorted(len(case.lines) for case in cases)
        n = sizes[len(sizes) // 4] if sizes else 0
        return [case for case in cases if len(case.lines) >= n], n


_FORM = Form("library", Library, FORMAT, "calibrate")
write_library, is_library = _FORM.write, _FORM.is_one


def read_library(path: Path) -> Library:
    """Read a library.

    Raises:
        DataError: not readable, not a library, of another format, or not sound in itself.
    """
    library = _FORM.read(path)
    for number, case in enumerate(library.problems):
        if not all(_is_sound(line) for line in case.lines):
            raise DataError(f"problem {number} holds a chain that can't be", path=str(path))
        runs = [one for one in case.arms if one is not None]
        if len(case.arms) > len(library.arms) or any(min(one.work, one.span) < 0 for one in runs):
            raise DataError(f"problem {number} holds an arm that can't be", path=str(path))
    if library.ladders is not None and not library.ladders.is_sound:
        raise DataError("holds samples of efforts that can't be", path=str(path))
    return library


def _is_sound(line: Record) -> bool:
    """Check what the types can't: depths ascend from above 0, one group for each."""
    return (
        0 < len(line.depths) == len(line.groups)
        and line.depths[0] > 0
        and all(a < b for a, b in pairwise(line.depths))
        and min(line.groups) >= -1
    )
