"""Process rewards: a reward model behind an engine of its own scores each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar, Literal, TypeAlias

import msgspec

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Message, Problem, Request
from workspan.errors import VerifierError
from workspan.registry.card import Card

Aggregate: TypeAlias = Literal["last", "min", "product", "mean"]

AGGREGATES: Mapping[Aggregate, Callable[[Sequence[float]], float]] = {
    "last": lambda scores: scores[-1],
    "min": min,
    "product": math.prod,
    "mean": fmean,
}
"""From the scores of all steps to one: "min" and "product" as in Lightman et al. (2023,
arXiv:2305.20050), "last" as in Snell et al. (2024, arXiv:2408.03314)."""


@dataclass(frozen=True)
class ProcessReward:
    """Aggregate the step scores of a process reward model (Lightman et al. 2023).

    The model is the run's further engine `engine`, such as the one of ``reward:http://HOST``: it is
    sent the conversation with the partial solution, and replies with a JSON list of scores in
    [0, 1]. Its reading is on the account as prefill; it decodes nothing.
    """

    engine: str = "prm"
    aggregate: Aggregate = "last"
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="process_reward",
        source="arXiv:2305.20050",
        parameters={
            "aggregate": "Of the steps' scores: the last, the lowest, their product or mean.",
        },
        calls="1",
        work="0",
        span="0",
        needs="a reward model as a further engine: -e prm=reward:http://HOST",
        helps="Searches of steps, in the reward model's own field.",
        hurts="Texts unlike those that it was trained on.",
    )

    def __post_init__(self) -> None:
        """Refuse an aggregate that is not known."""
        if self.aggregate not in AGGREGATES:
            raise ValueError(f"aggregate is {self.aggregate!r}: one of {', '.join(AGGREGATES)}")

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Score one partial or whole solution in one call.

        Raises:
            VerifierError: the engine's reply is no list of scores.
        """
        prompt = (*problem.prompt, Message("assistant", candidate.text))
        reply = await session.sample(
            Request(prompt, max_tokens=1, temperature=0.0, engine=self.engine)
        )
        scores = step_scores(reply.text)
        return Score(AGGREGATES[self.aggregate](scores), reply.text)


def step_scores(text: str) -> list[float]:
    """Read a JSON list of scores.

    Raises:
        VerifierError: it is something else, empty, or beyond [0, 1].
    """
    try:
        scores = msgspec.json.decode(text, type=list[float])
    except msgspec.DecodeError as error:
        raise VerifierError(f"no list of step scores: {text[:80]!r}") from error
    if not scores or not all(0 <= score <= 1 for score in scores):
        raise VerifierError(f"step scores lie in [0, 1], not {text[:80]!r}")
    return scores
