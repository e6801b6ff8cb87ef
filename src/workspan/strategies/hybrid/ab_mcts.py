"""AB-MCTS-A: wider or deeper, chosen at each node by what its scores have been."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.ab_mcts import AdaptiveBranching
from workspan.search.posterior import Family, prior
from workspan.strategies.hybrid.tries import Tries
from workspan.verifiers.judge import Judge


@dataclass(frozen=True)
class AbMcts:
    """Grow a tree of answers, wider or deeper by Thompson sampling (AB-MCTS-A, arXiv:2503.04412).

    Wider: a new child of a node, which is a draft at the root and elsewhere one more improvement on
    the node's answer with its verifier's feedback. Deeper: the same from one of its children. `n`
    is the number of answers (the paper's budget, 128 there). `batch` asks at once do not see one
    another (the library advises at most 5; 1 is the sequential algorithm). Several `engines` are
    the actions of Multi-LLM AB-MCTS. An answer without a verdict is no node. Stops at score 1.
    """

    n: int = 16
    family: Family = "gaussian"
    batch: int = 4
    engines: tuple[str, ...] = ()
    verifier: Verifier = field(default_factory=Judge)
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="ab_mcts(n=4, batch=2, max_tokens=120)",
        source="arXiv:2503.04412",
        family="hybrid",
        parameters={
            "n": "Answers, at most.",
            "family": "Of the beliefs about scores.",
            "batch": "Answers drawn at once, 5 at most.",
        },
        calls="n * (1 + verifier.calls)",
        work="n * (max_tokens + verifier.work)",
        span="ceil(n / batch) * (max_tokens + verifier.span)",
        is_most=True,
        helps=(
            "A verifier with reasons and a problem where it is not known whether new tries or "
            "revisions pay."
        ),
        hurts="Verifiers that give the same score to all: the tree has nothing to go by.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, batch=self.batch, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)
        if self.batch > 5:
            raise ValueError(f"batch is {self.batch}: must be at most 5, or the tree goes flat")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Ask the beliefs where to grow, draw and judge there, tell them the scores."""
        request = Request((), max_tokens=self.max_tokens, temperature=self.temperature)
        tries = Tries(problem, session, self.verifier, request)
        root: Candidate | None = None
        search = AdaptiveBranching(root, prior(self.family), self.engines or ("",))
        while tries.made < self.n and not tries.is_over:
            width = min(self.batch, self.n - tries.made)
            asks = [search.ask(session.rng) for _ in range(width)]
            parents = [search.tree.items[ask.node] for ask in asks]
            drawn = await tries.expand(parents, [ask.action for ask in asks])
            for ask, child in zip(asks, drawn, strict=True):
                if child is not None and child.score is not None:
                    search.tell(ask, child, child.score)
        return await tries.answer()
