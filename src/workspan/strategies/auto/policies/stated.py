"""Answers at a stated risk: whole chains, voted on in their order until a rule answers or gives up.

The votes are those of the first chains that have all ended: a chain that is open, or was cut by the
budget, ends the row, so that no vote is counted for having come early. Nothing else of a run is
looked at, and every chain is let to its end: what is certified is the vote of chains drawn alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from workspan.search.stated_votes import AgreementVotes, ModeVotes, StatedVotes
from workspan.strategies.auto.policies.state import NONE, UNLIMITED, Action, Decision, State

CERTIFIED = "certified"
"""Why it stopped, in the explanation."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Draw chain after chain until the stated risk holds. A `Policy`."""

    delta: float
    """Of a false certificate."""
    n: int
    """Chains, at most."""
    threshold: float | None = None
    """Of agreement, as a calibration has certified it; None is a certificate of the mode."""
    width: int = 1
    """Chains that are drawn at once."""
    hopeless: float = 0.02
    """Chance of an answer below which it gives up."""

    def decide(self, state: State) -> Decision:
        """Choose what to do next."""
        votes = self._votes()
        leader = NONE
        verdict = "draw"
        for chain in takewhile(lambda chain: chain.ended, state.chains):
            votes.vote(chain.group)
            leader, verdict = votes.leader, votes.verdict
            if verdict != "draw":
                break
        if verdict == "answer":
            why = {"because": CERTIFIED}
            return Decision("stop", leader=leader, confidence=1 - self.delta, why=why)
        return self._more(state, leader, is_hopeless=verdict == "abstain")

    def _votes(self) -> StatedVotes:
        if self.threshold is None:
            return ModeVotes(self.delta, self.n, self.hopeless)
        return AgreementVotes(self.threshold, self.n, self.hopeless)

    def _more(self, state: State, leader: int, *, is_hopeless: bool) -> Decision:
        """Let open chains end, then draw more; give up where that is hopeless or not paid for."""
        live = tuple(i for i, chain in enumerate(state.chains) if not chain.ended)
        room = UNLIMITED if state.room is None else state.room
        n = 0 if live else min(self.width, self.n - len(state.chains))
        each = room // max(1, len(live) + n)
        if is_hopeless:
            why = {"because": "a certificate is hardly to be had any more"}
        elif not live and n <= 0:
            why = {"because": "chains as many as there may be"}
        elif not each:
            why = {"because": "the budget is spent"}
        else:
            why = {"because": "nothing is certified yet"}
            action: Action = "deepen" if live else "widen"
            return Decision(action, live, n, each, leader, why=why)
        return Decision("abstain", leader=leader, why=why)
