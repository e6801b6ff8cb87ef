"""What recordings are judged by: exact counts of votes, on cases worked out by hand."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from workspan.data.types import Message, Problem
from workspan.recordings.recording import Chain, Recording

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
PROBLEM = Problem("p", (Message("user", "?"),), "text")


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


def recording(*answers: str | None) -> Recording:
    chains = tuple(Chain((10 * (i + 1),), (answer,)) for i, answer in enumerate(answers))
    return Recording("m", (PROBLEM,), {"p": chains}, {"p": "right"})


def slowly(said: tuple[str | None, ...], n: int) -> float:
    """Count a vote over every order: of tied leaders each wins as often as the others."""
    found = []
    for order in permutations(said):
        some = [one for one in order[:n] if one is not None]
        most = max((some.count(one) for one in some), default=0)
        leaders = {one for one in some if some.count(one) == most}
        found.append(fmean(one == "right" for one in leaders) if leaders else 0.0)
    return fmean(found)


@pytest.mark.parametrize("votes", [1, 2, 3, 5])
def test_a_vote_is_counted_over_every_subset(votes: int) -> None:
    from benchmarks.recorded_claims.efforts import vote

    said = ("right", "wrong", None, "right", "other")
    assert vote(recording(*said), "p", votes) == pytest.approx(slowly(said, votes))


def test_a_vote_on_arrays_is_that_on_lists() -> None:
    from benchmarks.recorded_claims.chains import coded

    said = ("right", "wrong", None, "right", "other")
    one = coded(recording(*said), "p")
    orders = np.array([*permutations(range(len(said)))])
    for votes in (1, 2, 3, 5):
        assert one.vote(10**9, votes, orders) == pytest.approx(slowly(said, votes))
    assert one.one(10**9) == pytest.approx(2 / 5)
    assert one.one(10) == pytest.approx(1 / 5), "what ends later said nothing yet"
    assert one.one(5) == 0


def test_a_weight_can_turn_a_vote() -> None:
    from benchmarks.recorded_claims.chains import coded

    one = coded(recording("right", "wrong", "wrong"), "p")
    said = one.at(10**9)[None, :]
    assert one.weighed(said, np.ones(said.shape)) == 0
    assert one.weighed(said, np.array([[3.0, 1.0, 1.0]])) == 1
    assert one.weighed(said, np.zeros(said.shape)) == 0


def test_coverage_of_draws_without_replacement() -> None:
    from benchmarks.recorded_claims.logs import covered

    assert covered(4, 1, 2) == pytest.approx(1 / 2)
    assert covered(4, 0, 4) == 0
    assert covered(4, 1, 400) == 1
    assert covered(4, 2, 0) == 0


def judged(*sides: Any) -> Any:
    from benchmarks.recorded_claims.judged import Asked, Sides, judge

    asked = Asked("n", "parallel", "c", "s", "st", "b", "w")
    made = {f"part {i}": Sides(np.array(a), np.array(b)) for i, (a, b) in enumerate(sides)}
    return judge(asked, "m", made)


def test_parts_of_the_same_problems_are_averaged_and_others_put_together() -> None:
    up, level = ([1.0] * 40, [0.0] * 40), ([0.5] * 40, [0.5] * 40)
    same = judged(up, level)
    assert (same.verdict, same.problems, same.found) == ("held in part", 40, 0.5)
    assert judged(up).verdict == "held"
    assert judged((up[1], up[0])).verdict == "came out against"
    apart = judged(up, ([0.0] * 20, [0.0] * 20))
    assert (apart.problems, apart.found) == (60, pytest.approx(2 / 3))


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not here")
def test_what_is_read_is_what_others_computed_of_the_files() -> None:
    from benchmarks.recorded_claims.checked import figures

    told = [*figures()]
    assert len(told) > 60
    for what, ours, theirs, close in told:
        assert abs(ours - theirs) <= close, what
