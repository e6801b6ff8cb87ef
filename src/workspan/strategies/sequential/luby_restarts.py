"""Universal restarts: chains begun anew under caps that follow Luby's sequence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least, first_error
from workspan.registry.card import Card
from workspan.search.luby import luby
from workspan.strategies.reading import candidate
from workspan.verifiers.answered import Answered


@dataclass(frozen=True)
class LubyRestarts:
    """Drop a chain that has not answered within `unit` x t_i tokens and begin the next.

    t = 1, 1, 2, 1, 1, 2, 4, … (Luby, Sinclair and Zuckerman 1993): without knowing how long chains
    of this problem are, within a logarithmic factor of the best fixed cap in expectation. The first
    answer that the verifier passes (score 1) ends it; by default any answer does. If none passes
    in `restarts` chains, the highest score counts.
    """

    unit: int = 64
    restarts: int = 31
    verifier: Verifier = field(default_factory=Answered)
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="luby_restarts(unit=30, restarts=5)",
        source="doi:10.1016/0020-0190(93)90029-9",
        family="sequential",
        parameters={
            "unit": "Tokens of the shortest chain.",
            "restarts": "Chains, at most.",
        },
        calls="restarts * (1 + verifier.calls)",
        work="unit * (restarts + 1) / 2 * ceil(log2(restarts + 1)) + restarts * verifier.work",
        span="unit * (restarts + 1) / 2 * ceil(log2(restarts + 1)) + restarts * verifier.span",
        is_most=True,
        helps=(
            "Chains whose length varies without measure, and a verifier that passes only what is "
            "right."
        ),
        hurts="No verifier: the first answer given ends it, right or wrong.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, unit=self.unit, restarts=self.restarts)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Run one chain after another; a failed one is a chain that has not answered."""
        chains: list[Candidate] = []
        errors: list[BudgetExceeded | EngineError] = []
        for i in range(1, self.restarts + 1):
            cap = self.unit * luby(i)
            request = Request(problem.prompt, max_tokens=cap, temperature=self.temperature)
            try:
                chain = candidate(problem, await session.sample(request))
            except EngineError as error:
                errors.append(error)
                continue
            except BudgetExceeded as error:
                errors.append(error)
                break
            if chain.answer is not None:
                [chain] = await session.score(self.verifier, problem, [chain])
            chains.append(chain)
            answer = await session.leader(chains, problem.kind)
            if answer.best is not None:
                session.best(answer.best)
                if answer.best.score == 1.0:
                    return answer
        if not chains:
            raise first_error(errors)
        answer = await session.leader(chains, problem.kind)
        return answer if answer.best is not None else await session.vote(chains, problem.kind)
