"""What competes in a replay: something that may learn on some problems, and runs on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.lab.replay.cells import Cells
from workspan.lab.replay.folds import Split


@dataclass(frozen=True, slots=True)
class Fitted:
    """What runs on the problems held out."""

    strategy: Strategy
    budget: Budget
    """Of each run."""


class Contender(Protocol):
    """Something that spends a budget; may learn from other problems first."""

    @property
    def name(self) -> str:
        """As the user wrote it."""
        ...

    @property
    def is_pooled(self) -> bool:
        """The budget is a mean over the problems instead of a limit on each."""
        ...

    def fit(self, split: Split, budget: Budget, tables: Mapping[str, Cells]) -> Fitted:
        """Learn from the training part of `split` what to run on the part held out.

        Args:
            split: of the part held out only label-free sizes may be used.
            budget: of one problem.
            tables: the width × depth table of each recording, by its name; training rows only.
        """
        ...
