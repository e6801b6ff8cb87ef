"""What competes in a replay: something that may learn on some problems, and runs on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.lab.replay.folds import Split
from workspan.lab.replay.grid import Grid

if TYPE_CHECKING:
    from workspan.lab.replay.episodes import Chains
    from workspan.strategies.auto.fit.evaluation import Evaluations


@dataclass(frozen=True, slots=True)
class Fitted:
    """What runs on the problems held out."""

    strategy: Strategy
    budget: Budget
    """Of each run."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is worked out once for all methods and budgets."""

    tables: Mapping[str, Grid] = field(default_factory=dict)
    """The width × depth table of each recording, by its name; only training rows may be read."""
    evaluations: dict[object, Evaluations] = field(default_factory=dict)
    """Of the part that was trained on last: they are large."""
    chains: dict[str, Chains | None] = field(default_factory=dict)
    """The part held out as arrays, by the recording's name; None where it can't be laid out."""


class Method(Protocol):
    """Something that spends a budget; may learn from other problems first."""

    @property
    def name(self) -> str:
        """As the user wrote it."""
        ...

    @property
    def is_pooled(self) -> bool:
        """The budget is a mean over the problems instead of a limit on each."""
        ...

    def fit(self, split: Split, budget: Budget, known: Known) -> Fitted:
        """Learn from the training part of `split` what to run on the part held out.

        Args:
            split: of the part held out only label-free sizes may be used.
            budget: of one problem.
            known: what others have worked out of the same split.
        """
        ...
