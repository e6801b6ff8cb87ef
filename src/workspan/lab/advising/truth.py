"""From shadowed requests to paired differences: by labels, by a verifier, or by agreement alone.

Two settings that gave the same answer differ by nothing, whatever is right: only where they differ
has anything to be judged.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workspan.lab.advising.kept import Arm, Shadowed

Truth = Literal["labels", "verifier", "agreement"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One request under two settings."""

    problem: Hashable
    then: Arm
    now: Arm
    difference: float | None
    """Grade of `then` less that of `now`; None where nothing says what is right."""

    @property
    def is_same(self) -> bool:
        """Both gave one answer, or none."""
        return self.then.answer == self.now.answer


@dataclass(frozen=True, slots=True)
class Pairs:
    """All requests of one setting beside the present one, in the order of their ids."""

    strategy: str
    truth: Truth
    judged: tuple[Pair, ...]
    """Those whose difference is known: a fair sample of all, or of all up to some moment."""
    all: tuple[Pair, ...]


def pairs_of(requests: Sequence[Shadowed], strategy: str) -> Pairs:
    """Pair one setting with the present one on the requests of a route.

    Labels count where there is one, then a verifier's scores where no answer lacks one. Labelled
    are the requests up to the first that lacks a label: since ids are random, they are a fair
    sample, however many of them there are. Requests go on coming while people label, some of them
    before those that were judged: so it is the first of those that were there by some label.
    """
    found = [(one, arm) for one in requests for arm in one.beside if arm.strategy == strategy]
    truth = truth_of([one for one, _ in found])
    every = tuple(
        Pair(one.problem, arm, one.now, _difference(one, arm, truth)) for one, arm in found
    )
    if truth == "agreement":
        return Pairs(strategy, truth, (), every)
    if truth == "verifier":
        return Pairs(strategy, truth, tuple(p for p in every if p.difference is not None), every)
    asked = [
        (one.at, pair)
        for pair, (one, _) in zip(every, found, strict=True)
        if one.question is not None  # what has no text can't be judged
    ]
    looks = {label.at for one, _ in found for label in one.labels}
    return Pairs(strategy, truth, _first_judged(asked, looks), every)


def truth_of(requests: Sequence[Shadowed]) -> Truth:
    """Say what there is to tell right from wrong."""
    if any(one.labels for one in requests):
        return "labels"
    unlike = [one for one in requests if is_unlike(one)]
    if unlike and all(said.score is not None for one in unlike for said in one.answers):
        return "verifier"
    return "agreement"


def is_unlike(one: Shadowed) -> bool:
    """Say whether a setting gave another answer than the present one."""
    return any(arm.answer != one.now.answer for arm in one.beside)


def _first_judged(asked: Sequence[tuple[float, Pair]], looks: Iterable[float]) -> tuple[Pair, ...]:
    """Return the most pairs that were judged without a gap among those there by some moment.

    Args:
        asked: when each came, in the order in which they are labelled.
        looks: the moments of labels.
    """
    places = sorted(range(len(asked)), key=lambda place: asked[place][0])
    judged: list[int] = []
    gap, so_far, best = len(asked), 0, (0, 0, -math.inf)
    for moment in sorted({*looks, math.inf}):
        while so_far < len(places) and asked[places[so_far]][0] <= moment:
            place = places[so_far]
            so_far += 1
            if asked[place][1].difference is None:
                gap = min(gap, place)
            else:
                insort(judged, place)
        best = max(best, (bisect_left(judged, gap), gap, moment))
    _, gap, moment = best
    return tuple(pair for at, pair in asked[:gap] if at <= moment)


def _difference(one: Shadowed, arm: Arm, truth: Truth) -> float | None:
    if arm.answer == one.now.answer:
        return 0.0
    grades = _labelled(one) if truth == "labels" else _scored(one)
    then, now = _grade(arm, grades), _grade(one.now, grades)
    return None if then is None or now is None else then - now


def _grade(arm: Arm, grades: Mapping[int, float]) -> float | None:
    """Return the grade of an answer; no answer is a wrong one."""
    return 0.0 if arm.answer is None else grades.get(arm.answer)


def _labelled(one: Shadowed) -> dict[int, float]:
    """Return the grades of the answers that were judged: who is unsure, or says wrong, counts."""
    found: dict[int, float] = {}
    for label in one.labels:
        right = float(label.verdict == "right")
        found[label.number] = min(found.get(label.number, 1.0), right)
    return found


def _scored(one: Shadowed) -> dict[int, float]:
    return {said.number: said.score for said in one.answers if said.score is not None}
