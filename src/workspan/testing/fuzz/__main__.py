"""The fuzzer's command line."""

from __future__ import annotations

import argparse
import logging
import sys

from workspan.testing.fuzz.many import Failure, many
from workspan.testing.fuzz.share import table
from workspan.testing.fuzz.telling import told


def main() -> int:
    """Run what the arguments say; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m workspan.testing.fuzz", description=__doc__)
    parser.add_argument("--run", type=int, help="one run, by its number")
    parser.add_argument("--first", type=int, default=0, help="number of the first run")
    parser.add_argument("--runs", type=int, default=1000, help="how many")
    parser.add_argument("--at-once", type=int, default=24, help="runs in flight")
    parser.add_argument("--shown", type=int, default=3, help="runs shown of each kind of failure")
    parser.add_argument("--share", action="store_true", help="the usable share of budgets instead")
    options = parser.parse_args()
    logging.disable()  # of retries, thousands of them
    if options.share:
        sys.stdout.writelines(f"{share}\n" for share in table())
        return 0
    numbers = [options.run] if options.run is not None else None
    numbers = numbers or list(range(options.first, options.first + options.runs))
    report = many(numbers, at_once=options.at_once)
    sys.stdout.write(f"{report}\n")
    sys.stdout.writelines(told(report.failures, options.shown, faults_of))
    return 1 if report.failures else 0


def faults_of(failure: Failure) -> list[str]:
    """Name the faults of a run's servers."""
    return [fault.name for fault in failure.case.faults]


if __name__ == "__main__":
    sys.exit(main())
