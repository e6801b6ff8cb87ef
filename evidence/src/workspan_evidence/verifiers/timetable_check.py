"""Timetable check: a program that names the clashes which a plan violates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import InputError, VerifierError
from workspan.registry.card import Card


@dataclass(frozen=True)
class TimetableCheck:
    """Judge a timetable in the reasoner's grammar by its problem's own clashes.

    The score is the share of clashes that are kept apart, 1 exactly for a solution and 0 where no
    whole plan can be read; the reason names the others, as an evaluator's feedback (Lee et al.
    2025, arXiv:2501.09891).
    """

    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="timetable_check",
        source="arXiv:2501.09891",
        calls="0",
        work="0",
        span="0",
        needs="a problem of the task set timetable",
        helps="The reasoner's timetables: it names each clash.",
        hurts="Nothing else: other problems have no verdict.",
    )

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:  # noqa: ARG002
        """Judge the whole text of a candidate; costs no call.

        Raises:
            VerifierError: the problem is no timetable.
        """
        try:
            return judged(problem, candidate.text)
        except InputError as error:
            raise VerifierError(f"problem {problem.id}: {error}") from error


def judged(problem: Problem, text: str) -> Score:
    """Evaluate a plan.

    Raises:
        InputError: the problem is no timetable.
    """
    from workspan_evidence.families.planning import read_plan, read_problem
    from workspan_evidence.grammar import encode

    instance = read_problem(problem.prompt[0].text)
    try:
        plan = read_plan(instance, encode(text))
    except InputError:  # a symbol of another language
        plan = None
    if plan is None:
        return Score(0.0, "no whole plan can be read")
    names = [f"clash n{instance.items[u]} n{instance.items[v]}" for u, v in instance.violated(plan)]
    kept = 1 - len(names) / len(instance.clashes)
    return Score(kept, "; ".join(names) or "nothing is violated")
