"""The rule of a calibration: a number of chains, each to its end, asked after every block."""

from __future__ import annotations

from dataclasses import dataclass

from workspan.strategies.auto.policies.state import Decision, State


@dataclass(frozen=True, slots=True)
class Exhaustive:
    """Start all chains at once and let them end; decide nothing by what they say."""

    chains: int = 8
    block: int = 256

    def decide(self, state: State) -> Decision:
        """Start the chains, then deepen what is open while there is room for all."""
        live = tuple(i for i, chain in enumerate(state.chains) if not chain.ended)
        n = 0 if state.chains else self.chains
        room = [x for x in (state.span_left,) if x is not None]
        if state.work_left is not None:
            room.append(state.work_left // max(1, n + len(live)))
        block = min([self.block, *room])
        if not (n or live) or block <= 0:
            because = "the budget is spent" if live or n else "all chains have ended"
            return Decision("stop", why={"because": because})
        why = {"because": "every chain is let to its end"}
        return Decision("widen" if n else "deepen", live, n, block, why=why)
