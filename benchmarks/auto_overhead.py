"""What `auto` costs beside the calls that it decides on: time of a decision, share of a run.

*Decision* is the processor time of one `decide`, for runs of n chains with 16 probes each: median
and 99th percentile. *Run* is whole runs that grow n chains in ten blocks and ask each: microseconds
a call, the decisions' share of that, and their share of the same calls at 50 ms each. The engine is
scripted and takes no time, so that everything measured is Workspan's own; the profile is simulated.
*Evaluation* is seconds, once for a profile and a budget.

Run with ``python -m benchmarks.auto_overhead`` on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import anyio
import numpy as np

from workspan.data.types import Problem, Request
from workspan.runner import run
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import Case, Profile, Record
from workspan.strategies.auto.fit.replayed import Shape
from workspan.strategies.auto.fit.rules import evaluated, fitted
from workspan.strategies.auto.policies.cold import Cold
from workspan.strategies.auto.policies.plan import NEVER, Plan
from workspan.strategies.auto.policies.policy import Planned
from workspan.strategies.auto.policies.state import Chain, Decision, Policy, Probe, State
from workspan.testing.scripted import ScriptedEngine

PROBES, BLOCK = 16, 256
WIDTHS = (1, 4, 16, 64)
CALL = 0.05
"""Seconds of a short call over a network, for scale."""


def profile(problems: int, each: int = 32) -> Profile:
    """Return a simulated profile: chains of random length and agreement."""
    rng = Random(0)
    cases = []
    for _ in range(problems):
        likely, chains = rng.random(), []
        for _ in range(each):
            depths = tuple(BLOCK * (i + 1) for i in range(rng.randint(4, 40)))
            group = 0 if rng.random() < likely else rng.randint(1, 4)
            chains.append(Record(depths, (-1, *(group,) * (len(depths) - 1)), ended=True))
        cases.append(Case(tuple(chains), right=(0,)))
    return Profile("simulated", "tokens", tuple(cases), asked=8.0)


def states(width: int, seed: int = 0) -> Iterator[State]:
    """Yield runs of `width` chains, some ended, none agreeing for sure."""
    rng, depth = Random(seed), BLOCK * PROBES
    while True:
        chains = []
        for _ in range(width):
            probes = tuple(Probe(BLOCK * (i + 1), rng.randint(-1, 3)) for i in range(PROBES))
            chains.append(Chain(depth, probes, probes[-1].group, rng.random() < 0.3, PROBES * 8))
        yield State(tuple(chains), work=depth * width, work_left=1 << 20)


def decisions(rule: Policy, width: int, rounds: int) -> list[float]:
    """Return median and 99th percentile of a decision, in microseconds."""
    taken = []
    for _, state in zip(range(rounds), states(width), strict=False):
        began = time.thread_time_ns()
        rule.decide(state)
        taken.append((time.thread_time_ns() - began) / 1000)
    return [float(x) for x in np.quantile(taken, (0.5, 0.99))]


def script(request: Request) -> str:
    """Think for 40 words; chains that are asked say one of two answers."""
    if request.prefix.endswith("Answer:"):
        return str(len(request.prefix) % 2)
    return "think " * (40 - len(request.prefix.split())) + "Answer: 1"


@dataclass
class Timed:
    """A rule with a clock."""

    rule: Policy
    seconds: float = 0.0
    asked: int = 0

    def decide(self, state: State) -> Decision:
        """Decide, and add up the time."""
        began = time.perf_counter()
        decision = self.rule.decide(state)
        self.seconds += time.perf_counter() - began
        self.asked += 1
        return decision


async def a_run(rule: Policy, width: int, n: int) -> dict[str, float]:
    """Return calls and decisions of a run, microseconds of a call, and the decisions' share."""
    problem, began, calls, timed = Problem.ask("1 or 0?", kind="number"), 0.0, 0, Timed(rule)
    for seed in range(n):
        start = time.perf_counter()
        auto = Auto(n=width, max_tokens=100, fitted=timed)
        result = await run(auto, problem, ScriptedEngine(script), seed=seed)
        began += time.perf_counter() - start
        calls += len(result.trace)
    return {
        "calls": calls / n,
        "decisions": timed.asked / n,
        "call": 1e6 * began / calls,
        "share": timed.seconds / began,
        "share_of_calls": timed.seconds / (calls * CALL),
    }


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the evaluation, decisions and whole runs."""
    began = time.perf_counter()
    found = evaluated(profile(options.problems))
    assert found.outcomes
    report: dict[str, Any] = {"evaluation": time.perf_counter() - began}
    rules: dict[str, Policy] = {"profile": fitted(found, work=200_000.0), "cold": Cold()}
    for name, rule in rules.items():
        for width in WIDTHS:
            half, most = decisions(rule, width, options.rounds)
            report[f"decision, {name}, {width} chains"] = [half, most]
    for width in WIDTHS:
        shape = Shape(width, 100, 10)
        grown = Planned(Plan(shape, width, NEVER), found.evidence)
        report[f"run, {width} chains"] = await a_run(grown, width, options.runs)
    return report


def main(options: argparse.Namespace) -> None:
    """Run it and print one figure a line."""
    report = anyio.run(measure, options)
    for name, figures in report.items():
        print(name, figures)
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--problems", type=int, default=60, help="of the simulated profile")
    parser.add_argument("--rounds", type=int, default=300, help="decisions timed")
    parser.add_argument("--runs", type=int, default=8, help="runs of each width")
    parser.add_argument("--output", type=Path)
    main(parser.parse_args())
