"""When whole samples are drawn and voted on: is one more worth its price?

What is known of a state, (samples, votes of the leader, votes of the runner-up), is what the
shuffled samples of other problems came to from there: see `vote_induction`. A vote that hardly
settles, or whose winner is hardly right, is followed only as far as a sample tells more than it
costs. At no price at all it is followed until nothing can overtake the leader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

from workspan.strategies.auto.policies.state import NONE, UNLIMITED, Decision, State
from workspan.strategies.auto.policies.weigher import PLAIN, Weigher

_EXACT = 24
"""Samples from which on counts are told apart in steps of two; of twice as many, of three."""
_MOST = 4096


class Outlook(NamedTuple):
    """What is known of a state of the vote."""

    belief: float
    """What the leader is worth: P(right), or where no label was known P(elected in the end)."""
    gain: float
    """Expected rise of it by going on as long as that is worth the price; may be below 0."""
    more: float
    """Expected cost of that, in typical samples."""


def kind_of(n: int, first: Any, second: Any) -> Any:
    """Return which votes are alike after n samples: a whole number, or an array of them."""
    step = 1 + n // _EXACT
    return first // step * _MOST + second // step


@dataclass(frozen=True, slots=True)
class VoteRule:
    """Draw one sample after another until none is worth its price. A `Policy`."""

    price: float
    """What a typical sample must bring; at 0 all are drawn that might matter."""
    typical: float
    """Tokens of a typical sample. Those of a problem whose own are longer must bring more."""
    start: Outlook
    """Before the first sample."""
    table: tuple[Mapping[int, Outlook], ...]
    """After 1, 2, … samples: the outlook of each kind of vote."""
    leads: tuple[Sequence[Outlook], ...]
    """The same by the leader's lead alone, for votes that never came up."""
    floor: float = 0.0
    """Abstain below it."""
    weigher: Weigher = PLAIN
    """What votes count by the length of their samples."""

    def outlook(self, n: int, first: int, second: int) -> Outlook:
        """Return what is known after n samples, `first` and `second` of them for the leaders."""
        if not n:
            return self.start
        n = min(n, len(self.table))
        leads = self.leads[n - 1]
        found = self.table[n - 1].get(kind_of(n, first, second))
        return found or leads[min(first - second, len(leads) - 1)]

    def decide(self, state: State) -> Decision:
        """Choose what to do next; chains that are open are let end first."""
        said = ((chain.group, chain.depth) for chain in state.chains if chain.ended)
        leader, first, second = self.weigher.tally(said)
        n = len(state.chains)
        now = self.outlook(n, first, second)
        belief = now.belief if leader != NONE else 0.0
        told: dict[str, float | str] = {"leader": first, "second": second, "samples": n}
        room = UNLIMITED if state.room is None else state.room
        live = tuple(i for i, chain in enumerate(state.chains) if not chain.ended)
        if live and room >= len(live):
            block = room // len(live)
            return Decision("deepen", live, 0, block, leader, belief, why=told)
        tokens = [chain.depth + chain.cost_of_probes for chain in state.chains]
        each = relative_cost(sum(tokens), n, self.typical)
        is_worth = self._is_worth(n, first - second, now, each)
        if is_worth and room > 0 and room >= (fmean(tokens) if tokens else 0):
            cost = now.more * each * self.typical
            return Decision("widen", (), 1, room, leader, belief, max(0.0, now.gain), cost, told)
        told["because"] = "the budget is spent" if is_worth else "no sample is worth its price"
        ends = leader == NONE or belief < self.floor
        return Decision("abstain" if ends else "stop", leader=leader, confidence=belief, why=told)

    def _is_worth(self, n: int, lead: int, now: Outlook, each: float) -> bool:
        if n == 0 or lead > self.weigher.reach(len(self.table) - n) or n >= len(self.table):
            return n == 0
        return self.price == 0 or now.gain > self.price * now.more * each


def relative_cost(tokens: Any, n: int, typical: float) -> Any:
    """Return what a sample of this problem costs, in typical ones, by its n so far and one more."""
    return (tokens + typical) / (n + 1) / typical
