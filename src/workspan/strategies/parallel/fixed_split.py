"""A fixed split of the budget: n chains of at most d tokens, each asked where it was cut."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request
from workspan.errors import at_least, first_error
from workspan.registry.card import Card
from workspan.strategies.adaptive.probed_chain import ProbedChain, grow


@dataclass(frozen=True)
class FixedSplit:
    """Vote among n chains cut at a depth of d tokens and asked for their answer there.

    The (d, n) table that adaptive rules are measured against (Snell et al. 2024, arXiv:2408.03314,
    spend a budget by such a table too). A chain that ended before d votes with its own answer; what
    a question costs is charged. A thinking model's `probe` must close its thought first.
    """

    n: int = 4
    depth: int = 1024
    probe: str = "\nAnswer:"
    probe_tokens: int = 24
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="fixed_split(n=3, depth=60)",
        source="arXiv:2408.03314",
        family="parallel",
        parameters={
            "n": "Chains that vote.",
            "depth": "Tokens at which each chain is cut and asked.",
            "probe": "What the cut chain is asked with.",
            "probe_tokens": "Tokens of its answer, at most.",
        },
        calls="2 * n",
        work="n * (depth + probe_tokens)",
        span="depth + probe_tokens",
        helps=(
            "A known depth at which chains have mostly answered; the table that adaptive rules "
            "are held against."
        ),
        hurts="Problems of very different length: one depth cuts some and waits for others.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, depth=self.depth, probe_tokens=self.probe_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Grow all chains at once; those that failed or did not fit have no vote."""
        block = Request(problem.prompt, "", self.depth, self.temperature)
        ask = Request(problem.prompt, self.probe, self.probe_tokens, 0.0, stop=("\n",))
        step = partial(grow, problem, block, ask)
        chains = await session.map(step, [ProbedChain()] * session.branches(self.n))
        errors = [chain.error for chain in chains if chain.error]
        if len(errors) == len(chains):
            raise first_error(errors)
        return await session.vote([chain.now for chain in chains], problem.kind)
