"""What each part of `auto` is worth: the same rule without it, at matched work, on recorded chains.

Folds by problem; what is learnt for a problem is learnt from others. Two kinds of comparison:

- *stop rules*: one chain after another, on chains held out, as an evaluation runs them. Every rule
  has the threshold that was most often right on the training part within the mean budget. Left out:
  the *finish times* (what a problem's own chains cost), the *look-ahead* (that further chains bring
  less the more there are), both, all but one step of it (*one chain ahead*: only what a single
  further chain could overturn counts), and the *fit* of the evidence.
- *whole runs*, replayed: without a *profile* (votes until they agree), and without the *pooled
  price* (the budget as a limit on each run). Either spends what it spends; the full rule is then
  fitted for that mean work, and run in the same orders of chains.

Differences are the part's worth in accuracy: paired, 95 %, bootstrap over problems.

Run with ``python -m benchmarks.auto_ablation``; ``--data FILE``, ``--model NAME`` to choose.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import numpy as np
from benchmarks.stop_calibration import DATA, MOST

from workspan.app.replaying import read_recorded
from workspan.core.journal import seed_for
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.lab.calibrating import calibrate
from workspan.lab.replay.fitted import Known
from workspan.lab.replay.fitting import Fitting
from workspan.lab.replay.folds import Folds, Split
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Recording
from workspan.runner import run
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.evaluation import MOST_CHAINS, caps, learn
from workspan.strategies.auto.fit.replayed import Draws, Replayed, Shape, draw, replayed
from workspan.strategies.auto.fit.table import Table, tabulate
from workspan.strategies.auto.policies.evidence import Evidence

RUNS = 32
"""Orders of each problem's chains, for the stop rules."""
STEPS = 40
"""Thresholds that are tried for each rule."""
RESAMPLES = 4_000
CONFIDENCES = (0.6, 0.8, 0.95)

Value = Callable[[Replayed, Table], Any]
"""What going on is worth after each step, [step, run]; a run stops below a threshold."""


def _cost(found: Replayed, table: Table) -> Any:
    return np.maximum(found.work / found.n / table.scale, 0.25)


def _one_ahead(found: Replayed, table: Table) -> Any:
    """Count nothing that a single further chain can't overturn."""
    odds, others, rival = (found.features[..., i] for i in (1, 2, 3))
    lead = 1 / (1 + np.exp(-odds)) + np.expm1(others) / 4 - np.expm1(rival) / 4
    return np.where(lead < 1, (1 - found.belief) / _cost(found, table), 0.0)


RULES: dict[str, Value] = {
    "nothing": lambda found, _: found.worth,
    "finish times": lambda found, _: (1 - found.belief) / (found.n + 0.5),
    "look-ahead": lambda found, table: (1 - found.belief) / _cost(found, table),
    "both": lambda found, _: 1 - found.belief,
    "all but one chain ahead": _one_ahead,
}


def replays(table: Table, evidence: Evidence, deep: list[int]) -> list[Replayed]:
    """Run one chain after another, to each cap."""
    draws = draw(table, RUNS, MOST_CHAINS)
    shapes = [Shape(1, cap, table.watch) for cap in deep]
    return [replayed(table, evidence, draws, shape, keeps_features=True) for shape in shapes]


def ends(found: Replayed, value: Any, least: float) -> tuple[Any, Any]:
    """Return accuracy and work of each run where it falls below the threshold."""
    stop = found.first(value < least)
    return found.right[stop].astype(float), found.work[stop]


def held_out(split: Split, rule: Value, work: float, *, fits: bool) -> tuple[Any, Any]:
    """Choose cap and threshold on the training part; return accuracy and work of each problem."""
    table, held = tabulate(calibrate(split.training)), tabulate(calibrate([split.held]))
    draws: Draws = draw(table, RUNS, MOST_CHAINS)
    evidence = learn(table, draws) if fits else Evidence(table.scale)
    deep = [cap for cap in caps(table) if cap >= 0.8 * table.scale][:3]
    best: tuple[float, int, float] | None = None
    for i, found in enumerate(replays(table, evidence, deep)):
        value = rule(found, table)
        for least in np.quantile(value, np.linspace(0, 1, STEPS)):
            right, spent = ends(found, value, float(least))
            if spent.mean() <= work and (best is None or right.mean() > best[0]):
                best = (float(right.mean()), i, float(least))
    assert best is not None, f"no threshold keeps to {work:g} tokens"
    [found] = replays(held, evidence, [deep[best[1]]])
    right, spent = ends(found, rule(found, held), best[2])
    return right.reshape(-1, RUNS).mean(axis=1), spent.reshape(-1, RUNS).mean(axis=1)


def stop_rules(one: Recording, works: list[int]) -> Iterator[dict[str, Any]]:
    """Yield what the rule comes to without each part."""
    splits = Folds().split([one], 0)
    for work in works:
        full: Any = None
        for left_out, rule in [*RULES.items(), ("the fit", RULES["nothing"])]:
            fits = left_out != "the fit"
            parts = [held_out(split, rule, work, fits=fits) for split in splits]
            right, spent = (np.concatenate(column) for column in zip(*parts, strict=True))
            full = right if full is None else full
            yield _row(one, left_out, work, right, full, float(spent.mean()))


async def means_of(
    one: Recording, make: Callable[[Split], tuple[Strategy, Budget]], seeds: int
) -> tuple[Any, Any]:
    """Run on every problem held out; return accuracy and work of each problem."""
    right, work = [], []
    for split in Folds().split([one], 0):
        strategy, budget = make(split)
        for problem in split.held.problems:
            part, told = split.held.keep({problem.id}), []
            for i in range(seeds):
                order = seed_for(0, f"{i} {problem.id}")
                engine = ReplayEngine(part, order=order, once=True)
                told.append(await run(strategy, problem, engine, budget=budget, seed=order))
            right.append([split.held.grade(problem, done.answer.text) for done in told])
            work.append([done.usage.output_tokens for done in told])
    return np.mean(right, axis=1), np.mean(work, axis=1)


async def whole_runs(one: Recording, works: list[int], seeds: int) -> list[dict[str, Any]]:
    """Compare runs without a profile, and with a limit on each, to the full rule."""
    rows = []
    pooled, hard = (Fitting("auto", Auto(), frozenset(), is_pooled=pool) for pool in (True, False))

    async def add(left_out: str, make: Callable[[Split], tuple[Strategy, Budget]]) -> None:
        right, spent = await means_of(one, make, seeds)
        same = Budget(work=round(spent.mean()))
        full, took = await means_of(one, partial(_of, pooled, same), seeds)
        row = _row(one, left_out, round(spent.mean()), right, full, float(spent.mean()))
        rows.append(row | {"full_work": float(took.mean()), "full": float(full.mean())})

    for confidence in CONFIDENCES:
        plain = Auto(n=MOST, confidence=confidence, max_tokens=one.longest)
        await add(f"profile (confidence {confidence:g})", _always(plain))
    for work in works:
        budget = Budget(work=work)
        await add(
            f"pooled price (limit {work // 1000}k)",
            partial(_of, hard, budget),
        )
    return rows


def _of(method: Fitting, budget: Budget, split: Split) -> tuple[Strategy, Budget]:
    fitted = method.fit(split, budget, Known())
    return fitted.strategy, fitted.budget


def _always(strategy: Strategy) -> Callable[[Split], tuple[Strategy, Budget]]:
    return lambda _: (strategy, Budget())


def _row(
    one: Recording, left_out: str, work: int, right: Any, full: Any, spent: float
) -> dict[str, Any]:
    """Return one comparison; the interval is of the full rule less this one."""
    gap = full - right
    rng = np.random.default_rng(0)
    means = gap[rng.integers(len(gap), size=(RESAMPLES, len(gap)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {
        "model": one.model,
        "left_out": left_out,
        "budget": work,
        "accuracy": float(right.mean()),
        "work": spent,
        "worth": [float(gap.mean()), float(low), float(high)],
        "problems": len(gap),
    }


def line(row: dict[str, Any]) -> str:
    """Return a row of the table, in %."""
    mean, low, high = (100 * x for x in row["worth"])
    worth = f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"
    name = row["model"].split("/")[-1]
    cells = (name, row["left_out"], row["budget"], f"{100 * row['accuracy']:.1f}")
    return f"| {' | '.join(map(str, cells))} | {row['work']:.0f} | {worth} |"


def main(options: argparse.Namespace) -> None:
    """Run it and print the table."""
    heads = ("model", "left out", "budget", "accuracy", "work", "worth of the part")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    report = []
    read = partial(read_recorded, options.data, options.model, [], None, "text")
    for one in anyio.run(read)[0]:
        for row in stop_rules(one, options.works):
            report.append(row)
            print(line(row), flush=True)
        for row in anyio.run(whole_runs, one, options.works, options.seeds):
            report.append(row)
            print(line(row), flush=True)
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--works", type=int, nargs="+", default=[32_000, 64_000, 128_000])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--output", type=Path)
    main(parser.parse_args())
