"""What the operator stated about trajectories."""

from __future__ import annotations

from dataclasses import dataclass, field

from workspan.data.budget import Budget
from workspan.serve.trajectories.named import limits_of


@dataclass(frozen=True, slots=True)
class TrajectoryRules:
    """The same for all of them.

    Raises:
        InputError: the budget limits what several requests can't share.
    """

    budget: Budget = field(default_factory=Budget)
    """The most that one trajectory may spend, whatever it wishes."""
    by_prefix: bool = False
    """Requests that name none are of one, too: found by what they go on from."""

    def __post_init__(self) -> None:
        """Check the budget."""
        limits_of(self.budget)
