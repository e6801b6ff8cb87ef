"""Plan check: a program that judges a plan by the problem's own constraints and says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import InputError, VerifierError
from workspan.registry.card import Card


@dataclass(frozen=True)
class PlanCheck:
    """Evaluate a plan and name each violated constraint (Lee et al. 2025, arXiv:2501.09891).

    The constraints stand in ``problem.metadata["plan"]``: see `workspan.planning`. The score is 1
    exactly for a solution and 0 exactly where no plan can be read; the reason is the feedback.
    """

    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="plan_check",
        source="arXiv:2501.09891",
        calls="0",
        work="0",
        span="0",
        needs="a planning problem, such as of trip_planning",
        helps="Plans: it says which constraint is broken.",
        hurts="Nothing else: other problems have no verdict.",
    )

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:  # noqa: ARG002
        """Judge the whole text of a candidate; costs no call.

        Raises:
            VerifierError: the problem holds no instance of a planning form.
        """
        from workspan.planning import read

        try:
            instance = read(problem.metadata)
        except InputError as error:
            raise VerifierError(f"problem {problem.id}: {error}") from error
        evaluation = instance.evaluate(candidate.text)
        return Score(evaluation.score, evaluation.feedback)
