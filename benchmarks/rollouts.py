"""Best-of-n and `auto` over whole rollouts, at matched budgets, with a stand-in for the agent.

The agent is `workspan.testing.stand_in_agent`: a real process in a work tree of its own that edits
a file, runs the visible tests and says what it used, right at a rate that each problem states
(evenly from 0.1 to 0.9), and at 0.06 right on the visible tests alone. It is no model: what is
measured is the choosing, the account and the work trees, not anybody's agent. Visible tests choose,
in the sandbox; hidden ones grade.

All strategies have the same budget for each problem, in which four rollouts at their most fit; what
they really took stands beside. Differences are paired by problem, to the first row. `random` is a
random pick among each run's candidates, `coverage` the share of problems of which some candidate
is right. Run with ``python -m benchmarks.rollouts``; ``--smoke`` for four problems, ``--page FILE``
for the page. The same seed gives the same figures.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import to_thread

from workspan.app.answers import Compared
from workspan.app.comparing import compare
from workspan.checkout.snapshot import Snapshot, remove
from workspan.core.session import Strategy
from workspan.data.types import Problem
from workspan.engines.rollout.engine import Command, Rollouts
from workspan.errors import CheckoutError
from workspan.lab.records import Record
from workspan.sandbox import run_command
from workspan.strategies.auto.auto import Auto
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.strategies.sequential.single import Single
from workspan.tasks.base import Grade, Task
from workspan.testing.stand_in_agent import MOST, Rule, make_problem, task
from workspan.verifiers.patch_tests import PatchTests

PROBLEMS, SEED, MISLED = 40, 20261129, 0.06
AT_ONCE = 4
"""Rollouts, at their most, in the budget of a problem."""
TEST = "cd problems/$WORKSPAN_PROBLEM && python3 -B -m unittest -q test_seen"
HIDDEN = (
    "cd problems/{name} && python3 -B -c 'from solution import f; "
    "assert all(f(x) == {factor} * x + {shift} for x in range(-20, 20))'"
)


@dataclass(frozen=True)
class Hidden:
    """Grades a diff by tests that no strategy sees."""

    taken: Snapshot
    command: str

    async def __call__(self, task: Task, answer: str | None) -> Grade:  # noqa: ARG002
        """Apply the diff to a copy, and run the hidden test there."""
        if answer is None:
            return Grade(0.0)
        try:
            tree = await to_thread.run_sync(self.taken.patched, answer + "\n")
        except CheckoutError:
            return Grade(0.0)
        try:
            outcome = await run_command(self.command, tree)
        finally:
            await to_thread.run_sync(remove, tree)
        return Grade(float(outcome.reason == "ok"))


def rules(count: int) -> list[Rule]:
    """Make the problems: rates evenly from 0.1 to 0.9."""
    rng = random.Random(SEED)
    rates = [round(0.1 + 0.8 * i / max(1, count - 1), 3) for i in range(count)]
    return [Rule(rng.randint(2, 9), rng.randint(1, 9), rate, MISLED) for rate in rates]


def strategies(folder: Path, taken: Snapshot) -> list[Strategy]:
    """Name what is compared; the first is what the others are held against."""
    tests = PatchTests(TEST, str(folder), taken=taken)
    return [
        BestOfN(AT_ONCE, tests),
        Single(),
        SelfConsistency(AT_ONCE),
        BestOfN(2, tests),
        BestOfN(3, tests),
        Auto(n=16, verifier=tests),
    ]


async def measure(count: int, seed: int) -> Compared:
    """Run all strategies on all problems."""
    with tempfile.TemporaryDirectory() as place:
        folder, made = Path(place) / "work", rules(count)
        names = [f"p{i:02d}" for i in range(count)]
        for name, rule in zip(names, made, strict=True):
            make_problem(folder / "problems" / name, rule)
        agent = f"{sys.executable} -m workspan.testing.stand_in_agent"
        command = Command(agent, "file", tokens=MOST, parallel=2)
        engine = await Rollouts.begin(command, folder)
        try:
            tasks = [
                Task(
                    Problem.ask(task(f"problems/{name}"), kind="open", id=name),
                    "",
                    Hidden(
                        engine.snapshot,
                        HIDDEN.format(name=name, factor=rule.factor, shift=rule.shift),
                    ),
                )
                for name, rule in zip(names, made, strict=True)
            ]
            budget = f"{AT_ONCE * MOST} work"
            plans = strategies(folder, engine.snapshot)
            return await compare(tasks, plans, engine=engine, budget=budget, seed=seed, parallel=2)
        finally:
            await engine.aclose()


def page(done: Compared, count: int) -> str:
    """Lay the records out as Markdown."""
    rows = [
        "# Rollouts of a stand-in agent: results",
        "",
        "Generated by `python -m benchmarks.rollouts --page FILE`; not edited by hand. The agent "
        "is a stand-in, no model: a process that edits a file and runs tests, right at a rate that "
        f"each of the {count} problems states (0.1 to 0.9, evenly), and at {MISLED:g} right on the "
        f"tests alone. Every strategy has {AT_ONCE * MOST} tokens of work for a problem, in which "
        f"{AT_ONCE} rollouts at their most ({MOST}) fit. Visible tests choose, hidden ones grade; "
        "intervals are 95 %, differences paired by problem. random, coverage: see the glossary.",
        "",
        "| strategy | accuracy % | to best of 4 | work | rollouts | span | work a right answer "
        "| random | coverage |",
        "|---|---|---|---|---|---|---|---|---|",
        *map(_row, done.records),
    ]
    return "\n".join(rows) + "\n"


def _row(one: Record) -> str:
    ahead = ""
    if one.difference is not None and one.difference_low is not None:
        low, high = one.difference_low, one.difference_high or 0.0
        ahead = f"{100 * one.difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
    name = one.strategy.partition(", verifier")[0]
    accuracy = one.accuracy or 0.0
    cells = (
        f"`{name})`" if name != one.strategy else f"`{name}`",
        f"{100 * accuracy:.1f} [{100 * (one.low or 0):.0f}, {100 * (one.high or 0):.0f}]",
        ahead,
        f"{one.work:,.0f}",
        f"{one.calls:.2f}",
        f"{one.span:,.0f}",
        f"{one.work / accuracy:,.0f}" if accuracy else "",
        "" if one.random is None else f"{100 * one.random:.1f}",
        "" if one.coverage is None else f"{100 * one.coverage:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, and print or write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="four problems")
    parser.add_argument("--problems", type=int, default=PROBLEMS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, help="write the page here")
    told = parser.parse_args()
    count = 4 if told.smoke else told.problems
    text = page(anyio.run(measure, count, told.seed), count)
    if told.page:
        told.page.write_text(text)
    else:
        print(text)  # its output


if __name__ == "__main__":
    main()
