"""Timetable check: a program that names the clashes which a plan violates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.session import Score
from workspan.data.types import Candidate, Problem
from workspan.errors import InputError
from workspan.registry.card import Card
from workspan.verifiers.program import Program, free


@dataclass(frozen=True)
class TimetableCheck(Program):
    """Judge a timetable in the reasoner's grammar by its problem's own clashes.

    The score is the share of clashes that are kept apart, 1 exactly for a solution and 0 where no
    whole plan can be read; the reason names the others, as an evaluator's feedback (Lee et al.
    2025, arXiv:2501.09891).
    """

    card: ClassVar[Card] = free(
        "timetable_check",
        source="arXiv:2501.09891",
        needs="a problem of the task set timetable",
        helps="The reasoner's timetables: it names each clash.",
    )

    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Judge the whole text of a candidate."""
        return judged(problem, candidate.text)


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
