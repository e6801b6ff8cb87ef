"""Plans evolved, revised and sampled at matched work, each comparison run once a process."""

from __future__ import annotations

from functools import lru_cache

import anyio

from workspan.budget import Budget
from workspan.claims.base import Measured, Row, Setting
from workspan.claims.chains import Floats, gap, graded, row
from workspan.lab.compare import compare
from workspan.spec import parse_strategy
from workspan.tasks import open_tasks
from workspan.testing.simulated_planner import SimulatedPlanner

TASK = "trip_planning(cities=6)"
FOLLOWS = 0.5
"""Share of the evaluator's messages that the simulated planner acts on."""
BUDGET = Budget.parse("2k work")
CAP = 200
ON = "real strategies, evaluator and accounts; the planner is simulated, no model"
STRATEGIES = {
    "best of n": f"best_of_n(n=400, verifier=plan_check, max_tokens={CAP})",
    "revision": f"sequential_revision(threads=4, turns=80, verifier=plan_check, max_tokens={CAP})",
    "evolution": f"mind_evolution(verifier=plan_check, max_tokens={CAP})",
    "one island": (
        f"mind_evolution(verifier=plan_check, islands=1, conversations=20, max_tokens={CAP})"
    ),
    "scores only": f"mind_evolution(verifier=plan_check, feedback=False, max_tokens={CAP})",
}
DESIGN = (
    f"{TASK}, at most {BUDGET} a problem for each: best of n, four threads of revision, Mind "
    f"Evolution on islands, on one, and without the evaluator's words. The planner follows "
    f"{FOLLOWS:.0%} of the messages."
)


def against(rival: str, setting: Setting) -> Measured:
    """Return how far evolution is ahead of a rival; all strategies stand beside it."""
    problems = setting.size(100, 300)
    solved = _solved(problems, setting.seed)
    rows: list[Row] = [row(name, grades) for name, grades in solved.items()]
    return Measured(*gap(solved["evolution"], solved[rival]), problems, tuple(rows))


@lru_cache
def _solved(problems: int, seed: int) -> dict[str, Floats]:
    tasks = open_tasks(TASK).load(problems, seed=seed + 1)
    engine = SimulatedPlanner.of([each.problem for each in tasks], follows=FOLLOWS)
    strategies = [parse_strategy(text) for text in STRATEGIES.values()]

    async def run() -> dict[str, Floats]:
        done = await compare(strategies, tasks, engine, budget=BUDGET, seed=seed)
        return graded(done, [*STRATEGIES])

    return anyio.run(run)
