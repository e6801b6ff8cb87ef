"""Many cases on one event loop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workspan.testing.fuzz.judge import Problem
from workspan.testing.gateway_fuzz.case import Case, case
from workspan.testing.gateway_fuzz.drive import drive
from workspan.testing.gateway_fuzz.judge import judge

_UNFROZEN = 50
"""Runs after which what gateways froze of memory when they started may be collected again."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A broken promise, and how to see it again."""

    case: Case
    problem: Problem

    def __str__(self) -> str:
        pools = "" if self.case.pool is None else "--pools "
        again = f"python -m workspan.testing.gateway_fuzz {pools}--run {self.case.number}"
        return f"{self.problem.code}: {self.problem.text}\n    {self.case}\n    {again}"


@dataclass(slots=True)
class Report:
    """What came of the runs."""

    runs: int = 0
    asked: int = 0
    """Requests of clients."""
    requests: int = 0
    """To servers."""
    served: int = 0
    """Decoded tokens."""
    endings: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    """Of the errors that clients were told."""
    failures: list[Failure] = field(default_factory=list)

    def __str__(self) -> str:
        bad = len({failure.case.number for failure in self.failures})
        ends = ", ".join(f"{count} {name}" for name, count in sorted(self.endings.items()))
        return (
            f"{self.runs} runs, {self.asked} requests ({ends}), {self.requests} to servers, "
            f"{self.served} tokens served, {bad} runs broke a promise"
        )


def many(
    numbers: Sequence[int],
    at_once: int = 12,
    address: str = "",
    draw: Callable[[int], Case] = case,
) -> Report:
    """Run cases by their numbers, so many at a time, and judge each; see `drive`."""
    report = Report()
    waiting = iter(numbers)

    async def one_after_another() -> None:
        for number in waiting:
            evidence = await drive(draw(number), address)
            report.runs += 1
            report.asked += len(evidence.got)
            report.requests += sum(tally.requests for tally in evidence.tallies)
            report.served += sum(tally.work for tally in evidence.tallies)
            report.endings.update(got.ending for got in evidence.got)
            report.codes.update(str(got.error.get("code")) for got in evidence.got if got.error)
            report.failures += [Failure(evidence.case, found) for found in judge(evidence)]
            if report.runs % _UNFROZEN == 0:
                gc.unfreeze()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(one_after_another())

    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        asyncio.run(main())
    finally:
        for one, handler in before.items():  # each gateway takes them, and they end in any order
            signal.signal(one, handler)
        gc.unfreeze()
    report.failures.sort(key=lambda failure: failure.case.number)
    return report
