"""Rules of `auto` where the model is known: do as a plan says, or try what a schedule says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from workspan.strategies.auto.fit.replayed import worth
from workspan.strategies.auto.policies.cold import passing
from workspan.strategies.auto.policies.evidence import Evidence
from workspan.strategies.auto.policies.plan import Plan
from workspan.strategies.auto.policies.schedule import Try, next_try
from workspan.strategies.auto.policies.state import NONE, UNLIMITED, Action, Decision, State
from workspan.strategies.auto.policies.support import Support


class Arm(NamedTuple):
    """What the profile says of the arm of a plan."""

    right: float
    """Share of its problems that it answered rightly."""
    work: float
    """Tokens, mean."""
    least: float
    """Tokens of its cheapest run: with less left it isn't begun."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Do what a plan says."""

    plan: Plan
    evidence: Evidence | Support
    gain: float = 0.0
    """Rise of P(right) by one more chain, as `Evaluation` has it."""
    floor: float = 0.0
    """Abstain below it."""
    reserve: int = 0
    """Tokens kept for a probe at each chain, where a limit nears."""
    arm: Arm | None = None
    probe_tokens: int = 0
    """Tokens of a probe, at most: a race leaves so much of its span unused."""

    def decide(self, state: State) -> Decision:
        """Choose what to do next."""
        if (passed := passing(state)) is not None:
            return passed
        if self.arm and state.tried and state.tried[-1].group != NONE:
            answer = state.tried[-1].group
            return self._end(state, answer, self.arm.right, "the arm has answered", 0.0)
        leader, belief = self.evidence.read(state.chains)
        shape, n = self.plan.shape, 0
        open_ = [i for i, x in enumerate(state.chains) if not x.ended and x.depth < shape.cap_of(i)]
        gain, cost, more = self._outlook(state, belief, len(open_))
        if state.chains and more < self.plan.least:
            because = "a further chain is worth too little a token"
            return self._end(state, leader, belief, because, gain)
        if not open_:
            most = self.plan.chains or len(state.tried)  # one chain where an arm alone has failed
            n = min(shape.more if state.chains else shape.width, most - len(state.chains))
        if shape.joins is not None and state.chains:
            n = max(0, min(shape.joins, self.plan.chains - len(state.chains)))
        if not open_ and n <= 0:
            return self._end(state, leader, belief, "chains as many as were planned", gain)
        open_, n, block = self._afford(state, open_, n)
        if block <= 0:
            return self._end(state, leader, belief, "the budget is spent", gain)
        why: dict[str, float | str] = {"cap": shape.cap, "worth": round(more, 4)}
        if self.plan.least >= 0:
            why["least"] = round(self.plan.least, 4)
        action: Action = "widen" if n else "deepen"
        return Decision(action, (*open_,), n, block, leader, belief, gain, cost, why)

    def _outlook(self, state: State, belief: float, n_open: int) -> tuple[float, float, float]:
        """Return the expected rise of P(right) by a further chain, its tokens, and its worth."""
        if not state.chains:
            return self.gain, self.evidence.scale, float("inf")
        depth = sum(chain.depth for chain in state.chains) / len(state.chains)
        rested = len(state.chains) - n_open
        rise = self.gain * (1 - belief) / (rested + 0.5)
        more = float(worth(belief, rested, depth, self.evidence.scale))
        return rise, max(depth, self.evidence.scale / 4), more

    def _afford(self, state: State, open_: list[int], n: int) -> tuple[list[int], int, int]:
        """Cut the block to what is left; name fewer chains where there is too little for all."""
        shape, is_race = self.plan.shape, self.plan.is_race
        new = range(len(state.chains), len(state.chains) + n)
        rooms = [shape.cap_of(i) - state.chains[i].depth for i in open_] + [*map(shape.cap_of, new)]
        block = min(shape.block, *rooms)
        if state.span_left is not None:
            block = min(block, state.span_left - (self.probe_tokens if is_race else self.reserve))
        if state.work_left is None:
            return open_, n, block
        each = state.work_left // len(rooms) - self.reserve
        if each < block and is_race and open_ and n:  # at the end nobody joins
            n, each = 0, state.work_left // len(open_) - self.reserve
        if each < block and n > 1 and not is_race:  # fewer of the planned depth, not many short
            n = max(1, min(n, state.work_left // (max(rooms) + self.reserve)))
            each = state.work_left // (len(open_) + n) - self.reserve
        return open_, n, min(block, each)

    def _end(self, state: State, leader: int, belief: float, because: str, gain: float) -> Decision:
        """Let an arm go on if one was planned for such a doubt, and there is room for it."""
        room = state.room
        is_open = self.arm and not state.tried and belief < self.plan.below
        if self.arm and is_open and (room is None or room >= self.arm.least):
            why = {"because": because, "then": "an arm is worth more"}
            block = UNLIMITED if state.work_left is None else state.work_left
            worth = (self.arm.right - belief, self.arm.work)
            return Decision("switch", (), 0, block, leader, belief, *worth, why, self.plan.arm)
        action: Action = "abstain" if leader == NONE or belief < self.floor else "stop"
        return Decision(action, (), 0, 0, leader, belief, gain, why={"because": because})


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Try one after another until a verifier passes one; the schedule begins again at its end."""

    tries: tuple[Try, ...]
    evidence: Evidence
    """Tells who leads where nothing has passed."""
    floor: float = 0.0

    def decide(self, state: State) -> Decision:
        """Choose what to do next."""
        if (passed := passing(state)) is not None:
            return passed
        leader, belief = self.evidence.read(state.chains)
        if leader == NONE and state.tried:
            leader = state.tried[-1].group
        chosen = next_try(self.tries, state)
        room = state.room
        if chosen is None or room == 0:
            action: Action = "abstain" if leader == NONE or belief < self.floor else "stop"
            return Decision(action, leader=leader, confidence=belief, why={"because": "no budget"})
        tokens, arm, chain, gain, cost = chosen
        tokens -= 0 if chain == NONE else state.chains[chain].depth
        tokens = tokens if room is None else min(tokens, room)
        why = {"because": "most passes a token, of what no try has solved"}
        told = (tokens, leader, belief, gain, cost, why)
        if arm != NONE:
            return Decision("switch", (), 0, *told, arm)
        if chain != NONE:
            return Decision("deepen", (chain,), 0, *told)
        return Decision("widen", (), 1, *told)
