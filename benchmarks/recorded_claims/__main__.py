"""Measure the claims of the evidence map on recordings of models that people use.

Replays recordings of public repositories (no part of the project; see the sources that each row
names), and judges each claim on each model by the same rule as everywhere: a 95 % interval over
problems against a line that was stated before. ``--store FILE`` keeps the verdicts for `workspan
map`; each is printed as a line of JSON. What the readers read is checked first against figures that
were computed from the files by others.

Run with ``python -m benchmarks.recorded_claims [NAME …]``; a minute or two. The same files give the
same figures.
"""

from __future__ import annotations

import argparse

import anyio
from benchmarks.recorded_claims import chains, efforts, learnt, logs
from benchmarks.recorded_claims.checked import check

from workspan.app.mapping import keep_verdicts
from workspan.cli.map import record
from workspan.cli.plain import say_json


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    known = chains.rows() | learnt.rows() | efforts.rows() | logs.rows()
    parser.add_argument("names", nargs="*", help=", ".join(known))
    parser.add_argument("--store", default="", help="keep the verdicts there")
    told = parser.parse_args()
    if unknown := {*told.names} - {*known}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    check()
    for name in told.names or known:
        rows = known[name]()
        for row in rows:
            say_json(record(row))
        if told.store:
            anyio.run(keep_verdicts, told.store, rows)


if __name__ == "__main__":
    main()
