"""PlanSearch: search over plans in words, built from combined observations, then answer each."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Problem, Request, Sample
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.asking import surviving
from workspan.strategies.listing import beside, items
from workspan.strategies.reading import candidate
from workspan.verifiers.answered import Answered

OBSERVE = "Do not solve this yet. List observations that may help, short, one a line:"
DERIVE = "Known so far:\n{known}\n\nList new observations that follow from these together:"
PLAN = "Known so far:\n{known}\n\nFrom this, write a plan for a solution in words, step by step."
SOLVE = "Plan:\n{plan}\n\nFollow the plan, and answer in the form that was asked for."


@dataclass(frozen=True)
class PlanSearch:
    """Observe, derive from pairs of observations, plan in words, solve: n plans side by side.

    Wang et al. (2024, arXiv:2409.03733): first-order observations, subsets of at most S = 2 of them
    (`subset`), second-order observations from each, a plan from both, its solution. The paper takes
    all subsets, plans once more against each plan, and goes by pseudo-code; here `n` random subsets
    give one plan each. The most common of the solutions that score best is taken: a plain vote,
    unless a verifier such as public_tests tells them apart.
    """

    n: int = 4
    observations: int = 4
    subset: int = 2
    verifier: Verifier = field(default_factory=Answered)
    note_tokens: int = 256
    """Of each list of observations and each plan."""
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="plan_search(n=2, note_tokens=50, max_tokens=200)",
        source="arXiv:2409.03733",
        family="hybrid",
        parameters={
            "n": "Plans, each with its solution.",
            "observations": "Items read of a list of observations, at most.",
            "subset": "Observations that a plan begins with, at most.",
        },
        calls="1 + n * (3 + verifier.calls)",
        work="note_tokens + n * (2 * note_tokens + max_tokens + verifier.work)",
        span="3 * note_tokens + max_tokens + verifier.span",
        helps=(
            "Programs, with tests to tell them apart: plans in words differ more than code drawn "
            "twice."
        ),
        hurts="Sums and short answers, which need no plan.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, observations=self.observations, subset=self.subset)
        at_least(1, note_tokens=self.note_tokens, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Observe once, then follow n subsets at once; those that fail are left out."""
        first = items((await self._ask(session, problem, OBSERVE)).text, self.observations)
        sizes = range(1, min(self.subset, len(first)) + 1)
        subsets = [c for size in sizes for c in combinations(first, size)] or [()]
        session.rng.shuffle(subsets)
        chosen = [subsets[i % len(subsets)] for i in range(session.branches(self.n))]

        async def follow(session: Session, known: tuple[str, ...]) -> Candidate:
            derive = DERIVE.format(known="\n".join(known))
            derived = items((await self._ask(session, problem, derive)).text, self.observations)
            plan = PLAN.format(known="\n".join((*known, *derived)))
            solve = SOLVE.format(plan=(await self._ask(session, problem, plan)).text)
            return candidate(problem, await self._ask(session, problem, solve, self.max_tokens))

        found = [c for c in await surviving(session, follow, chosen) if c]
        scored = await session.score(self.verifier, problem, found)
        top = max((c.score for c in scored if c.score is not None), default=None) or None
        if top is None and all(c.score is not None for c in scored):
            top = 0.0  # without any verdict, or only bad ones, those without one decide
        return await session.vote([c for c in scored if c.score == top], problem.kind)

    async def _ask(
        self, session: Session, problem: Problem, words: str, cap: int | None = None
    ) -> Sample:
        prompt = beside(problem.prompt, words)
        request = Request(prompt, max_tokens=cap or self.note_tokens, temperature=self.temperature)
        return await session.sample(request)
