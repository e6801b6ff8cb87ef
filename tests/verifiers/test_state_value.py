"""The value of a state, by hand."""

from __future__ import annotations

import anyio
import pytest

from workspan.data.types import Problem
from workspan.runner import run
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.testing.scripted import ScriptedEngine
from workspan.verifiers.state_value import StateValue


def value(*replies: str) -> float | None:
    texts = iter(["Answer: 4", *replies])
    strategy = BestOfN(n=1, verifier=StateValue(samples=len(replies)))
    problem = Problem.ask("What is 2 + 2?", kind="number")
    engine = ScriptedEngine(lambda _: next(texts))
    result = anyio.run(lambda: run(strategy, problem, engine))
    return result.answer.candidates[0].score


def test_weights_are_added_up_and_scaled_to_sure_each_time() -> None:
    assert value("sure", "Sure.", "it is sure") == 1.0
    assert value("sure", "likely", "impossible") == pytest.approx((20 + 1 + 0.001) / 60)
    assert value("impossible") == pytest.approx(0.00005)


@pytest.mark.parametrize(
    "reply",
    [
        "unlikely",
        "not sure",
        "likely? no, impossible",
        "Verdict: sure or Verdict: likely",
        "Verdict: sure or likely",
        "Verdict:",
        "<think>sure</think>",
        "<think>It is sure",
        "Make sure that the sum is right.",
        "It is likely that 3 is meant here, so that the first step would have to be checked again.",
        "",
    ],
)
def test_what_is_in_doubt_is_no_verdict(reply: str) -> None:
    assert value(reply) is None


@pytest.mark.parametrize(
    "reply",
    [
        "impossible",
        "Verdict: impossible",
        "**Verdict:** impossible.",
        "<think>Sure?</think>Verdict: impossible",
        '{"verdict": "impossible"}',
    ],
)
def test_a_marked_or_a_bare_word_counts(reply: str) -> None:
    assert value(reply) == pytest.approx(0.00005)


def test_a_reply_without_a_verdict_is_left_out() -> None:
    assert value("sure", "hm") == 1.0
    assert value("hm", "well") is None
