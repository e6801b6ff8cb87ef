"""The fuzzer's command line."""

from __future__ import annotations

import logging
import sys

from workspan.testing.fuzz.runs import Failure, arguments, numbers_of
from workspan.testing.fuzz.telling import told
from workspan.testing.gateway_fuzz.case import Case, case
from workspan.testing.gateway_fuzz.many import PROGRAM, many
from workspan.testing.gateway_fuzz.pools import pooled_case


def main() -> int:
    """Run what the arguments say; 1 if a promise was broken."""
    parser = arguments(PROGRAM, 12)
    parser.add_argument("--store", default="", help="a store for all, postgresql://…; else files")
    parser.add_argument("--pools", action="store_true", help="runs before pools of servers")
    options = parser.parse_args()
    logging.disable()  # of retries, thousands of them
    draw = pooled_case if options.pools else case
    report = many(numbers_of(options), options.at_once, options.store, draw)
    codes = ", ".join(f"{name} {count}" for name, count in report.codes.most_common())
    sys.stdout.write(f"{report}\nerrors told: {codes}\n")
    sys.stdout.writelines(told(report.failures.found, options.shown, faults_of))
    return 1 if report.failures.found else 0


def faults_of(failure: Failure[Case]) -> list[str]:
    """Name the faults of a run's servers."""
    return [fault.name for side in failure.case.sides for fault in side.faults]


if __name__ == "__main__":
    sys.exit(main())
