"""The certified vote: two worked examples, and weights."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import anyio
import pytest

from workspan.core.engine import EngineInfo
from workspan.data.types import Problem
from workspan.errors import SpecError
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Chain, Recording
from workspan.runner import Result, run
from workspan.search.mode_set import ModeSet
from workspan.search.stated_votes import ModeVotes
from workspan.strategies.adaptive.certified_vote import CertifiedVote


def drawn(strategy: CertifiedVote, answers: Sequence[str]) -> Result:
    problem = Problem.ask("which?", kind="text", id="p")
    chains = tuple(Chain((10,), (one,)) for one in answers)
    held = Recording("m", (problem,), {"p": chains}, {"p": "a"})

    async def main() -> Result:
        return await run(strategy, problem, ReplayEngine(held))

    return anyio.run(main)


def test_seven_that_agree_are_enough_at_a_tenth() -> None:
    # bets: none, 0.3, then 0.6 each: 1.3 * 1.6^5 = 13.6 >= 10 at the seventh vote
    result = drawn(CertifiedVote(), ["a"] * 64)
    assert (result.answer.text, result.answer.certified) == ("a", True)
    assert result.usage.calls == 7


def test_one_that_differs_costs_three_more_votes() -> None:
    # against b: 1.3 * 1.6 * 0.4 after four votes; five more make 8.7, the sixth passes 10
    votes = ModeVotes(0.1, 64)
    for answer in (0, 0, 0, 1, 0, 0, 0, 0, 0):
        votes.vote(answer)
        assert votes.verdict == "draw"
    votes.vote(0)
    assert votes.verdict == "answer"


def test_answers_that_share_the_votes_are_given_up() -> None:
    result = drawn(CertifiedVote(), ["a", "b", "c"] * 22)
    assert result.answer.certified is False
    assert result.answer.text in {"a", "b", "c"}
    assert result.usage.calls < 40


def test_a_weight_is_what_a_vote_stakes() -> None:
    sure, unsure = ModeSet(0.1), ModeSet(0.1)
    for test, weight in ((sure, 1.0), (unsure, 0.5)):
        for _ in range(4):
            test.vote(0, weight)
    assert log(sure.capital) > 2 * log(unsure.capital) > 0


def test_weights_need_probabilities() -> None:
    with pytest.raises(SpecError, match="log-probabilities"):
        CertifiedVote(weighted=True).check(EngineInfo("http", "m"))
    CertifiedVote().check(EngineInfo("http", "m"))


@pytest.mark.parametrize("told", [{"delta": 0.0}, {"n": 6}, {"hopeless": 2.0}, {"batch": 0}])
def test_what_can_not_be_is_refused(told: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"delta|hopeless|batch"):
        CertifiedVote(**told)  # type: ignore[arg-type]
