"""Best-first search: always improve on the best answer that was not yet improved on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.order import BestFirst as Order
from workspan.strategies.hybrid.tries import Tries
from workspan.verifiers.judge import Judge


@dataclass(frozen=True)
class BestFirst:
    """Expand the open answer with the highest score (as Koh et al. 2024, arXiv:2407.01476).

    `children` is the branching factor b, `n` the budget c on answers (5 and 20 there, with states
    of a web agent as nodes). Children improve on their parent's whole answer with its verifier's
    feedback; the root's are drafts. Each node is expanded once; of equals the shallower goes first,
    then the older. An answer without a verdict is no node. Stops at score 1.
    """

    n: int = 16
    children: int = 4
    verifier: Verifier = field(default_factory=Judge)
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="best_first(n=4, children=2, max_tokens=120)",
        source="arXiv:2407.01476",
        family="hybrid",
        parameters={
            "n": "Answers, at most.",
            "children": "Answers that a node gets at once.",
        },
        calls="n * (1 + verifier.calls)",
        work="n * (max_tokens + verifier.work)",
        span="ceil(n / children) * (max_tokens + verifier.span)",
        is_most=True,
        helps="A verifier to be trusted: it goes straight for the best answer so far.",
        hurts="A noisy one: the search follows its mistakes and does not come back soon.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, children=self.children, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Take the best open node, draw and judge its children, open them."""
        request = Request((), max_tokens=self.max_tokens, temperature=self.temperature)
        tries = Tries(problem, session, self.verifier, request)
        root: Candidate | None = None
        search = Order(root)
        while tries.made < self.n and not tries.is_over:
            node = search.ask()
            width = min(session.branches(self.children), self.n - tries.made)
            for child in await tries.expand([search.tree.items[node]] * width):
                if child is not None and child.score is not None:
                    search.tell(node, child, child.score)
        return await tries.answer()
