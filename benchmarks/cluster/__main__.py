"""What it costs to run on workers: how well two of them do, and what the scheduler takes by itself.

    python -m benchmarks.cluster efficiency [--workers 2] [--calls 800] [--seconds 0.2]
    python -m benchmarks.cluster scheduler [--workers 1000] [--problems 10000000] [--minutes 60]
    python -m benchmarks.cluster scheduler --page docs/results/scheduler.md

*Efficiency*: real workers on Ray ask a loopback server that takes 200 ms for a call and is busy
with nothing. A sweep is timed from its first unit to its last on one worker, then on two, in turns;
efficiency is one worker's time over twice the two workers'.

*Scheduler*: the real driver of sweeps, the real pool, journals and store, on workers that are
**simulated**: they answer at once, and no engine is asked. One sweep of ten million problems, a
thousand of them a cell; at 10,000, 20,000, 50,000 … problems it prints what each took since the
mark before, in microseconds of one core, and the memory that the process held. A line of progress
shows how far it is. It stops at `--minutes` of wall clock and says how far it came. `--page` writes
the table as a page of the docs. The journals of cells that are kept are removed as it goes, since
those of ten million runs would fill a disk (10 kB a problem); the store stays until the end (2 GB).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cluster import scheduler
from benchmarks.cluster.efficiency import efficiency
from benchmarks.cluster.page import page


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("efficiency", "scheduler"))
    parser.add_argument("--workers", type=int)
    parser.add_argument("--calls", type=int, default=800)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--problems", type=int, default=10_000_000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--page", type=Path)
    told = parser.parse_args()
    if told.what == "efficiency":
        efficiency(told.workers or 2, told.calls, told.seconds, told.rounds)
        return
    workers = told.workers or 1_000
    if told.problems < scheduler.EACH or told.problems % scheduler.EACH:
        parser.error(f"--problems is a multiple of {scheduler.EACH:,}")

    def keep(found: Sequence[scheduler.Mark]) -> None:
        if told.page is not None:
            told.page.write_text(page(found, told.problems, workers))

    scheduler.measure(told.problems, workers, told.minutes * 60, keep)


if __name__ == "__main__":
    main()
