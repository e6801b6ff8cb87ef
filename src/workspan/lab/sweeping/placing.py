"""Where cells stand on the plane of breadth and depth, and the path of those worth their work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workspan.lab.sweeping.cell import limits
from workspan.lab.sweeping.outcome import CellRow


@dataclass(frozen=True, slots=True)
class Place:
    """One cell with a measurement on the plane."""

    row: CellRow
    breadth: float
    """Work over span: how many chains side by side its work amounts to, 1 at least."""
    depth: float
    """Span: tokens on the longest chain of calls that waited for one another."""


@dataclass(frozen=True, slots=True)
class Square:
    """One octave of breadth by one of depth, with the best of its cells."""

    breadth: float
    """Its lower edge; the upper one is twice that."""
    depth: float
    best: CellRow
    cells: int


def places(rows: Iterable[CellRow]) -> list[Place]:
    """Place the cells that are done and decoded anything, in their order."""
    return [
        Place(row, max(1.0, row.work / row.span), row.span)
        for row in rows
        if row.status == "done" and row.accuracy is not None and row.span > 0
    ]


def efficient(found: Sequence[Place]) -> list[Place]:
    """Return the cells that none of as little work equals in accuracy, by growing work.

    By the means alone: intervals overlap, and the best of many is a little lucky.
    """
    path: list[Place] = []
    for one in sorted(found, key=lambda place: (place.row.work, -_accuracy(place))):
        if not path or _accuracy(one) > _accuracy(path[-1]):
            path.append(one)
    return path


def squares(found: Iterable[Place]) -> list[Square]:
    """Gather cells by octaves, the best by its mean standing for each."""
    held: dict[tuple[int, int], list[Place]] = {}
    for one in found:
        held.setdefault((_octave(one.breadth), _octave(one.depth)), []).append(one)
    return [
        Square(2.0**breadth, 2.0**depth, max(many, key=_accuracy).row, len(many))
        for (breadth, depth), many in sorted(held.items())
    ]


def levels(rows: Sequence[CellRow], column: str) -> list[float]:
    """Return values of work or span to draw a line at: the limits of the budgets, else octaves.

    Args:
        rows: of one picture.
        column: "work" or "span".
    """
    known = {getattr(limits(row.budget), column) for row in rows} - {None}
    if known:
        return sorted(known)
    values = [getattr(row, column) for row in rows if getattr(row, column) > 0]
    if not values:
        return []
    return [2.0**power for power in range(_octave(min(values)), _octave(max(values)) + 2)]


def _accuracy(place: Place) -> float:
    return place.row.accuracy or 0.0


def _octave(value: float) -> int:
    return math.floor(math.log2(value))
