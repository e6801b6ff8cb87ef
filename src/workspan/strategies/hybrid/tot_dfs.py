"""Tree of thoughts, depth first: the best child next, dead ends pruned, then back up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.search.order import DepthFirst
from workspan.strategies.hybrid.thoughts import Generate, Thinker
from workspan.verifiers.state_value import StateValue


@dataclass(frozen=True)
class TotDfs:
    """Search steps of a solution depth first (Tree of Thoughts, Yao et al. 2023, Algorithm 2).

    arXiv:2305.10601. `steps` is T, `thoughts` k, `threshold` v_th: children below it are pruned (at
    the default, those that no reply of three calls likely); one without a verdict goes last. At
    most `nodes` states are visited (the crosswords' 100). A state T deep is completed in one call;
    a complete state of value 1 ends the search. Without any, the best of the deepest is completed.
    """

    steps: int = 5
    thoughts: int = 3
    nodes: int = 20
    threshold: float = 0.01
    generate: Generate = "propose"
    verifier: Verifier = field(default_factory=StateValue)
    max_tokens: int = 256
    answer_tokens: int = 256
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="tot_dfs(steps=2, thoughts=2, nodes=3, max_tokens=60, answer_tokens=90)",
        source="arXiv:2305.10601",
        family="hybrid",
        parameters={
            "steps": "Depth at which a state is completed.",
            "thoughts": "Children of a state.",
            "nodes": "States visited, at most.",
            "threshold": "Score below which a state is pruned.",
            "generate": "propose: one call lists the children; sample: a call for each.",
        },
        calls=(
            "nodes * ((1 if generate == 'propose' else thoughts) + thoughts * verifier.calls) + 1"
        ),
        work=(
            "nodes * (max((1 if generate == 'propose' else thoughts) * max_tokens, answer_tokens) "
            "+ thoughts * verifier.work) + answer_tokens"
        ),
        span="nodes * (max(max_tokens, answer_tokens) + verifier.span) + answer_tokens",
        is_most=True,
        helps="Puzzles of many small steps whose dead ends show early, such as crosswords.",
        hurts="Verdicts that prune what was right: it is not visited again.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, steps=self.steps, thoughts=self.thoughts, nodes=self.nodes)
        at_least(1, max_tokens=self.max_tokens, answer_tokens=self.answer_tokens)
        at_least(0, threshold=self.threshold, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Walk the tree; answer with the best complete state that was met."""
        request = Request((), "", self.max_tokens, self.temperature)
        thinker = Thinker(problem, request, self.answer_tokens, self.generate, self.thoughts)
        tree, ends = DepthFirst(Candidate("", None), self.threshold), list[Candidate]()
        with session.child(session.left().all_but(self.answer_tokens)) as search:
            for _ in range(self.nodes):
                node = tree.ask()
                if node is None or any((end.score or 0) >= 1 for end in ends):
                    break
                grown = await self._visit(search, thinker, tree, node)
                ends += [state for state in grown if state.answer is not None]
                tree.tell(node, [(s, s.score) for s in grown if s.answer is None])
                if leader := (await session.leader(ends, problem.kind)).best:
                    session.best(leader)
        if not ends:
            ends = [await thinker.finish(session, tree.deepest())]
        chosen = await session.leader(ends, problem.kind)
        return chosen if chosen.best else await session.vote(ends, problem.kind)

    async def _visit(
        self, session: Session, thinker: Thinker, tree: DepthFirst[Candidate], node: int
    ) -> list[Candidate]:
        """Grow and value a state's children, or complete it where it is T deep."""
        state = tree.tree.items[node]
        if tree.tree.depths[node] < self.steps:
            grown = await thinker.children(session, [state])
        else:
            try:
                end = await thinker.finish(session, state)
            except (BudgetExceeded, EngineError):
                return []
            grown = [end] if end.answer is not None else []
        return await session.score(self.verifier, thinker.problem, grown)
