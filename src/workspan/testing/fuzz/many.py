"""Many cases on one event loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

from workspan.testing.fuzz.case import Case, case
from workspan.testing.fuzz.drive import drive
from workspan.testing.fuzz.judge import Problem, judge


@dataclass(frozen=True, slots=True)
class Failure:
    """A broken promise, and how to see it again."""

    case: Case
    problem: Problem

    def __str__(self) -> str:
        again = f"python -m workspan.testing.fuzz --run {self.case.number}"
        return f"{self.problem.code}: {self.problem.text}\n    {self.case}\n    {again}"


@dataclass(slots=True)
class Report:
    """What came of the runs."""

    runs: int = 0
    requests: int = 0
    served: int = 0
    """Decoded tokens."""
    results: int = 0
    """Runs that ended with a result, the others with a typed error or cut down."""
    failures: list[Failure] = field(default_factory=list)

    def __str__(self) -> str:
        bad = len({failure.case.number for failure in self.failures})
        return (
            f"{self.runs} runs, {self.requests} requests, {self.served} tokens served, "
            f"{self.results} results, {bad} runs broke a promise"
        )


def many(numbers: Sequence[int], at_once: int = 24) -> Report:
    """Run cases by their numbers, so many at a time, and judge each."""
    report = Report()
    waiting = iter(numbers)

    async def one_after_another() -> None:
        for number in waiting:
            evidence = await drive(case(number))
            report.runs += 1
            report.requests += evidence.tally.requests
            report.served += evidence.tally.work
            report.results += evidence.passes[-1].is_whole
            report.failures += [Failure(evidence.case, found) for found in judge(evidence)]

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(one_after_another)

    anyio.run(main)
    report.failures.sort(key=lambda failure: failure.case.number)
    return report
