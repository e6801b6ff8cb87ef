"""A critic's verdict is read from a fixed phrase; its words are the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import anyio
import pytest

from workspan.data.types import Candidate, FinishReason, Problem, Request, Sample, Usage
from workspan.errors import VerifierError
from workspan.runner import run
from workspan.spec import parse_strategy
from workspan.testing.scripted import ScriptedEngine
from workspan.verifiers.critic import FLAWLESS, Critic

if TYPE_CHECKING:
    from workspan.core.session import Session

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def judged(reply: str, verifier: str = "critic") -> Candidate:
    texts = iter(["Answer: 4", reply, "Answer: 4"])
    engine = ScriptedEngine(lambda _: next(texts))
    strategy = parse_strategy(f"self_refine(turns=1, verifier={verifier})")
    return anyio.run(lambda: run(strategy, PROBLEM, engine)).answer.candidates[0]


def score(reply: str, finish: FinishReason = "stop") -> float | None:
    """Have the critic reply so, with its line ends, which a scripted engine does not keep."""

    class Fixed:
        async def sample(self, _: Request) -> Sample:
            return Sample(reply, finish, Usage())

    try:
        return anyio.run(Critic(), PROBLEM, Candidate("4", "4"), cast("Session", Fixed())).value
    except VerifierError:
        return None


@pytest.mark.parametrize("reply", [FLAWLESS, FLAWLESS.lower(), f"**{FLAWLESS}.**"])
def test_the_phrase_alone_is_a_pass(reply: str) -> None:
    assert judged(reply).score == 1.0


@pytest.mark.parametrize("reply", ["2 + 2 is not 5.", f"I can't say {FLAWLESS} yet."])
def test_anything_else_is_feedback(reply: str) -> None:
    candidate = judged(reply)
    assert candidate.score == 0.0
    assert candidate.feedback == reply


@pytest.mark.parametrize(
    "reply",
    [
        f"1. Step 2 is wrong.\n\n{FLAWLESS}",
        f"{FLAWLESS}\nBut step 2 is wrong.",
        f"<think>I see none.\n{FLAWLESS}</think>",
        f"<think>{FLAWLESS}",
    ],
)
def test_a_critic_that_contradicts_itself_or_only_thought_gave_no_verdict(reply: str) -> None:
    assert score(reply) is None


def test_a_critic_is_heard_once_it_has_thought() -> None:
    assert score(f"<think>Is 4 right?</think>\nAll is well.\n\n{FLAWLESS}") == 1.0
    assert score(f"<think>{FLAWLESS}</think>It is 5.") == 0.0


def test_a_review_that_was_cut_is_no_verdict() -> None:
    assert score("1. Step 2 is", "length") is None
    assert score(FLAWLESS, "length") == 1.0


def test_a_silent_critic_gave_no_verdict() -> None:
    assert judged("").score is None


def test_answered_passes_what_holds_an_answer() -> None:
    assert judged("", "answered").score == 1.0
