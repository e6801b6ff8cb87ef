"""Many cases on one event loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workspan.testing.fuzz.case import Case, case
from workspan.testing.fuzz.drive import drive
from workspan.testing.fuzz.judge import judge
from workspan.testing.fuzz.runs import Failures, side_by_side

PROGRAM = "workspan.testing.fuzz"


@dataclass(slots=True)
class Report:
    """What came of the runs."""

    runs: int = 0
    requests: int = 0
    served: int = 0
    """Decoded tokens."""
    results: int = 0
    """Runs that ended with a result, the others with a typed error or cut down."""
    failures: Failures[Case] = field(default_factory=lambda: Failures(PROGRAM))

    def __str__(self) -> str:
        return (
            f"{self.runs} runs, {self.requests} requests, {self.served} tokens served, "
            f"{self.results} results, {self.failures.runs} runs broke a promise"
        )


def many(numbers: Sequence[int], at_once: int = 24) -> Report:
    """Run cases by their numbers, so many at a time, and judge each."""
    report = Report()

    async def one(number: int) -> None:
        evidence = await drive(case(number))
        report.runs += 1
        report.requests += evidence.tally.requests
        report.served += evidence.tally.work
        report.results += evidence.passes[-1].is_whole
        report.failures.add(evidence.case, judge(evidence))

    side_by_side(one, numbers, at_once)
    report.failures.sort()
    return report
