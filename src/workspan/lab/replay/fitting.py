"""`auto` in a replay: its profile is the training part, and its price fits the budget there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workspan.data.budget import Budget
from workspan.lab.calibrating import calibrate
from workspan.lab.replay.fitted import Fitted, Known
from workspan.lab.replay.folds import Split
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.evaluation import Evaluation, Evaluations
from workspan.strategies.auto.profile import known as profile_at

AUTO = "auto"
AUTO_HARD = "auto_hard"
"""The same with the budget as a limit on each run."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """Learn finish times, votes and the price from the training part; a profile given is used."""

    name: str
    strategy: Auto
    written: frozenset[str]
    """The arguments that the user wrote."""
    is_pooled: bool = True

    def fit(self, split: Split, budget: Budget, known: Known) -> Fitted:
        """Make the rule for this budget; chains run to their recorded end unless told."""
        strategy = self.strategy
        if "max_tokens" not in self.written:
            strategy = replace(strategy, max_tokens=split.held.longest)
        if "n" not in self.written:
            strategy = replace(strategy, n=max(map(len, split.held.chains.values())))
        limits = replace(budget, work=None) if self.is_pooled else budget
        evaluation = self._evaluate(split, limits, known)
        if evaluation is None:
            return Fitted(strategy, budget)
        rule = strategy.planned_rule(evaluation, budget)
        return Fitted(replace(strategy, profile="", fitted=rule), limits)

    def _evaluate(self, split: Split, limits: Budget, known: Known) -> Evaluation | None:
        """Evaluate plans on the training part, once for all budgets."""
        given, parts, evaluations = self.strategy.profile, split.training, known.evaluations
        if not (given or parts):
            return None
        key = given or tuple(f"{one.name} {item.id}" for one in parts for item in one.problems)
        if key not in evaluations:
            evaluations.clear()
            evaluations[key] = Evaluations.of(profile_at(given) or calibrate(parts))
        return evaluations[key].within(limits.work or float("inf"))
