"""Debate: agents answer, read what the others answered, and answer again; the last answers vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Message, Problem, Prompt, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.asking import CUT, cycled, each
from workspan.strategies.listing import listing
from workspan.strategies.reading import candidate

OTHERS = (
    "Other agents answered the same task:\n\n{answers}\n\nTake their reasoning as advice, compare "
    "it with your own, and give your answer again in the form that the task asks for."
)
ALONE = "Check your answer once more, and give it again in the form that the task asks for."


@dataclass(frozen=True)
class Debate:
    """Let agents revise their answers in the light of the others', round after round.

    Du et al. (2023, arXiv:2305.14325): 3 agents and 2 rounds there, the first answers included, on
    one model or, with `engines`, on several in turn. As in the paper's code an agent keeps all that
    it read and said before, which is charged as prefill. Who fails in a round stays with its word.
    """

    agents: int = 3
    rounds: int = 2
    engines: tuple[str, ...] = ()
    max_tokens: int = 512
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="debate(agents=2, rounds=2, max_tokens=200)",
        source="arXiv:2305.14325",
        family="hybrid",
        parameters={
            "agents": "Who debate.",
            "rounds": "Answers of each, the first included.",
        },
        calls="agents * rounds",
        work="agents * rounds * max_tokens",
        span="rounds * max_tokens",
        helps="Several models, or one that is unsure: arguments turn wrong answers.",
        hurts="Agents of one model that all make the same mistake: they agree on it.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, agents=self.agents, rounds=self.rounds, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Answer once alone, then in view of each other while the budget lasts."""
        agents = session.branches(self.agents)
        names = cycled(self.engines, agents)
        prompts: list[Prompt] = [problem.prompt] * agents
        said: list[Candidate | None] = [None] * agents
        vote = Answer(None)
        for _ in range(self.rounds):
            prompts = [_heard(prompt, said, i) for i, prompt in enumerate(prompts)]
            turns = [
                Request(p, "", self.max_tokens, temperature=self.temperature, engine=name)
                for p, name in zip(prompts, names, strict=True)
            ]
            try:
                drawn = await each(session, turns)
            except (BudgetExceeded, EngineError):
                if not vote.candidates:
                    raise
                break
            said = [
                old if new is None or (old and new.finish in CUT) else candidate(problem, new)
                for old, new in zip(said, drawn, strict=True)
            ]
            vote = await session.vote([last for last in said if last], problem.kind)
            session.best(vote.best or vote.candidates[0])
        return vote


def _heard(prompt: Prompt, said: Sequence[Candidate | None], i: int) -> Prompt:
    """Go on with what agent i said and with what the others said to that."""
    own = said[i]
    if own is None:
        return prompt
    others = [other.text for j, other in enumerate(said) if other and j != i]
    reply = OTHERS.format(answers=listing(others, "Agent")) if others else ALONE
    return (*prompt, Message("assistant", own.text), Message("user", reply))
