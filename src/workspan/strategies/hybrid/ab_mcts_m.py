"""AB-MCTS-M: wider or deeper, chosen by a mixed model of all scores; an optional extra."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import ClassVar

from anyio.to_thread import run_sync

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.ab_mcts import Ask
from workspan.search.ab_mcts_m import MixedBranching
from workspan.strategies.hybrid.tries import Tries
from workspan.verifiers.judge import Judge


@dataclass(frozen=True)
class AbMctsM:
    """Grow a tree of answers by MCMC on a mixed model (AB-MCTS-M, arXiv:2503.04412), slowly.

    The tree is that of `ab_mcts`; where to grow it comes from the library treequest and takes
    seconds each time. The library takes no seed, so a new run with the same seed may grow another
    tree; where it grew is journaled, so a resumed or replayed run grows the same one.

    Raises:
        MissingDependency: before any spend, if the extra "search" is not installed.
    """

    n: int = 16
    batch: int = 4
    engines: tuple[str, ...] = ()
    verifier: Verifier = field(default_factory=Judge)
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="ab_mcts_m(n=2, batch=2, max_tokens=120)",
        source="arXiv:2503.04412",
        family="hybrid",
        parameters={
            "n": "Answers, at most.",
            "batch": "Answers drawn at once, 5 at most.",
        },
        calls="n * (1 + verifier.calls)",
        work="n * (max_tokens + verifier.work)",
        span="ceil(n / batch) * (max_tokens + verifier.span)",
        is_most=True,
        helps="As ab_mcts, with a mixed model of all branches; some tens of answers.",
        hurts="Time: where to grow takes seconds of processor each time.",
        extra="search",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, batch=self.batch, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)
        if self.batch > 5:
            raise ValueError(f"batch is {self.batch}: must be at most 5, or the tree goes flat")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Ask the model where to grow, draw and judge there, tell it the scores."""
        request = Request((), max_tokens=self.max_tokens, temperature=self.temperature)
        tries = Tries(problem, session, self.verifier, request)
        root: Candidate | None = None
        search = MixedBranching(root, self.engines or ("",))

        async def ask(width: str) -> str:
            return json.dumps([await run_sync(search.ask) for _ in range(int(width))])

        while tries.made < self.n and not tries.is_over:
            width = min(self.batch, self.n - tries.made)
            asks = [Ask(*one) for one in json.loads(await session.call(ask, str(width)))]
            parents = [search.tree.items[ask.node] for ask in asks]
            drawn = await tries.expand(parents, [ask.action for ask in asks])
            for at, child in zip(asks, drawn, strict=True):
                if child is not None and child.score is not None:
                    search.tell(at, child, child.score)
        return await tries.answer()
