"""Half serial, half parallel: `auto` against the best fixed split and the published controllers.

Problems come shuffled, one half forks that only a long chain gets through, the other half with a
wrong branch that only many short tries avoid; nobody says which is which. Every strategy runs live
on the trained reasoner, with the same hard budget of work on every problem. `auto` gets a profile
of the calibration problems; of the fixed splits, and of each published controller, the dials that
were best on the same problems at the same budget are taken. Then all run once on problems held out.
No answer is a wrong answer. *Prompt unread* is `auto` with a profile that does not know what the
prompts showed. *Told* is no strategy but a bound on what reading the prompt can bring:
who knows which task a problem is of takes the fixed split that was best on it. Differences are
paired over problems, 95 % (Newcombe 1998, method 10).
The strongest controller is the one of most accuracy on the problems held out, in its favour.

Run with ``python -m benchmarks.mixed_workload``; ``--smoke`` for a small run, ``--output`` for
JSON.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any, ClassVar

from benchmarks.workload import command, main
from msgspec.structs import replace

from workspan.batch.compare import Comparison, compare
from workspan.core.engine import Capability, Engine
from workspan.core.session import Session, Strategy
from workspan.data.budget import Budget
from workspan.data.types import Answer, Problem
from workspan.lab.calibrating import calibrate_runs
from workspan.lab.records import difference, records
from workspan.spec import parse_strategy, write
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import write_profile
from workspan.strategies.auto.policies.exhaustive import Exhaustive
from workspan.tasks import open_tasks
from workspan.tasks.base import Task
from workspan_evidence.reasoner.engine import Reasoner

TASKS = ("deep(d=10)", "heavy(m=1, h=4)")
BUDGETS = (32, 48, 64, 96)
LONGEST = 110
CHAINS, BLOCK = 16, 4
"""Of the calibration."""
CAPS = (8, 12, 16, 20, 24, 32, 40, 48, 64, 96)


@dataclass(frozen=True)
class Told:
    """Runs another strategy on each task: for whoever knows which task a problem is of."""

    by_task: tuple[tuple[str, Strategy], ...]
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Run the one of this task."""
        return await dict(self.by_task)[_task(problem)](problem, session)


def _task(problem: Problem) -> str:
    return problem.id.partition("/")[0]


def controllers(budget: int) -> Mapping[str, list[str]]:
    """Return every setting of the fixed splits and of each published controller."""
    caps = [cap for cap in CAPS if cap <= budget]
    some = [(budget // cap, cap) for cap in caps]
    return {
        "fixed": [
            *(f"self_consistency(n={n}, {_capped(cap)})" for n, cap in some),
            *(f"self_consistency(n={n}, {_capped(budget // n)})" for n in (1, 2, 3, 5, 6)),
        ],
        "adaptive_consistency": [
            f"adaptive_consistency(n={n}, threshold={threshold}, {_capped(cap)})"
            for n, cap in some
            for threshold in (0.7, 0.9)
        ],
        "esc": [
            f"esc(n={n}, window={window}, {_capped(cap)})"
            for n, cap in some
            for window in (1, 2, 3)
            if window <= n
        ],
        "short_m_at_k": [
            f"short_m_at_k(m={m}, k={k}, {_capped(cap)})"
            for k, cap in some
            for m in (1, 3)
            if m <= k
        ],
        "parallel_probe": [
            f"parallel_probe(n={n}, block={block}, warmup=0, patience=2, stable=2, probe=' =', "
            f"probe_tokens=1, {_capped(budget // n)})"
            for n in (2, 3, 4)
            for block in (8, 16)
        ],
        "luby_restarts": [f"luby_restarts(unit={unit}, temperature=1.0)" for unit in (4, 8, 16)],
    }


def _capped(cap: int) -> str:
    return f"max_tokens={cap}, temperature=1.0"


def mixed(tasks: Sequence[str], problems: int, seed: int) -> list[Task]:
    """Return as many problems of each task, in turn."""
    sets = [open_tasks(name).load(problems, seed) for name in tasks]
    return [task for turn in zip(*sets, strict=True) for task in turn]


async def calibrated(engine: Engine, tasks: Sequence[Task], path: Path, blind: Path) -> None:
    """Write a profile of whole chains of the calibration problems, and one that read no prompt."""
    drawn = Auto(
        n=CHAINS, probe="", max_tokens=LONGEST, temperature=1.0, fitted=Exhaustive(CHAINS, BLOCK)
    )
    unlimited = Budget(work=CHAINS * LONGEST)
    done = await compare([drawn], tasks, engine, budget=unlimited, seed=1)
    profile = await calibrate_runs(done.trials, engine.info.model)
    write_profile(profile, path)
    unread = tuple(replace(case, prompt_features=()) for case in profile.problems)
    write_profile(replace(profile, problems=unread), blind)


async def chosen(
    engine: Engine, tasks: Sequence[Task], budget: int, kinds: Mapping[str, Sequence[Strategy]]
) -> dict[str, Strategy]:
    """Return of each kind the setting that was best on the calibration problems."""
    found: dict[str, Strategy] = {}
    for name, several in kinds.items():
        settings = {write(one): one for one in several}
        done = await compare(
            [*settings.values()], tasks, engine, budget=Budget(work=budget), seed=2
        )
        best = max(records(done), key=lambda one: (one.accuracy, -one.work))
        found[name] = settings[best.strategy]
        if name == "fixed":
            found["told"] = _best_by_task(done, settings)
    return found


def _best_by_task(done: Comparison, settings: Mapping[str, Strategy]) -> Told:
    """Take what was most often right on each task; the cheaper one of equals."""
    runs: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for name in settings:
        for trial in done.of(name):
            if trial.grade and trial.result:
                spent = (trial.grade.correct, -float(trial.result.work))
                runs[_task(trial.task.problem), name].append(spent)
    means = {key: tuple(map(fmean, zip(*rows, strict=True))) for key, rows in runs.items()}
    tasks = sorted({task for task, _ in means})
    best = {task: max(settings, key=lambda name: means[task, name]) for task in tasks}
    return Told(tuple((task, settings[name]) for task, name in best.items()))


def told(done: Comparison, ours: str, kinds: Mapping[str, Strategy]) -> Iterator[dict[str, Any]]:
    """Yield what each came to, and how far `auto` is ahead of it."""
    by_name = {one.strategy: one for one in records(done)}
    for kind, strategy in kinds.items():
        name = write(strategy)
        one, ahead = by_name[name], difference(done, ours, name) if name != ours else None
        yield {
            "kind": kind,
            "strategy": name,
            "accuracy": [one.accuracy, one.low, one.high],
            "work": one.work,
            "span": one.span,
            "auto_ahead": [ahead.mean, ahead.low, ahead.high] if ahead else None,
        }


async def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Calibrate once, choose and measure at every budget."""
    engine, report = Reasoner.open("graphs"), []
    known = mixed(options.tasks, options.calibration, seed=1)
    held = mixed(options.tasks, options.problems, seed=11)  # no rule was chosen on these
    with tempfile.TemporaryDirectory() as folder:
        profile, blind = Path(folder) / "profile.json", Path(folder) / "blind.json"
        await calibrated(engine, known, profile, blind)
        for budget in options.budgets:
            began = perf_counter()
            auto = Auto(profile=str(profile), probe="", max_tokens=LONGEST, temperature=1.0)
            rivals = {
                name: [*map(parse_strategy, texts)] for name, texts in controllers(budget).items()
            }
            unread = dataclasses.replace(auto, profile=str(blind))
            kinds = {
                "auto": auto,
                "auto, prompt unread": unread,
                **await chosen(engine, known, budget, rivals),
            }
            strategies = {write(one): one for one in kinds.values()}
            done = await compare(
                [*strategies.values()], held, engine, budget=Budget(work=budget), seed=3
            )
            rows = [{"budget": budget, **row} for row in told(done, write(auto), kinds)]
            report += rows
            for row in rows:
                print(line(row), flush=True)
            print(f"<!-- {perf_counter() - began:.0f} s -->", flush=True)
    return report


def line(row: Mapping[str, Any]) -> str:
    """Return a row of the table."""
    mean, low, high = row["accuracy"]
    ahead = (
        "–" if not row["auto_ahead"] else "{:+.3f} [{:+.3f}, {:+.3f}]".format(*row["auto_ahead"])
    )
    name = f"`{row['strategy'].replace(', temperature=1.0', '')}`"
    name = {"told": "fixed, told the task"}.get(row["kind"], name)
    name = f"`auto`{row['kind'][4:]}" if row["kind"].startswith("auto") else name
    return (
        f"| {row['budget']} | {name} | {mean:.3f} [{low:.3f}, {high:.3f}] "
        f"| {row['work']:.1f} | {row['span']:.1f} | {ahead} |"
    )


if __name__ == "__main__":
    parser = command(__doc__, TASKS, BUDGETS, problems=200, calibration=60)
    main(measure, parser.parse_args(), "accuracy", smoke=(4, 4, 48))
