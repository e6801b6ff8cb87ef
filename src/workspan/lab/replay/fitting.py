"""`auto` in a replay: its library is the training part, and its price fits the budget there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workspan.data.budget import Budget
from workspan.lab.calibrating import calibrate
from workspan.lab.replay.cells import Cells
from workspan.lab.replay.fitted import Fitted
from workspan.lab.replay.folds import Split
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.study import Studies, Study
from workspan.strategies.auto.library import known

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
    studies: dict[object, Studies] = field(default_factory=dict, compare=False)

    def fit(self, split: Split, budget: Budget, tables: Mapping[str, Cells]) -> Fitted:  # noqa: ARG002
        """Make the rule for this budget; chains run to their recorded end unless told."""
        strategy = self.strategy
        if "max_tokens" not in self.written:
            strategy = replace(strategy, max_tokens=split.held.longest)
        if "n" not in self.written:
            strategy = replace(strategy, n=max(map(len, split.held.chains.values())))
        limits = replace(budget, work=None) if self.is_pooled else budget
        study = self._study(split, limits)
        if study is None:
            return Fitted(strategy, budget)
        rule = strategy.planned_rule(study, budget)
        return Fitted(replace(strategy, library="", fitted=rule), limits)

    def _study(self, split: Split, limits: Budget) -> Study | None:
        """Study the training part, once for all budgets."""
        given, parts = self.strategy.library, split.training
        names = tuple(f"{one.name} {item.id}" for one in parts for item in one.problems)
        if not (given or parts):
            return None
        key = given or names
        if key not in self.studies:
            self.studies.clear()  # it is large
            self.studies[key] = Studies.of(known(given) or calibrate(parts))
        return self.studies[key].within(limits.work or float("inf"))
