"""MCTS over whole answers: a fixed number of children a node, the next leaf by UCT."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.uct import Uct
from workspan.strategies.hybrid.tries import Tries
from workspan.verifiers.judge import Judge


@dataclass(frozen=True)
class Mcts:
    """Search answers and their improvements by UCT (Kocsis & Szepesvári 2006), as MCTSr does.

    Nodes are whole answers, as in MCT Self-Refine (Zhang et al. 2024, arXiv:2406.07394), not steps:
    the root's children are drafts, a node's children improve on it with its verifier's feedback. A
    leaf gets `children` at once (k); the verifier's score is the value, without a rollout, and is
    added to all nodes above (mean backup; MCTSr averages a node's value with its best child's).
    `c` is the exploration weight. An answer without a verdict is no node. Stops at score 1.
    """

    n: int = 16
    children: int = 4
    c: float = sqrt(2)
    verifier: Verifier = field(default_factory=Judge)
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="mcts(n=4, children=2, max_tokens=120)",
        source="arXiv:2406.07394",
        family="hybrid",
        parameters={
            "n": "Answers, at most.",
            "children": "Answers that a leaf gets at once.",
            "c": "Weight of exploration.",
        },
        calls="n * (1 + verifier.calls)",
        work="n * (max_tokens + verifier.work)",
        span="ceil(n / children) * (max_tokens + verifier.span)",
        is_most=True,
        helps="Answers that improve step by step, with scores that tell how far they are.",
        hurts="Scores of 0 and 1 alone: until one passes the tree grows at random.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, children=self.children, max_tokens=self.max_tokens)
        at_least(0, c=self.c, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Select a leaf, expand it, judge its children, back their scores up."""
        request = Request((), max_tokens=self.max_tokens, temperature=self.temperature)
        tries = Tries(problem, session, self.verifier, request)
        root: Candidate | None = None
        search = Uct(root, self.c)
        while tries.made < self.n and not tries.is_over:
            leaf = search.ask()
            width = min(session.branches(self.children), self.n - tries.made)
            for child in await tries.expand([search.tree.items[leaf]] * width):
                if child is not None and child.score is not None:
                    search.tell(leaf, child, child.score)
        return await tries.answer()
