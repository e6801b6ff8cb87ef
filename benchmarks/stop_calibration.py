"""Is `auto` right as often as it says? Reliability of the probability at which it stops.

Recorded chains are replayed, folds by problem: with a profile of the training part the stated
probability is that the answer is *right*, graded by the label; without one (`cold`, confidence
0.8, 0.9 and 0.95) it is that the answer is the *plurality* of the model, held against the vote of
all chains recorded. Each run is one observation, orders of chains several a problem; intervals are
95 %, bootstrap over problems. Expected calibration error is the mean distance of stated and
observed, weighted by runs, over bins of equal numbers of runs; `by chance` is what a rule that were
perfectly calibrated would show with so many problems (runs of a problem right or wrong together).

Run with ``python -m benchmarks.stop_calibration``; ``--data FILE``, ``--model NAME`` to choose.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import numpy as np

from workspan.answers import equivalent
from workspan.answers.voting import plurality
from workspan.app.replaying import read_recorded
from workspan.core.journal import seed_for
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Candidate, Problem
from workspan.lab.replay.fitted import Known
from workspan.lab.replay.fitting import Fitting
from workspan.lab.replay.folds import Folds
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Recording
from workspan.runner import run
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.policies.cold import Cold

DATA = Path(__file__).parents[2] / "shared" / "data" / "chains" / "parallel_probe_qwen3.parquet"
BINS = 6
RESAMPLES = 2_000
CONFIDENCES = (0.8, 0.9, 0.95)
MOST = 32
"""Chains of a run that knows nothing."""


class Stop(NamedTuple):
    """Where a run ended."""

    problem: str
    stated: float
    held: float
    """1 if what was stated held."""


async def stop(
    strategy: Strategy, budget: Budget, one: Recording, problem: Problem, order: int
) -> tuple[float, str | None]:
    """Run once; return the last stated probability and the answer."""
    engine = ReplayEngine(one, order=order, once=True)
    result = await run(strategy, problem, engine, budget=budget, seed=order)
    why = result.answer.why
    assert why is not None
    return why.steps[-1].confidence, result.answer.text


async def with_profile(one: Recording, budget: Budget, seeds: int) -> list[Stop]:
    """Stops of `auto`, its profile and price from the other folds."""
    found = []
    method = Fitting("auto", Auto(), frozenset())
    for split in Folds().split([one], 0):
        fitted = method.fit(split, budget, Known())
        for problem, order in _orders(split.held, seeds):
            part = split.held.keep({problem.id})
            stated, text = await stop(fitted.strategy, fitted.budget, part, problem, order)
            found.append(Stop(problem.id, stated, split.held.grade(problem, text)))
    return found


async def cold(one: Recording, seeds: int) -> list[Stop]:
    """Stops of `auto` that knows nothing; runs that end uncertain are left out."""
    found = []
    for problem, order in _orders(one, seeds):
        part, chains = one.keep({problem.id}), one.chains[problem.id]
        whole = plurality([Candidate("", chain.answers[-1]) for chain in chains], problem.kind).text
        for confidence in CONFIDENCES:
            fitted = Cold(confidence, block=one.longest)  # whole chains: fewer calls, same votes
            rule = Auto(n=MOST, confidence=confidence, max_tokens=one.longest, fitted=fitted)
            stated, text = await stop(rule, Budget(), part, problem, order)
            if stated >= confidence:
                same = bool(text and whole and equivalent(text, whole, kind=problem.kind))
                found.append(Stop(problem.id, stated, float(same)))
    return found


def _orders(one: Recording, seeds: int) -> Iterator[tuple[Problem, int]]:
    for problem in one.problems:
        for i in range(seeds):
            yield problem, seed_for(0, f"{i} {problem.id}")


def reliability(stops: Sequence[Stop]) -> dict[str, Any]:
    """Return the table of bins and the expected calibration error, with intervals."""
    stops = sorted(stops, key=lambda one: one.stated)
    stated = np.array([one.stated for one in stops])
    held = np.array([one.held for one in stops])
    names, problem = np.unique([one.problem for one in stops], return_inverse=True)
    bins = np.arange(len(stops)) * BINS // len(stops)
    rng = np.random.default_rng(0)
    weights = [
        np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[problem]
        for _ in range(RESAMPLES)
    ]
    chance = [
        _error(stated, (rng.random(len(names))[problem] < stated).astype(float), bins)
        for _ in range(RESAMPLES)
    ]
    rows = []
    for i in range(BINS):
        inside = bins == i
        means = [_mean(held[inside], each[inside]) for each in weights]
        low, high = np.nanquantile(means, (0.025, 0.975))
        rows.append([stated[inside].mean(), held[inside].mean(), low, high, int(inside.sum())])
    resampled = [_error(stated, held, bins, each) for each in weights]
    return {
        "runs": len(stops),
        "problems": len(names),
        "stated": float(stated.mean()),
        "held": float(held.mean()),
        "bins": rows,
        "error": [_error(stated, held, bins), *np.quantile(resampled, (0.025, 0.975))],
        "by_chance": list(np.quantile(chance, (0.5, 0.95))),
    }


def _mean(values: Any, weights: Any) -> float:
    return float((values * weights).sum() / weights.sum()) if weights.sum() else float("nan")


def _error(stated: Any, held: Any, bins: Any, weights: Any = None) -> float:
    weights = np.ones_like(stated) if weights is None else weights
    gaps = [
        abs((weights * (stated - held))[bins == i].sum()) for i in range(BINS) if (bins == i).any()
    ]
    return float(sum(gaps) / weights.sum())


async def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every model of the file."""
    report = []
    recordings, _ = await read_recorded(options.data, options.model, [], None, "text")
    for one in recordings:
        arms = {f"profile, {work} work": Budget.parse(f"{work} work") for work in options.budgets}
        found = {"cold": await cold(one, options.seeds)}
        for name, budget in arms.items():
            found[name] = await with_profile(one, budget, options.seeds)
        for arm, stops in found.items():
            if len(stops) >= BINS:
                report.append({"model": one.model, "arm": arm, **reliability(stops)})
                print(line(report[-1]), flush=True)
    return report


def line(one: dict[str, Any]) -> str:
    """Return a row of the table."""
    cells = [f"{s:.2f}: {h:.2f} [{low:.2f}, {high:.2f}]" for s, h, low, high, _ in one["bins"]]
    error, by_chance = one["error"], one["by_chance"]
    return (
        f"| {one['model'].split('/')[-1]} | {one['arm']} | {one['problems']} x "
        f"{one['runs'] / one['problems']:.0f} | {one['stated']:.3f} / {one['held']:.3f} "
        f"| {'; '.join(cells)} | {error[0]:.3f} [{error[1]:.3f}, {error[2]:.3f}] "
        f"| {by_chance[0]:.3f}, {by_chance[1]:.3f} |"
    )


def main(options: argparse.Namespace) -> None:
    """Run it and print the table."""
    heads = ("model", "rule", "problems x runs", "stated / held", "stated: held", "error")
    print(f"| {' | '.join(heads)} | by chance: median, 95 % |\n|{'---|' * 7}")
    report = anyio.run(measure, options)
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--budgets", nargs="+", default=["16k", "64k"])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--output", type=Path)
    main(parser.parse_args())
