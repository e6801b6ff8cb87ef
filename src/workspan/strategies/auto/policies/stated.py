"""Answers at a stated risk: whole lines, voted on in their order until a rule answers or gives up.

The votes are those of the first lines that have all ended: a line that is open, or was cut by the
budget, ends the row, so that no vote is counted for having come early. Nothing else of a run is
looked at, and every line is let to its end: what is certified is the vote of lines drawn alike.
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
    """Draw line after line until the stated risk holds. A `Policy`."""

    delta: float
    """Of a false certificate."""
    n: int
    """Lines, at most."""
    threshold: float | None = None
    """Of agreement, as a calibration has certified it; None is a certificate of the mode."""
    width: int = 1
    """Lines that are drawn at once."""
    hopeless: float = 0.02
    """Chance of an answer below which it gives up."""

    def decide(self, state: State) -> Decision:
        """Choose what to do next."""
        votes = self._votes()
        leader = NONE
        verdict = "draw"
        for line in takewhile(lambda line: line.ended, state.lines):
            votes.vote(line.group)
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
        """Let open lines end, then draw more; give up where that is hopeless or not paid for."""
        live = tuple(i for i, line in enumerate(state.lines) if not line.ended)
        room = UNLIMITED if state.room is None else state.room
        n = 0 if live else min(self.width, self.n - len(state.lines))
        each = room // max(1, len(live) + n)
        if is_hopeless:
            why = {"because": "a certificate is hardly to be had any more"}
        elif not live and n <= 0:
            why = {"because": "lines as many as there may be"}
        elif not each:
            why = {"because": "the budget is spent"}
        else:
            why = {"because": "nothing is certified yet"}
            action: Action = "deepen" if live else "widen"
            return Decision(action, live, n, each, leader, why=why)
        return Decision("abstain", leader=leader, why=why)
