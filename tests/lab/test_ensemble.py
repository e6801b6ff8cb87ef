"""Weights of several models, against hand calculations and an exhaustive search."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from workspan.data.types import Problem
from workspan.errors import InputError
from workspan.recordings.recording import Chain, Recording

pytest.importorskip("scipy")
from workspan.lab.ensemble import fit_ensemble


def recording(name: str, *votes: str) -> Recording:
    """Record a model whose samples on problem i are the letters of votes[i]; "a" is right."""
    problems = tuple(Problem.ask(f"{i}?", kind="text", id=f"p{i}") for i in range(len(votes)))
    chains = {
        one.id: tuple(Chain((10,), (letter,)) for letter in said)
        for one, said in zip(problems, votes, strict=True)
    }
    return Recording(name, problems, chains, {one.id: "a" for one in problems})


def won(models: Sequence[Sequence[str]], weights: Sequence[float]) -> int:
    total = 0
    for said in zip(*models, strict=True):
        shares = {
            letter: sum(
                w * one.count(letter) / len(one) for w, one in zip(weights, said, strict=True)
            )
            for letter in "abc"
        }
        total += shares["a"] > max(shares["b"], shares["c"]) + 0.001
    return total


def test_models_that_err_apart_are_ahead_of_each_alone() -> None:
    # 3/4 right on the first, 1/4 with two rivals on the second; and the other way round
    first, second = recording("x", "aaab", "abbc"), recording("y", "accb", "aaac")
    found = fit_ensemble([first, second])
    assert found.names == ("x", "y")
    assert (found.accuracy, found.alone) == (1.0, (0.5, 0.5))
    assert sum(found.weights) == pytest.approx(1)
    # by symmetry the narrower lead is widest in the middle
    assert found.weights == pytest.approx((0.5, 0.5), abs=1e-6)


def test_a_model_that_is_never_right_gets_nothing_it_could_spoil() -> None:
    found = fit_ensemble([recording("x", "aab", "aab", "aab"), recording("y", "bbb", "bbb", "bbb")])
    assert found.accuracy == 1.0
    assert found.weights == pytest.approx((1, 0), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_no_weights_on_a_grid_win_more(seed: int) -> None:
    rng = random.Random(seed)
    models = [["".join(rng.choices("abc", k=5)) for _ in range(12)] for _ in range(2)]
    found = fit_ensemble([recording(name, *said) for name, said in zip("xy", models, strict=True)])
    best = max(won(models, (i / 200, 1 - i / 200)) for i in range(201))
    assert round(found.accuracy * 12) >= best
    assert won(models, found.weights) == round(found.accuracy * 12)


def test_what_nobody_has_right_is_lost() -> None:
    found = fit_ensemble([recording("x", "bbb", "aaa"), recording("y", "ccc", "aaa")])
    assert found.accuracy == 0.5


def test_an_ensemble_is_of_two_on_the_same_problems() -> None:
    with pytest.raises(InputError, match="two models"):
        fit_ensemble([recording("x", "a")])
    other = recording("y", "a", "a").keep({"p1"})
    with pytest.raises(InputError, match="in common"):
        fit_ensemble([recording("x", "a"), other])
