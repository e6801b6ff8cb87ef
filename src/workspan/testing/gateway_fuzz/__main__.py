"""The fuzzer's command line."""

from __future__ import annotations

import argparse
import logging
import sys

from workspan.testing.fuzz.telling import told
from workspan.testing.gateway_fuzz.case import case
from workspan.testing.gateway_fuzz.many import Failure, many
from workspan.testing.gateway_fuzz.pools import pooled_case


def main() -> int:
    """Run what the arguments say; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m workspan.testing.gateway_fuzz")
    parser.add_argument("--run", type=int, help="one run, by its number")
    parser.add_argument("--first", type=int, default=0, help="number of the first run")
    parser.add_argument("--runs", type=int, default=1000, help="how many")
    parser.add_argument("--at-once", type=int, default=12, help="runs in flight")
    parser.add_argument("--shown", type=int, default=3, help="runs shown of each kind of failure")
    parser.add_argument("--store", default="", help="a store for all, postgresql://…; else files")
    parser.add_argument("--pools", action="store_true", help="runs before pools of servers")
    options = parser.parse_args()
    logging.disable()  # of retries, thousands of them
    numbers = [options.run] if options.run is not None else None
    numbers = numbers or list(range(options.first, options.first + options.runs))
    report = many(numbers, options.at_once, options.store, pooled_case if options.pools else case)
    codes = ", ".join(f"{name} {count}" for name, count in report.codes.most_common())
    sys.stdout.write(f"{report}\nerrors told: {codes}\n")
    sys.stdout.writelines(told(report.failures, options.shown, faults_of))
    return 1 if report.failures else 0


def faults_of(failure: Failure) -> list[str]:
    """Name the faults of a run's servers."""
    return [fault.name for side in failure.case.sides for fault in side.faults]


if __name__ == "__main__":
    sys.exit(main())
