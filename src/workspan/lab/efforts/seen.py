"""From a race to what a profile keeps of it: answers become numbers, grades become groups."""

from __future__ import annotations

from collections.abc import Sequence

from workspan.answers import canonical
from workspan.data.types import AnswerKind
from workspan.lab.efforts.race import Measured, Raced
from workspan.strategies.auto.fit.profile import Profile
from workspan.strategies.auto.fit.seen import Draw, Ladders, Seen
from workspan.strategies.auto.groups import Groups

RIGHT = 0.5
"""The grade from which on an answer counts as right."""
APART = 1_000_000
"""Between the numbers of settings whose answers can't be compared."""


def ladders_of(raced: Raced, places: Sequence[int], *, pooled: bool = True) -> Ladders:
    """Return what was seen at some settings, on the problems of which all answers could be graded.

    Args:
        raced: the race.
        places: of entrants; the cheapest sample first is how they are ordered here.
        pooled: answers of different settings can be compared.
    """
    ordered = sorted(places, key=lambda place: _tokens(raced, place))
    held = {place: dict(raced.of(place)) for place in ordered}
    problems = []
    for j, task in enumerate(raced.tasks):
        own = [held[place].get(j) for place in ordered]
        if any(one is not None for one in own) and all(_is_graded(one) for one in own):
            problems.append(_seen(own, task.problem.kind, pooled=pooled))
    rungs = tuple(raced.entrants[place].rung for place in ordered)
    depth = max(raced.entrants[place].strategy.max_tokens for place in ordered)
    return Ladders(rungs, tuple(problems), pooled, depth)


def profile_of(raced: Raced, ladders: Ladders, model: str, unit: str = "tokens") -> Profile:
    """Return a calibration profile that holds them."""
    kinds = tuple(sorted({task.problem.kind for task in raced.tasks}))
    return Profile(model, unit, (), kinds=kinds, ladders=ladders)


def _tokens(raced: Raced, place: int) -> float:
    """Return the tokens of a sample there, mean."""
    found = [s.usage.output_tokens for _, one in raced.of(place) for s in one.samples]
    return sum(found) / len(found) if found else float("inf")


def _is_graded(one: Measured | None) -> bool:
    return one is None or all(sample.right is not None for sample in one.samples)


def _seen(own: Sequence[Measured | None], kind: AnswerKind, *, pooled: bool) -> Seen:
    """Number the answers: equal ones share a number, at all settings together or at each."""
    one_for_all = Groups(kind, key=canonical)
    draws, right = [], set[int]()
    for i, one in enumerate(own):
        groups, base = (one_for_all, 0) if pooled else (Groups(kind, key=canonical), i * APART)
        row = []
        for sample in one.samples if one is not None else ():
            group = groups.number(sample.answer)
            group += base if group >= 0 else 0
            row.append(Draw(group, max(1, sample.usage.output_tokens)))
            if group >= 0 and (sample.right or 0) >= RIGHT:
                right.add(group)
        draws.append(tuple(row))
    return Seen(tuple(draws), tuple(sorted(right)))
