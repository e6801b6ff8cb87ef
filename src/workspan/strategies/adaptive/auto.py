"""The system decides: widen, deepen, stop or abstain, by what the next token is worth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from workspan.allocate.explaining import explain
from workspan.allocate.state import Decision, Policy, State
from workspan.card import Card
from workspan.engines.base import Capability
from workspan.errors import at_least, within
from workspan.session import Session, Strategy, Verifier
from workspan.strategies.adaptive.auto_answers import candidates, leading
from workspan.strategies.adaptive.auto_arms import check_arms, switch
from workspan.strategies.adaptive.auto_fits import check_library, model_of
from workspan.strategies.adaptive.auto_start import open_lines, rule_for
from workspan.types import Answer, Problem


@dataclass(frozen=True)
class Auto:
    """Split the budget between breadth, depth and other strategies as each problem shows its need.

    Chains grow in blocks where the engine can continue a text, and are asked for their answer after
    each; else whole chains are drawn. What to buy next is decided by a rule that knows a `library`
    (see `workspan calibrate`) of this model, or of the one named by `of`, or nothing but the run
    itself. `price` is the probability that a thousand tokens must be worth; `prefers` what is dear.
    `arms` are other strategies that may have the rest of the budget, such as revision, evolution or
    retrieval: as a library says, or, judged by a verifier, in turn with restarts.
    """

    arms: tuple[Strategy, ...] = ()
    n: int = 64
    confidence: float = 0.95
    floor: float = 0.0
    price: float = 0.0
    prefers: Literal["work", "span"] = "work"
    verifier: Verifier | None = None
    library: str = ""
    of: str = ""
    probe: str = "\nAnswer:"
    probe_tokens: int = 24
    max_tokens: int = 32_768
    temperature: float = 0.7
    fitted: Policy | None = field(default=None, repr=False)
    """The rule itself, from who has fitted one."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="auto(n=4, max_tokens=80, probe_tokens=8)",
        source="this package",
        family="adaptive",
        parameters={
            "arms": "Other strategies that may have the rest of the budget.",
            "n": "Chains, at most.",
            "confidence": "In the leader at which it stops, without a library.",
            "floor": "Confidence below which it abstains.",
            "prefers": "What is dear: work, or span.",
            "library": "A file of `workspan calibrate`.",
            "of": "The model whose library this is, where it is another's.",
            "probe": "What a chain is asked with.",
            "probe_tokens": "Tokens of its answer, at most.",
        },
        is_most=True,
        helps=(
            "Budgets for many problems of different kinds; best with a library of `workspan "
            "calibrate`."
        ),
        hurts=(
            "One problem and a small budget, without a library: it learns on what it should spend."
        ),
    )
    check = check_library

    def __post_init__(self) -> None:
        """Refuse values out of range, and a library that can't be read."""
        at_least(1, n=self.n, probe_tokens=self.probe_tokens, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature, price=self.price)
        within(0, 1, confidence=self.confidence, floor=self.floor)
        check_arms(self)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Do as the rule says until it stops, or nothing more can be bought."""
        lines = open_lines(self, problem, session)
        state, is_growing = lines.state(session), True
        rule = self.fitted or rule_for(self, state)
        taken: list[tuple[State, Decision]] = []
        while True:
            decision = rule.decide(state if is_growing else replace(state, work_left=0))
            if (now := leading(lines, decision.leader)) not in (None, session.standing.best):
                session.best(now)
            taken.append((state, decision))
            if decision.action in ("stop", "abstain") or not is_growing:
                break
            if decision.action == "switch":
                await switch(self.arms[decision.arm], decision, lines, session)
            else:
                is_growing = await lines.step(decision, session)
            state = lines.state(session)
        vote = await session.vote(candidates(lines), problem.kind)
        best = None if decision.action == "abstain" and self.floor else now or vote.best
        why = explain(taken, state, lines.groups.answers, model_of(self.library))
        return replace(vote, best=best, why=why)
