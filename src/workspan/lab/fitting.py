"""`auto` in a replay: its library is the training part, and its price fits the budget there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workspan.allocate.library import Library
from workspan.budget import Budget
from workspan.lab.calibrating import calibrate
from workspan.lab.cells import Cells
from workspan.lab.fitted import Fitted
from workspan.lab.folds import Split
from workspan.strategies.adaptive.auto import Auto
from workspan.strategies.adaptive.auto_start import known, rule_for

AUTO = "auto"
AUTO_HARD = "auto_hard"
"""The same with the budget as a limit on each run."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """Learn finish times, votes and the price from the training part; a library given is used."""

    name: str
    strategy: Auto
    written: frozenset[str]
    """The arguments that the user wrote."""
    is_pooled: bool = True
    libraries: dict[tuple[str, ...], Library] = field(default_factory=dict, compare=False)

    def fit(self, split: Split, budget: Budget, tables: Mapping[str, Cells]) -> Fitted:  # noqa: ARG002
        """Make the rule for this budget; chains run to their recorded end unless told."""
        strategy = self.strategy
        if "max_tokens" not in self.written:
            strategy = replace(strategy, max_tokens=split.held.longest)
        rule = rule_for(strategy, self._library(split), budget, is_judged=False)
        return Fitted(replace(strategy, library="", fitted=rule), budget)

    def _library(self, split: Split) -> Library | None:
        """Calibrate on the training part, once for all budgets."""
        if self.strategy.library:
            return known(self.strategy.library)
        if not split.training:
            return None
        key = tuple(
            f"{one.name} {problem.id}" for one in split.training for problem in one.problems
        )
        if key not in self.libraries:
            self.libraries[key] = calibrate(split.training)
        return self.libraries[key]
