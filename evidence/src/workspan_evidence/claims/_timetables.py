"""Timetables planned by every strategy with a learnt proposer, once a process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import anyio
import numpy as np

from workspan.batch.compare import compare
from workspan.claims.base import Setting
from workspan.claims.measures import Floats, graded
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.strategies.evolutionary.mind_evolution import MindEvolution
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.strategies.sequential.sequential_revision import SequentialRevision
from workspan_evidence.families.planning import Timetable, passing, read_problem
from workspan_evidence.reasoner.engine import Reasoner
from workspan_evidence.reasoner.planner import Planner
from workspan_evidence.tasks.sets import FamilyTasks
from workspan_evidence.verifiers.timetable_check import TimetableCheck

FAMILY = Timetable(8, 14)
BUDGET = Budget(work=400)
"""Some seven plans."""
_CAP = 120
"""Tokens of a plan; a whole one takes 54."""


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
    held = FamilyTasks("timetable", FAMILY).load(problems, seed)
    known = (read_problem(task.problem.prompt[0].text) for task in held)
    ideal = float(np.mean([*map(passing, known)]))
    weights = "planning" if folder is None else str(folder / "planning.safetensors")
    engine = Planner(Reasoner.open(weights))

    async def run() -> dict[str, Floats]:
        done = await compare([*STRATEGIES.values()], held, engine, budget=BUDGET, seed=seed)
        return graded(done, [*STRATEGIES])

    return anyio.run(run), ideal
