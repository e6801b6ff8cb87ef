"""A second opinion: its-hub 1.2.0 (Apache-2.0) weighs, resamples and carries particles alike.

Its real particle Gibbs runs here on a simulated model. The scores are so far apart that only one
particle ever survives a resampling: what is left to compare does not depend on either's rng.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import anyio
import its_hub
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from its_hub.core.algorithms import particle_gibbs as theirs
from its_hub.core.lms.step_generation import StepGeneration

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem, Request
from workspan.runner import run
from workspan.search.allocation import logit, softmax
from workspan.search.resampling import systematic
from workspan.strategies.hybrid.particle_gibbs import ParticleGibbs
from workspan.testing.scripted import ScriptedEngine

scores = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(scores)
def test_weights_are_the_same_share_of_the_odds(values: list[float]) -> None:
    expected = theirs._softmax([theirs._inv_sigmoid(value) for value in values])
    assert softmax([logit(value) for value in values]) == pytest.approx(list(expected))


@given(scores, st.integers(1, 20), st.integers(0, 1000))
def test_systematic_resampling_takes_the_same_places(
    values: list[float], n: int, seed: int
) -> None:
    weights = softmax([logit(value) for value in values])
    start = np.random.RandomState(seed).uniform(0, 1)

    class Start(random.Random):
        def random(self) -> float:
            return float(start)

    np.random.seed(seed)  # what its-hub draws from
    try:
        expected = theirs.ParticleGibbs._resampling_systematic(
            None, list(range(len(weights))), np.array(weights), n
        )
    except IndexError:  # its running sum ended below the last pointer
        return
    assert systematic(weights, n, Start()) == expected


def next_step(prefix: str, number: int) -> str:
    """Three steps, of which the draw with an even number is the good one; then the answer."""
    if prefix.count("\n\n") == 3:
        return f"Answer: {prefix.count('good')}"
    return f"good {number}" if number % 2 == 0 else f"poor {number}"


def worth(text: str) -> float:
    """All but certain of a text without a poor step, and nothing of any other."""
    return 1e-7 if "poor" in text else 1 - 1e-7


class TheirModel(its_hub.AbstractLanguageModel):  # type: ignore[misc]  # its-hub has no types
    def __init__(self) -> None:
        self.prefixes: list[str] = []

    async def agenerate_single(self, messages: Any, **kwargs: Any) -> dict[str, str]:
        prefix = messages[1].content if len(messages) > 1 else ""
        self.prefixes.append(prefix)
        return {"role": "assistant", "content": next_step(prefix, len(self.prefixes) - 1)}

    async def agenerate(self, messages: Any, **kwargs: Any) -> Any:
        return [await self.agenerate_single(conversation) for conversation in messages]


class TheirWorth(its_hub.AbstractProcessRewardModel):  # type: ignore[misc]
    def score(self, prompt: str, texts: Sequence[str]) -> list[float]:
        return [worth(text) for text in texts]

    async def ascore(self, prompt: str, texts: Sequence[str], **kwargs: Any) -> list[float]:
        return self.score(prompt, texts)


@dataclass(frozen=True)
class OurWorth:
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        return Score(worth(candidate.text))


def our_prefixes(n: int, iterations: int) -> tuple[list[str], str | None]:
    prefixes: list[str] = []

    def script(request: Request) -> str:
        prefixes.append(request.prefix)
        return next_step(request.prefix, len(prefixes) - 1)

    strategy = ParticleGibbs(n, iterations, OurWorth())
    problem = Problem.ask("?", kind="number")
    result = anyio.run(lambda: run(strategy, problem, ScriptedEngine(script)))
    return prefixes, result.answer.text


@pytest.mark.parametrize(("n", "iterations"), [(2, 1), (5, 1), (4, 2), (3, 4)])
def test_particles_are_drawn_from_the_same_prefixes_and_choose_alike(
    n: int, iterations: int
) -> None:
    model = TheirModel()
    algorithm = theirs.ParticleGibbs(
        StepGeneration(max_steps=10, step_token="\n\n", stop_token="Answer:"),
        TheirWorth(),
        num_iterations=iterations,
    )
    reply = anyio.run(lambda: algorithm.ainfer(model, "?", n * iterations))
    prefixes, answer = our_prefixes(n, iterations)
    ours, expected = (
        Counter((text.count("good"), text.count("poor")) for text in texts)
        for texts in (prefixes, model.prefixes)
    )
    assert ours == expected
    assert len(prefixes) == 4 * (n + (iterations - 1) * (n - 1))
    assert reply["content"].endswith(f"Answer: {answer}")
