"""The system decides: widen, deepen, stop or abstain, by what the next token is worth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import msgspec

from workspan.allocate.explaining import explain
from workspan.allocate.groups import Groups
from workspan.allocate.state import Decision, Policy, State
from workspan.engines.base import Capability
from workspan.errors import at_least, within
from workspan.session import Session, Verifier
from workspan.strategies.adaptive.auto_lines import Lines
from workspan.strategies.adaptive.auto_rule import rule_for
from workspan.types import Answer, Problem, Request
from workspan.verifiers.judge import Judge
from workspan.voting import plurality


@dataclass(frozen=True)
class Auto:
    """Split the budget between breadth and depth as each problem shows its need.

    Chains grow in blocks where the engine can continue a text, and are asked for their answer after
    each; else whole chains are drawn.
    """

    n: int = 64
    confidence: float = 0.95
    floor: float = 0.0
    prefers: Literal["work", "span"] = "work"
    verifier: Verifier | None = None
    library: str = ""
    probe: str = "\nAnswer:"
    probe_tokens: int = 24
    max_tokens: int = 32_768
    temperature: float = 0.7
    fitted: Policy | None = field(default=None, repr=False)
    """The rule itself, for a laboratory that has fitted one."""
    requires: ClassVar[frozenset[Capability]] = frozenset()

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, probe_tokens=self.probe_tokens, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)
        within(0, 1, confidence=self.confidence, floor=self.floor)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Do as the rule says until it stops, or nothing more can be bought."""
        lines = self._lines(problem, session)
        rule = self.fitted or rule_for(self, is_judged=lines.verifier is not None)
        taken: list[tuple[State, Decision]] = []
        is_growing = True
        while True:
            state = lines.state(session)
            decision = rule.decide(state if is_growing else replace(state, work_left=0))
            if (now := lines.leading(decision.leader)) not in (None, session.standing.best):
                session.best(now)
            if decision.action in ("stop", "abstain") or not is_growing:
                break
            taken.append((state, decision))
            is_growing = await lines.step(decision, session)
        why = explain([*taken, (state, decision)], state, lines.groups.answers)
        vote = plurality([chain.now for chain in lines.chains], problem.kind)
        best = None if decision.action == "abstain" else now or vote.best
        return replace(vote, best=best, why=msgspec.json.encode(why).decode())

    def _lines(self, problem: Problem, session: Session) -> Lines:
        """Open the lines; an answer that is a whole text, or a program, is not asked for early."""
        verifier = self.verifier or (Judge() if problem.kind == "open" else None)
        logprobs = verifier is not None and "logprobs" in verifier.requires
        whole = Request(problem.prompt, "", self.max_tokens, self.temperature, logprobs=logprobs)
        can = "continue" in session.engine.capabilities
        ask = Request(problem.prompt, self.probe, self.probe_tokens, 0.0, stop=("\n",))
        is_asked = can and problem.kind not in ("open", "code")
        groups = Groups(problem.kind)
        return Lines(problem, whole, ask if is_asked else None, not can, verifier, self.n, groups)
