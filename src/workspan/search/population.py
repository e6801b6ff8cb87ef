"""Populations of scored candidates: who breeds, who travels, who stays. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from statistics import fmean

from workspan.data.types import Candidate


class Population:
    """Distinct candidates, in order of arrival; what holds no answer or scores 0 is no member."""

    def __init__(self, members: Iterable[Candidate] = ()) -> None:
        self.members: list[Candidate] = []
        self._known: set[str] = set()
        self.add(members)

    def add(self, candidates: Iterable[Candidate]) -> None:
        """Take in those that are not here yet; candidates with one text but for space are equal."""
        for candidate in candidates:
            text = plain(candidate)
            if text and candidate.score and text not in self._known:
                self._known.add(text)
                self.members.append(candidate)

    def top(self, size: int) -> list[Candidate]:
        """Return the best, best first; of equals the earlier."""
        return sorted(self.members, key=fitness, reverse=True)[:size]

    @property
    def mean_score(self) -> float:
        """Mean over the members; 0 where there are none."""
        return fmean(map(fitness, self.members)) if self.members else 0.0


def plain(candidate: Candidate) -> str:
    """Return its answer with single spaces; empty where there is none."""
    return " ".join((candidate.answer or "").split())


def fitness(candidate: Candidate) -> float:
    """Return the score, 0 where there is none."""
    return candidate.score or 0.0


def boltzmann(
    members: Sequence[Candidate], size: int, temperature: float, rng: random.Random
) -> list[Candidate]:
    """Draw `size` different members, one after another, each with odds exp(score / temperature).

    By the Gumbel trick: the largest of score / temperature + Gumbel noise are such a draw
    (Kool, van Hoof and Welling 2019, arXiv:1903.06059).
    """
    noisy = [
        (fitness(member) / temperature - math.log(-math.log(rng.random() or 5e-324)), -i)
        for i, member in enumerate(members)
    ]
    order = sorted(noisy, reverse=True)[:size]
    return [members[-place] for _, place in order]
