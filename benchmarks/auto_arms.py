"""`auto` with revision and evolution as arms, against each of them alone, on plans of mixed sizes.

The planner is simulated, no model is here; strategies, evaluator and accounts are real. Problems of
all tasks come shuffled. `auto` gets a profile of other problems: chains, and one run of each arm.
Without a profile arms have doubling tries beside universal restarts. All have the same hard budget
of work on every problem, and a verifier that knows a right plan. Differences are paired, 95 %.

Run with ``python -m benchmarks.auto_arms``; ``--smoke`` for a small run, ``--output`` for JSON.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.mixed_workload import mixed
from benchmarks.workload import command, main

from workspan.batch.compare import compare
from workspan.core.engine import Engine
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.lab.calibrating import calibrate_runs
from workspan.lab.records import difference, records
from workspan.spec import parse_strategy
from workspan.strategies.auto.arms import arm_names
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import write_profile
from workspan.strategies.auto.policies.exhaustive import Exhaustive
from workspan.tasks.base import Task
from workspan.verifiers.plan_check import PlanCheck
from workspan_evidence.simulated.planner import SimulatedPlanner

TASKS = ("trip_planning(cities=4)", "trip_planning(cities=6)", "meeting_planning(friends=6)")
BUDGETS = (500, 1000, 2000, 4000)
CAP = 200
"""Words of a plan, at most."""
FOLLOWS = 0.5
"""Share of the evaluator's messages that the simulated planner acts on."""
CHAINS, REACH = 16, 4000
"""Of the calibration: chains of a problem, and work of an arm's run."""
REVISION = f"sequential_revision(threads=4, turns=80, verifier=plan_check, max_tokens={CAP})"
EVOLUTION = f"mind_evolution(verifier=plan_check, max_tokens={CAP})"
SAMPLING = f"best_of_n(n=400, verifier=plan_check, max_tokens={CAP})"


async def calibrated(engine: Engine, tasks: Sequence[Task], auto: Auto, path: Path) -> None:
    """Write a profile of chains and arms on the calibration problems."""
    drawn = replace(auto, arms=(), n=CHAINS, fitted=Exhaustive(CHAINS, CAP))
    strategies: list[Strategy] = [drawn, *auto.arms]
    done = await compare(strategies, tasks, engine, budget=Budget(work=REACH), seed=1)
    chains, *others = (done.of(name) for name in done.strategies)
    arms = dict(zip(arm_names(auto.arms), others, strict=True))
    write_profile(await calibrate_runs(chains, engine.info.model, arms), path)


async def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Calibrate once, then run everything at every budget."""
    known = mixed(options.tasks, options.calibration, seed=23)
    held = mixed(options.tasks, options.problems, seed=24)
    engine = SimulatedPlanner.of([each.problem for each in [*known, *held]], follows=FOLLOWS)
    arms = (parse_strategy(REVISION), parse_strategy(EVOLUTION))
    cold, report = Auto(arms=arms, verifier=PlanCheck(), max_tokens=CAP, probe=""), []
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile.json"
        await calibrated(engine, known, cold, profile)
        strategies = {
            "auto, profile and arms": replace(cold, profile=str(profile)),
            "auto, arms only": cold,
            "auto, profile only": replace(cold, arms=(), profile=str(profile)),
            "best of n": parse_strategy(SAMPLING),
            "revision": arms[0],
            "evolution": arms[1],
        }
        for budget in options.budgets:
            done = await compare(
                [*strategies.values()], held, engine, budget=Budget(work=budget), seed=3
            )
            for name, one in zip(strategies, records(done), strict=True):
                ahead = difference(done, done.strategies[0], one.strategy)
                row = {
                    "budget": budget,
                    "name": name,
                    "solved": [one.accuracy, one.low, one.high],
                    "work": one.work,
                    "span": one.span,
                    "auto_ahead": [ahead.mean, ahead.low, ahead.high] if ahead else None,
                }
                report.append(row)
                print(line(row), flush=True)
    return report


def line(row: dict[str, Any]) -> str:
    """Return a row of the table."""
    mean, low, high = row["solved"]
    is_itself = row["name"] == "auto, profile and arms" or row["auto_ahead"] is None
    ahead = "–" if is_itself else "{:+.3f} [{:+.3f}, {:+.3f}]".format(*row["auto_ahead"])
    cells = f"{mean:.3f} [{low:.3f}, {high:.3f}] | {row['work']:.0f} | {row['span']:.0f}"
    return f"| {row['budget']} | {row['name']} | {cells} | {ahead} |"


if __name__ == "__main__":
    parser = command(__doc__, TASKS, BUDGETS, problems=60, calibration=30)
    main(measure, parser.parse_args(), "solved", smoke=(3, 4, 500))
