"""Timetables for strategies that plan: tasks, an evaluator, and a learnt proposer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import ClassVar

import anyio
import numpy as np

from workspan.budget import Budget
from workspan.claims.base import Setting
from workspan.claims.chains import Floats
from workspan.engines.base import Capability
from workspan.errors import InputError
from workspan.graders.base import NO_ANSWER, Grade
from workspan.lab.compare import compare
from workspan.reasoner.engine import Reasoner
from workspan.reasoner.families.planning import Timetable, passing, read_plan, read_problem
from workspan.reasoner.grammar import encode
from workspan.reasoner.planner import Planner
from workspan.session import Score, Session, Strategy
from workspan.strategies.evolutionary.mind_evolution import MindEvolution
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.strategies.sequential.sequential_revision import SequentialRevision
from workspan.tasks.base import Task
from workspan.types import Candidate, Message, Problem

FAMILY = Timetable(8, 14)
BUDGET = Budget(work=400)
"""Some seven plans."""
_CAP = 120
"""Tokens of a plan; a whole one takes 54."""


@dataclass(frozen=True)
class TimetableCheck:
    """Judge a plan by the problem's clashes and name those that it violates."""

    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:  # noqa: ARG002
        """Score the share of clashes that are kept; 0 where no plan can be read."""
        return judged(problem, candidate.text)


@dataclass(frozen=True)
class TimetableGrader:
    """A plan is right that violates no clash."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer."""
        if answer is None:
            return NO_ANSWER
        score = judged(task.problem, answer)
        return Grade(float(score.value == 1), score.reason)


def judged(problem: Problem, text: str) -> Score:
    """Evaluate a chain of the reasoner's grammar as a plan."""
    instance = read_problem(problem.prompt[0].content)
    try:
        plan = read_plan(instance, encode(text))
    except InputError:  # a symbol of another language
        plan = None
    if plan is None:
        return Score(0.0, "no whole plan can be read")
    names = [f"clash n{instance.items[u]} n{instance.items[v]}" for u, v in instance.violated(plan)]
    kept = 1 - len(names) / len(instance.clashes)
    return Score(kept, "; ".join(names) or "nothing is violated")


def tasks(problems: int, seed: int) -> tuple[list[Task], float]:
    """Make problems, and say how often a first plan of the ideal strategy passes, on the mean."""
    made, shares = [], []
    for i in range(problems):
        instance = FAMILY.problem(Random(f"{FAMILY} {seed} {i}"))
        problem = Problem(f"timetable/{seed}/{i}", (Message("user", instance.text),), "open")
        made.append(Task(problem, "", TimetableGrader()))
        shares.append(passing(instance))
    return made, float(np.mean(shares))


STRATEGIES: dict[str, Strategy] = {
    "one plan": BestOfN(1, TimetableCheck(), max_tokens=_CAP, temperature=1.0),
    "best of n": BestOfN(32, TimetableCheck(), max_tokens=_CAP, temperature=1.0),
    "revision": SequentialRevision(1, 32, TimetableCheck(), max_tokens=_CAP, temperature=1.0),
    "evolution": MindEvolution(
        TimetableCheck(), islands=1, conversations=3, turns=2, model_reset=False, max_tokens=_CAP
    ),
}


def solved(setting: Setting) -> tuple[dict[str, Floats], float]:
    """Return what each strategy solves at matched work; beside it the ideal of a first plan."""
    return _solved(setting.size(150, 500), setting.seed, setting.weights)


@lru_cache
def _solved(problems: int, seed: int, folder: Path | None) -> tuple[dict[str, Floats], float]:
    held, ideal = tasks(problems, seed)
    weights = "planning" if folder is None else str(folder / "planning.safetensors")
    engine = Planner(Reasoner.open(weights))

    async def run() -> dict[str, Floats]:
        done = await compare([*STRATEGIES.values()], held, engine, budget=BUDGET, seed=seed)
        return {
            name: np.array([t.grade.correct if t.grade else 0.0 for t in done.of(written)])
            for name, written in zip(STRATEGIES, done.strategies, strict=True)
        }

    return anyio.run(run), ideal
