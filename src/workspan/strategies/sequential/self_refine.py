"""Self-Refine: an author drafts, a critic says what is wrong, the author revises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Message, Problem, Prompt, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.reading import begin, candidate
from workspan.verifiers.critic import Critic

REFINE = (
    "A critic says of this solution:\n\n{feedback}\n\n"
    "Write the solution anew with what is wrong set right. Give all of it, with the final answer "
    "in the form that was asked for."
)


@dataclass(frozen=True)
class SelfRefine:
    """Draft, take feedback, revise, until the critic finds nothing wrong or `turns` are over.

    Madaan et al. (2023, arXiv:2303.17651), algorithm 1: y_t is judged alone (p_fb), and revised
    with all drafts and their feedback in sight (p_refine, equation 4); at most 4 turns there. The
    critic is the same model in a call of its own, or any verifier that gives reasons, without the
    paper's few-shot examples. A turn without feedback ends it; the last answer given is the answer.
    """

    turns: int = 4
    verifier: Verifier = field(default_factory=Critic)
    max_tokens: int = 512
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="self_refine(turns=2, verifier=critic(max_tokens=60), max_tokens=120)",
        source="arXiv:2303.17651",
        family="sequential",
        parameters={
            "turns": "Revisions after the draft, at most.",
        },
        calls="1 + turns * (1 + verifier.calls)",
        work="max_tokens + turns * (max_tokens + verifier.work)",
        span="max_tokens + turns * (max_tokens + verifier.span)",
        is_most=True,
        helps="Open texts and code whose faults can be named.",
        hurts="Arithmetic and the like, where a model does not see its own mistake.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, max_tokens=self.max_tokens)
        at_least(0, turns=self.turns, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Refine while there is something to mend and the budget lasts."""
        prompt = problem.prompt
        drafts = await begin(problem, session, self._request(prompt), 1)
        for _ in range(self.turns):
            if drafts[-1].answer is not None:
                session.best(drafts[-1])
            [drafts[-1]] = await session.score(self.verifier, problem, drafts[-1:])
            if drafts[-1].score in (None, 1.0):
                break
            refine = REFINE.format(feedback=drafts[-1].feedback)
            turns = (Message("assistant", drafts[-1].text), Message("user", refine))
            prompt = (*prompt, *turns)
            try:
                sample = await session.sample(self._request(prompt))
            except (BudgetExceeded, EngineError):
                break
            if sample.finish in ("budget", "deadline"):
                break  # half a revision does not stand in for a whole draft
            drafts.append(candidate(problem, sample))
        answered = [draft for draft in drafts if draft.answer is not None]
        return Answer(answered[-1] if answered else None, tuple(drafts))

    def _request(self, prompt: Prompt) -> Request:
        return Request(prompt, max_tokens=self.max_tokens, temperature=self.temperature)
