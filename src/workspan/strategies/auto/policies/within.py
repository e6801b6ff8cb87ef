"""A share of a common budget, as a rule sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workspan.strategies.auto.policies.state import Decision, Policy, State


@dataclass(frozen=True, slots=True)
class Within:
    """Let a rule decide as if no more than `work` tokens were for this run."""

    rule: Policy
    work: int

    def decide(self, state: State) -> Decision:
        """Choose what to do next."""
        left = max(0, self.work - state.work)
        known = state.work_left
        return self.rule.decide(
            replace(state, work_left=left if known is None else min(left, known))
        )
