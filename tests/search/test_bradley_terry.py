"""Strengths against closed forms, scipy and separable games; and who meets whom."""

from __future__ import annotations

import random
from itertools import combinations, pairwise
from math import exp, log

import pytest

from workspan.search.bradley_terry import Game, strengths, swiss


def test_without_games_all_are_usual() -> None:
    assert strengths(3, []) == pytest.approx([0, 0, 0])


def test_one_game_is_solved_by_hand() -> None:
    # by symmetry the strengths are s and 1/s: one win of s / (s + 1/s) and half each of s / (s + 1)
    ahead, behind = strengths(2, [Game(0, 1)])
    s = exp(ahead)
    assert ahead == pytest.approx(-behind)
    assert pytest.approx(s / (s + 1 / s) + s / (s + 1)) == 1.5


def test_the_strengths_are_where_scipy_finds_the_likelihoods_top() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = random.Random(1)
    games = [Game(*rng.sample(range(6), 2)) for _ in range(40)]

    def loss(x: list[float]) -> float:
        lost = sum(log(1 + exp(x[loser] - x[winner])) for winner, loser in games)
        return float(lost + sum(0.5 * (log(1 + exp(-a)) + log(1 + exp(a))) for a in x))

    found = optimize.minimize(loss, [0.0] * 6, tol=1e-12).x
    assert strengths(6, games) == pytest.approx(list(found), abs=1e-4)


def test_one_that_is_unbeaten_does_not_level_all_others() -> None:
    games = [Game(i, j) for i, j in combinations(range(5), 2)]  # 0 beats all, 1 all but 0, ...
    rated = strengths(5, games)
    assert rated == sorted(rated, reverse=True)
    assert all(a - b > 0.3 for a, b in pairwise(rated))
    more = strengths(5, games * 50)
    assert all(a - b > 0.3 for a, b in pairwise(more))


def test_who_never_played_stands_between_winners_and_losers() -> None:
    winner, loser, nobody = strengths(3, [Game(0, 1)])
    assert loser < nobody == 0 < winner


def test_a_prior_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="unbeaten"):
        strengths(2, [Game(0, 1)], prior=0)


def test_neighbours_meet_who_have_not_met() -> None:
    assert swiss([2, 0, 1, 3], set()) == [(2, 0), (1, 3)]
    assert swiss([2, 0, 1, 3], {(0, 2)}) == [(2, 1), (0, 3)]
    assert swiss([0, 1], {(1, 0)}) == [(0, 1)]  # nobody else is left
    assert swiss([0, 1, 2], set()) == [(0, 1)]  # the last rests
