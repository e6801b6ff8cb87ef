"""Plans evolved, revised and sampled at matched work, each comparison run once a process."""

from __future__ import annotations

from contextlib import aclosing
from functools import lru_cache

import anyio

from workspan.batch.compare import compare
from workspan.claims.base import Measured, Row, Setting
from workspan.claims.measures import Floats, gap, graded, row
from workspan.data.budget import Budget
from workspan.spec import parse_strategy
from workspan.tasks import open_tasks

TASK = "trip_planning(cities=6)"
FOLLOWS = 0.5
"""Share of the evaluator's messages that the simulated planner acts on."""
PLANNER = "simulated_planner(task={task!r}, limit={limit}, seed={seed}, follows={follows})"
"""Of workspan-evidence: no model, where none is stated."""
WORK, CAP = 2000, 200
"""Tokens of a problem and of a plan; a simulated plan is nothing but the plan."""
SPOKEN = 4
"""Times as many for a model of --engine, which thinks before it plans."""
ON = (
    "real strategies, evaluator and accounts; the planner is simulated, no model, or the model of "
    "--engine"
)
STRATEGIES = {
    "best of n": "best_of_n(n=400, verifier=plan_check, max_tokens={cap})",
    "revision": "sequential_revision(threads=4, turns=80, verifier=plan_check, max_tokens={cap})",
    "evolution": "mind_evolution(verifier=plan_check, max_tokens={cap})",
    "one island": (
        "mind_evolution(verifier=plan_check, islands=1, conversations=20, max_tokens={cap})"
    ),
    "scores only": "mind_evolution(verifier=plan_check, feedback=False, max_tokens={cap})",
}
DESIGN = (
    f"{TASK}, at most {WORK} tokens a problem for each ({SPOKEN} times as many with --engine): "
    "best of n, four threads of revision, Mind Evolution on islands, on one, and without the "
    f"evaluator's words. The simulated planner follows {FOLLOWS:.0%} of the messages."
)


def against(rival: str, setting: Setting) -> Measured:
    """Return how far evolution is ahead of a rival; all strategies stand beside it."""
    solved = _solved(setting)
    rows: list[Row] = [row(name, grades) for name, grades in solved.items()]
    lead = gap(solved["evolution"], solved[rival])
    return Measured(*lead, len(solved[rival]), tuple(rows))


@lru_cache
def _solved(setting: Setting) -> dict[str, Floats]:
    limit, seed = setting.size(100, 300), setting.seed + 1
    tasks = open_tasks(TASK).load(limit, seed)
    planner = PLANNER.format(task=TASK, limit=limit, seed=seed, follows=FOLLOWS)
    times = SPOKEN if setting.engine else 1
    strategies = [parse_strategy(text.format(cap=times * CAP)) for text in STRATEGIES.values()]

    async def run() -> dict[str, Floats]:
        async with aclosing(await setting.open(planner)) as engine:
            done = await compare(
                strategies, tasks, engine, budget=Budget(work=times * WORK), seed=setting.seed
            )
        return graded(done, [*STRATEGIES])

    return anyio.run(run)
