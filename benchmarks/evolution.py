"""Evolution against revision and best-of-n at matched work, as feedback-following goes from 0 to 1.

The proposer is *simulated*: it plans by chance and follows the evaluator's feedback as often as the
dial says (`workspan_evidence.simulated.planner`). The evaluator, the strategies and the accounts
are real. So this shows a mechanism, and where it flips, and nothing about any language model.

Run with ``python -m benchmarks.evolution``; ``--smoke`` for a small run, ``--output`` for JSON.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import anyio
from rich.console import Console
from rich.progress import track
from rich.table import Table

from workspan.batch.compare import compare
from workspan.data.budget import Budget
from workspan.lab.records import Record, records
from workspan.spec import parse_strategy
from workspan.tasks import open_tasks
from workspan_evidence.simulated.planner import SimulatedPlanner

TASKS = ("trip_planning(cities=6)", "meeting_planning(friends=6)")
FOLLOWS: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
CAP = 200
"""Words of a plan, at most."""
STRATEGIES = {
    "best-of-n": f"best_of_n(n=800, verifier=plan_check, max_tokens={CAP})",
    "revision": (
        f"sequential_revision(threads=10, turns=80, verifier=plan_check, max_tokens={CAP})"
    ),
    "evolution": f"mind_evolution(verifier=plan_check, max_tokens={CAP})",
    "evolution, one island": (
        f"mind_evolution(verifier=plan_check, islands=1, conversations=20, max_tokens={CAP})"
    ),
    "evolution, scores only": (
        f"mind_evolution(verifier=plan_check, feedback=False, max_tokens={CAP})"
    ),
}


async def cell(task: str, follows: float, problems: int, budget: Budget) -> list[Record]:
    """Compare all strategies on one task with one proposer."""
    tasks = open_tasks(task).load(problems, seed=1)
    engine = SimulatedPlanner.of([each.problem for each in tasks], follows=follows)
    strategies = [parse_strategy(text) for text in STRATEGIES.values()]
    return records(await compare(strategies, tasks, engine, budget=budget, seed=0))


def table(rows: list[tuple[str, float, list[Record]]]) -> Table:
    """Success at matched work, a line for each proposer."""
    shown = Table("task", "follows", *STRATEGIES, title="solved at matched work, 95 % interval")
    for task, follows, found in rows:
        cells = [f"{r.accuracy:.2f} [{r.low:.2f}, {r.high:.2f}]" for r in found]
        shown.add_row(task, f"{follows:g}", *cells)
    return shown


def main() -> None:
    """Measure, show and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=60)
    parser.add_argument("--budget", default="6k work")
    parser.add_argument("--smoke", action="store_true", help="a few problems and two proposers")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    budget, follows = Budget.parse(options.budget), FOLLOWS
    if options.smoke:
        options.problems, follows = 6, FOLLOWS[::4]
    cells = [(task, share) for task in TASKS for share in follows]
    rows = [
        (task, share, anyio.run(cell, task, share, options.problems, budget))
        for task, share in track(cells, console=Console(stderr=True))
    ]
    Console(width=150).print(table(rows))
    if options.output:
        report = [
            {"task": task, "follows": share, "budget": str(budget)}
            | {name: asdict(found) for name, found in zip(STRATEGIES, records_, strict=True)}
            for task, share, records_ in rows
        ]
        options.output.write_text(json.dumps(report, indent=1, default=str))


if __name__ == "__main__":
    main()
