"""Many cases on one event loop."""

from __future__ import annotations

import gc
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workspan.testing.fuzz.runs import Failures, side_by_side
from workspan.testing.gateway_fuzz.case import Case, case
from workspan.testing.gateway_fuzz.drive import drive
from workspan.testing.gateway_fuzz.judge import judge

PROGRAM = "workspan.testing.gateway_fuzz"
_UNFROZEN = 50
"""Runs after which what gateways froze of memory when they started may be collected again."""


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
    failures: Failures[Case] = field(default_factory=lambda: Failures(PROGRAM))

    @property
    def answered(self) -> float:
        """The share of the requests that had time enough: a busy machine makes some too slow."""
        late = self.codes["timeout"] + self.codes["upstream_timeout"]
        return self.endings["answered"] / max(1, self.asked - late)

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {name}" for name, count in sorted(self.endings.items()))
        return (
            f"{self.runs} runs, {self.asked} requests ({ends}), {self.requests} to servers, "
            f"{self.served} tokens served, {self.failures.runs} runs broke a promise"
        )


def many(
    numbers: Sequence[int],
    at_once: int = 12,
    address: str = "",
    draw: Callable[[int], Case] = case,
) -> Report:
    """Run cases by their numbers, so many at a time, and judge each; see `drive`."""
    report = Report()

    async def one(number: int) -> None:
        evidence = await drive(draw(number), address)
        report.runs += 1
        report.asked += len(evidence.got)
        report.requests += sum(tally.requests for tally in evidence.tallies)
        report.served += sum(tally.work for tally in evidence.tallies)
        report.endings.update(got.ending for got in evidence.got)
        report.codes.update(str(got.error.get("code")) for got in evidence.got if got.error)
        pools = "" if evidence.case.pool is None else "--pools"
        report.failures.add(evidence.case, judge(evidence), pools)
        if report.runs % _UNFROZEN == 0:
            gc.unfreeze()

    before = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        side_by_side(one, numbers, at_once)
    finally:
        for which, handler in before.items():  # gateways take them, and end in any order
            signal.signal(which, handler)
        gc.unfreeze()
    report.failures.sort()
    return report
