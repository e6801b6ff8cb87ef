"""Populations: members, elites, Boltzmann selection."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from workspan.data.types import Candidate
from workspan.search.population import Population, boltzmann


def scored(*scores: float | None) -> list[Candidate]:
    return [Candidate(f"plan {i}", f"plan {i}", score) for i, score in enumerate(scores)]


def test_duplicates_and_what_cannot_be_read_are_no_members() -> None:
    plan = Candidate("a  b", "a  b", 0.5)
    same = Candidate("a b", "a b", 0.9)
    population = Population([plan, same, Candidate("x", None, 0.5), Candidate("y", "y", 0.0)])
    assert population.members == [plan]


def test_the_top_is_by_score_and_then_by_age() -> None:
    members = scored(0.2, 0.9, 0.5, 0.9)
    assert Population(members).top(3) == [members[1], members[3], members[2]]
    assert Population(members).mean_score == pytest.approx(2.5 / 4)


def test_parents_are_different_and_drawn_with_boltzmann_odds() -> None:
    members = scored(0.1, 0.4, 0.9)
    rng = random.Random(3)
    firsts = Counter(boltzmann(members, 1, 0.5, rng)[0].text for _ in range(6000))
    weights = [math.exp(score / 0.5) for score in (0.1, 0.4, 0.9)]
    for member, weight in zip(members, weights, strict=True):
        assert firsts[member.text] / 6000 == pytest.approx(weight / sum(weights), abs=0.02)
    assert len({c.text for c in boltzmann(members, 9, 0.5, rng)}) == 3


def test_a_cold_selection_takes_the_best() -> None:
    members = scored(0.1, 0.4, 0.9)
    assert boltzmann(members, 2, 0.001, random.Random(0)) == [members[2], members[1]]
