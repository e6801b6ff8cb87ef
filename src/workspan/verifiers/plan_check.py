"""Plan check: a program that judges a plan by the problem's own constraints and says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.session import Score
from workspan.data.types import Candidate, Problem
from workspan.registry.card import Card
from workspan.verifiers.program import Program, free


@dataclass(frozen=True)
class PlanCheck(Program):
    """Evaluate a plan and name each violated constraint (Lee et al. 2025, arXiv:2501.09891).

    The constraints stand in ``problem.plan``: see `workspan.planning`. The score is 1
    exactly for a solution and 0 exactly where no plan can be read; the reason is the feedback.
    """

    card: ClassVar[Card] = free(
        "plan_check",
        source="arXiv:2501.09891",
        needs="a planning problem, such as of trip_planning",
        helps="Plans: it says which constraint is broken.",
    )

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Judge the whole text of a candidate."""
        from workspan.planning import read

        evaluation = read(problem.plan).evaluate(candidate.text)
        return Score(evaluation.score, evaluation.feedback)
