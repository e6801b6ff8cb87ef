"""The fuzzer's command line."""

from __future__ import annotations

import logging
import sys

from workspan.testing.fuzz.case import Case
from workspan.testing.fuzz.many import PROGRAM, many
from workspan.testing.fuzz.runs import Failure, arguments, numbers_of
from workspan.testing.fuzz.share import table
from workspan.testing.fuzz.telling import told


def main() -> int:
    """Run what the arguments say; 1 if a promise was broken."""
    parser = arguments(PROGRAM, 24, __doc__)
    parser.add_argument("--share", action="store_true", help="the usable share of budgets instead")
    options = parser.parse_args()
    logging.disable()  # of retries, thousands of them
    if options.share:
        sys.stdout.writelines(f"{share}\n" for share in table())
        return 0
    report = many(numbers_of(options), at_once=options.at_once)
    sys.stdout.write(f"{report}\n")
    sys.stdout.writelines(told(report.failures.found, options.shown, faults_of))
    return 1 if report.failures.found else 0


def faults_of(failure: Failure[Case]) -> list[str]:
    """Name the faults of a run's servers."""
    return [fault.name for fault in failure.case.faults]


if __name__ == "__main__":
    sys.exit(main())
