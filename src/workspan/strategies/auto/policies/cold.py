"""Allocation without knowledge of the model: votes until they agree, universal restarts if judged.

With a sound verifier the caps follow the sequence of Luby, Sinclair and Zuckerman (1993), which is
within a logarithmic factor of the best restart for any distribution of lengths. Arms, other
strategies that may do better, have their first try after four chains, with as much work as these
had, and each further one with twice as much, once the chains have had that. So the tries of an arm
take at most twice the work of the chains, and what passes within w has had its try by their 2 w.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from workspan.search.luby import luby
from workspan.search.stopping import beta_confidence
from workspan.strategies.auto.policies.state import NONE, UNLIMITED, Chain, Decision, State

FIRST = 4
"""Chains before the first try of an arm."""
PASS = 1.0
"""The score of an answer that a verifier holds for right."""


@dataclass(frozen=True, slots=True)
class Cold:
    """Let chains end, and double their number until their votes agree."""

    confidence: float = 0.95
    """Stop when the leader is the plurality with this probability."""
    floor: float = 0.0
    """Abstain below it."""
    block: int = 512
    is_judged: bool = False
    """A sound verifier scores the chains that end."""
    width: int = 1
    """Chains at the start: more take less time and more work."""
    arms: int = 0
    """Other strategies that can be switched to, where a verifier judges."""

    def decide(self, state: State) -> Decision:
        """Choose what to do next."""
        votes = Counter(
            chain.group for chain in state.chains if chain.ended and chain.group != NONE
        )
        if not votes:
            votes = Counter(chain.group for chain in state.chains if chain.group != NONE)
        votes.update(one.group for one in state.tried if one.group != NONE)
        if (passed := passing(state)) is not None:
            return passed
        leader, confidence = _lead(votes)
        block = self._block(state)
        live = [i for i, chain in enumerate(state.chains) if not chain.ended]
        if self.is_judged and block:
            return self._restart(state, live, leader, block)
        if live and block:
            block = min(block, _each(state, len(live)))
            if block:
                why = {"because": "chains that are open may end"}
                return Decision("deepen", (*live,), 0, block, leader, confidence, why=why)
        if confidence < self.confidence and block:
            n = self._more(state)
            block = min(block, _each(state, n))
            if n and block:
                why = {"because": "votes do not agree yet"}
                return Decision("widen", (), n, block, leader, confidence, why=why)
        agrees = leader != NONE and confidence >= self.confidence
        why = {"because": "votes agree" if agrees else "the budget is spent"}
        if leader == NONE or confidence < self.floor:
            return Decision("abstain", leader=leader, confidence=confidence, why=why)
        return Decision("stop", leader=leader, confidence=confidence, why=why)

    def _restart(self, state: State, live: Sequence[int], leader: int, block: int) -> Decision:
        """Give chain i a depth of t_i blocks, one chain after the other."""
        if (arm := self._due(state)) != NONE:
            size = min(_size(state, arm), UNLIMITED if state.work_left is None else state.work_left)
            told = {"because": "chains have had as much without a pass"}
            return Decision("switch", (), 0, size, leader, 0.0, cost=size, why=told, arm=arm)
        why = {"because": "universal restarts until a pass"}
        for i in live:
            cap = self.block * luby(i + 1)
            if state.chains[i].depth < cap:
                block = min(block, cap - state.chains[i].depth)
                return Decision("deepen", (i,), 0, block, leader, 0.0, why=why)
        return Decision("widen", (), 1, block, leader, 0.0, why=why)

    def _due(self, state: State) -> int:
        """Return the arm whose next try chains have paid for."""
        had = sum(map(_cost, state.chains))
        due = (arm for arm in range(self.arms) if had >= _size(state, arm))
        return next(due, NONE) if len(state.chains) >= FIRST else NONE

    def _block(self, state: State) -> int:
        return self.block if state.room is None else min(self.block, state.room)

    def _more(self, state: State) -> int:
        """Double, as far as whole chains fit; one more where it would get half of its way."""
        n = max(self.width, len(state.chains))
        if state.work_left is None or not state.chains:
            return n
        whole = fmean(_cost(chain) for chain in state.chains)
        return min(n, round(state.work_left / max(1.0, whole)))


def passing(state: State) -> Decision | None:
    """Stop at the first pass; None without one."""
    ends = [(one.group, one.score) for one in state.chains]
    ends += [(one.group, one.score) for one in state.tried]
    passed = [group for group, score in ends if (score or 0) >= PASS]
    if not passed:
        return None
    return Decision("stop", leader=passed[0], confidence=1.0, why={"because": "a pass"})


def _size(state: State, arm: int) -> int:
    """Return the tokens of the next try of an arm; the first chains are whole by then, or cut."""
    tries = sum(one.arm == arm for one in state.tried)
    return sum(map(_cost, state.chains[:FIRST])) << tries


def _cost(chain: Chain) -> int:
    return chain.depth + chain.cost_of_probes


def _each(state: State, n: int) -> int:
    """Return what is left for each of n chains."""
    return 1 << 30 if state.work_left is None else state.work_left // max(1, n)


def _lead(votes: Counter[int]) -> tuple[int, float]:
    """Return the leader and the probability that it is the plurality."""
    if not votes:
        return NONE, 0.0
    (leader, first), (_, second) = [*votes.most_common(2), (NONE, 0)][:2]
    return leader, beta_confidence(first, second)
