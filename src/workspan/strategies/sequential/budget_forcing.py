"""Budget forcing: one chain, kept thinking past its end or stopped before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.reading import candidate
from workspan.strategies.sequential.thinking import Thinking


@dataclass(frozen=True)
class BudgetForcing:
    """Think up to a cap, answer the first `waits` ends with "Wait", then force the answer.

    s1 (Muennighoff et al. 2025, arXiv:2501.19393): `thinking` is MAX_TOKENS_THINKING, `waits` is
    NUM_IGNORE. On a model with thinking tags `end_of_thinking` is the closing tag, "</think>"; a
    plain model ends its thinking where it would end its turn. Ghosal et al. (2025,
    arXiv:2506.04210): `waits` alone is "Wait & think more"; `minimum` answers every earlier end
    with "Wait" too, and at t = `thinking` gives exactly t tokens, unless a model adds nothing.
    """

    thinking: int = 512
    waits: int = 1
    minimum: int = 0
    nudge: str = "\nWait"
    end_of_thinking: str = ""
    final: str = "\nAnswer:"
    answer_tokens: int = 24
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="budget_forcing(thinking=120, waits=2)",
        source="arXiv:2501.19393",
        family="sequential",
        parameters={
            "thinking": "Tokens of thought, at most.",
            "waits": "Ends of the thought that are answered with the nudge.",
            "minimum": "Tokens of thought before which every end is.",
            "nudge": "What makes the model go on.",
            "end_of_thinking": "What closes the thought: </think>, or nothing on a plain model.",
            "final": "What asks for the answer.",
        },
        calls="waits + min(minimum, thinking) + 2",
        work="thinking + answer_tokens",
        span="thinking + answer_tokens",
        is_most=True,
        helps="Reasoning models that stop too early, and runs that must end at a given depth.",
        hurts='Models that were not trained to reason: they go in circles after "Wait".',
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, thinking=self.thinking, answer_tokens=self.answer_tokens)
        at_least(0, waits=self.waits, minimum=self.minimum, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Think, then answer; when the budget allows no forced answer, read the thought."""
        room = session.room()
        limit = self.thinking if room is None else min(self.thinking, room - self.answer_tokens)
        thinking = Thinking(
            limit=max(1, limit),
            temperature=self.temperature,
            waits=self.waits,
            nudge=self.nudge,
            minimum=self.minimum,
            end=self.end_of_thinking,
        )
        thought = await thinking.draw(problem, session)
        session.best(thought)
        forced = thought.text + self.end_of_thinking + self.final
        end = Request(problem.prompt, forced, self.answer_tokens, temperature=0.0, stop=("\n",))
        try:
            answer = candidate(problem, await session.sample(end), forced)
        except (BudgetExceeded, EngineError):
            answer = thought
        return await session.vote([answer], problem.kind)
