"""Parallel-Distill-Refine: rounds of drafts side by side, joined by a short workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Prompt, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.reading import candidate, read

DISTIL = (
    "Attempts at this problem:\n\n{drafts}\n\nDo not solve it anew. Note for a next attempt: "
    "what they agree on, where they contradict each other, sound and mistaken steps, what is open."
)
REFINE = (
    "Notes from earlier attempts, which may be mistaken:\n\n{workspace}\n\n"
    "Use what is sound in them, and solve the problem in full in the form that was asked for."
)


@dataclass(frozen=True)
class PDR:
    """Draft M times at once, distil the drafts to a bounded workspace, draft from it, refine.

    PDR (2025, arXiv:2510.01123): `drafts` is M, `rounds` those before the last, single refinement,
    `workspace` bounds the summary passed on. M = 1 passes on the draft: sequential refinement.
    """

    drafts: int = 4
    rounds: int = 2
    workspace: int = 256
    max_tokens: int = 512
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="pdr(drafts=2, rounds=1, workspace=60, max_tokens=120)",
        source="arXiv:2510.01123",
        family="hybrid",
        parameters={
            "drafts": "Drafts of a round.",
            "rounds": "Rounds before the last refinement.",
            "workspace": "Tokens of the summary, at most.",
        },
        calls="rounds * (drafts + (1 if drafts > 1 else 0)) + 1",
        work="rounds * (drafts * max_tokens + (workspace if drafts > 1 else 0)) + max_tokens",
        span="rounds * (max_tokens + (workspace if drafts > 1 else 0)) + max_tokens",
        helps="Long answers: what many drafts found is kept in a summary that the context holds.",
        hurts="Short answers, where the summary is longer than what it sums up.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, drafts=self.drafts, rounds=self.rounds, max_tokens=self.max_tokens)
        at_least(1, workspace=self.workspace)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Go round after round; where the budget ends them, the last drafts vote."""
        drafts: list[Candidate] = []
        request = self._ask(problem.prompt, self.max_tokens)
        try:
            for _ in range(self.rounds):
                drafts = read(problem, await session.samples(request, self.drafts))
                if voted := (await session.vote(drafts, problem.kind)).best:
                    session.best(voted)
                workspace = await self._distil(problem, session, drafts)
                notes = _beside(problem, REFINE.format(workspace=workspace))
                request = self._ask(notes, self.max_tokens)
            refined = candidate(problem, await session.sample(request))
        except (BudgetExceeded, EngineError):
            if not drafts:
                raise
            return await session.vote(drafts, problem.kind)
        return await session.vote([refined] if refined.answer is not None else drafts, problem.kind)

    async def _distil(self, problem: Problem, session: Session, drafts: Sequence[Candidate]) -> str:
        if len(drafts) == 1:
            return drafts[0].text
        texts = "\n\n".join(f"Attempt {i}:\n{draft.text}" for i, draft in enumerate(drafts, 1))
        prompt = _beside(problem, DISTIL.format(drafts=texts))
        return (await session.sample(self._ask(prompt, self.workspace))).text

    def _ask(self, prompt: Prompt, max_tokens: int) -> Request:
        return Request(prompt, max_tokens=max_tokens, temperature=self.temperature)


def _beside(problem: Problem, text: str) -> Prompt:
    """Return the problem's prompt with `text` at the end of its last turn."""
    *before, last = problem.prompt
    return (*before, last.plus(f"\n\n{text}"))
