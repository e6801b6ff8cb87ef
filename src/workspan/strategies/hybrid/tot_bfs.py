"""Tree of thoughts, breadth first: level by level, the b best states go on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.order import keep_best
from workspan.strategies.hybrid.state_vote import elect
from workspan.strategies.hybrid.thoughts import Generate, Thinker
from workspan.verifiers.state_value import StateValue


@dataclass(frozen=True)
class TotBfs:
    """Search steps of a solution level by level (Tree of Thoughts, Yao et al. 2023, Algorithm 1).

    arXiv:2305.10601. `steps` is T, `breadth` b, `thoughts` k (Game of 24: T = 3, b = 5). States are
    evaluated by value, which is any verifier's score, or by `votes` that name the best of a level.
    A state without a verdict counts 0. Other than there, a complete state is set aside, and one of
    value 1 ends the search; without one the best state is completed, in tokens kept for that.
    """

    steps: int = 3
    breadth: int = 5
    thoughts: int = 5
    generate: Generate = "propose"
    evaluate: Literal["value", "vote"] = "value"
    votes: int = 5
    verifier: Verifier = field(default_factory=StateValue)
    max_tokens: int = 256
    answer_tokens: int = 256
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="tot_bfs(steps=2, breadth=2, thoughts=2, max_tokens=60, answer_tokens=90)",
        source="arXiv:2305.10601",
        family="hybrid",
        parameters={
            "steps": "Levels of the tree, at most.",
            "breadth": "States kept of each level.",
            "thoughts": "Children of a state.",
            "generate": "propose: one call lists the children; sample: a call for each.",
            "evaluate": "By the verifier's score, or by a vote across the states.",
            "votes": "Votes of a level, where it votes.",
        },
        calls=(
            "(1 + (steps - 1) * breadth) * ((1 if generate == 'propose' else thoughts) + "
            "(thoughts * verifier.calls if evaluate == 'value' else 0)) + (0 if evaluate == "
            "'value' else steps * votes) + 1"
        ),
        work=(
            "(1 + (steps - 1) * breadth) * ((1 if generate == 'propose' else thoughts) * "
            "max_tokens + (thoughts * verifier.work if evaluate == 'value' else 0)) + (0 if "
            "evaluate == 'value' else steps * votes * max_tokens) + answer_tokens"
        ),
        span=(
            "steps * (max_tokens + (verifier.span if evaluate == 'value' else max_tokens)) + "
            "answer_tokens"
        ),
        is_most=True,
        helps="Puzzles whose partial solutions can be judged, such as the game of 24.",
        hurts="Problems without states: a proof or a program is not judged by its first lines.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, steps=self.steps, breadth=self.breadth, thoughts=self.thoughts)
        at_least(1, votes=self.votes, max_tokens=self.max_tokens, answer_tokens=self.answer_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Grow, evaluate, keep the b best; then answer from the best."""
        request = Request((), max_tokens=self.max_tokens, temperature=self.temperature)
        thinker = Thinker(problem, request, self.answer_tokens, self.generate, self.thoughts)
        states, ends = [Candidate("", None)], list[Candidate]()
        with session.child(session.left().all_but(self.answer_tokens)) as search:
            for _ in range(self.steps):
                grown = await self._evaluate(
                    search, problem, await thinker.children(search, states)
                )
                if not grown:
                    break
                kept = [grown[i] for i in keep_best([c.score or 0 for c in grown], self.breadth)]
                ends += [state for state in kept if state.answer is not None]
                states = [state for state in kept if state.answer is None]
                if leader := (await session.leader(ends, problem.kind)).best:
                    session.best(leader)
                passed = self.evaluate == "value" and any((c.score or 0) >= 1 for c in ends)
                if passed or not states:
                    break
        if not ends:
            ends = [await thinker.finish(session, states[0])]
        chosen = await session.leader(ends, problem.kind)
        return chosen if chosen.best else await session.vote(ends, problem.kind)

    async def _evaluate(
        self, session: Session, problem: Problem, states: list[Candidate]
    ) -> list[Candidate]:
        if self.evaluate == "value":
            return await session.score(self.verifier, problem, states)
        shares = await elect(session, problem, states, self.votes, self.max_tokens)
        return [replace(state, score=s) for state, s in zip(states, shares, strict=True)]
