"""Write the results page of the claims from what a run said of them.

``workspan claims --json > claims.jsonl``, then ``python -m benchmarks.claims_page claims.jsonl
--run 'two cores, a fresh clone' > docs/results/claims.md``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HEAD = """# Claims: results

`workspan claims --json`, {date}, {run}. Written by `python -m benchmarks.claims_page`, not by hand.
What a verdict means, and how far it goes: [claims](../claims.md).

## Verdicts

| claim | verdict | statistic | 95 % | line | problems | seconds | measured on |
|---|---|---|---|---|---|---|---|
"""


def page(records: Sequence[dict[str, Any]], date: datetime.date, run: str) -> str:
    """Return the page in Markdown.

    Args:
        records: one of each claim, as ``--json`` writes them.
        date: of the run.
        run: the machine, in words.
    """
    rows = "\n".join(map(_verdict, records))
    details = "\n".join(line for record in records for line in _measured(record))
    return HEAD.format(date=date, run=run) + rows + "\n\n## Beside the statistics\n" + details


def _verdict(record: dict[str, Any]) -> str:
    cells = (
        f"`{record['name']}` {record['statement']}",
        record["verdict"],
        _figure(record["statistic"]),
        f"{_figure(record['low'])} to {_figure(record['high'])}",
        _figure(record["line"]),
        str(record["problems"]),
        f"{record['seconds']:.0f}",
        record["on"],
    )
    return f"| {' | '.join(cells)} |"


def _measured(record: dict[str, Any]) -> Iterator[str]:
    if not record["rows"]:
        return
    yield f"\n`{record['name']}`\n\n| | | 95 % |\n|---|---|---|"
    for row in record["rows"]:
        interval = f"{_figure(row['low'])} to {_figure(row['high'])}"
        yield f"| {row['what']} | {_figure(row['value'])} | {interval} |"


def _figure(value: float) -> str:
    return f"{value:.3g}"


def main() -> None:
    """Read the records and print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path)
    parser.add_argument("--run", default="", help="the machine, in words")
    told = parser.parse_args()
    lines = told.records.read_text().splitlines()
    date = datetime.datetime.fromtimestamp(told.records.stat().st_mtime, datetime.UTC).date()
    sys.stdout.write(page([json.loads(line) for line in lines], date, told.run) + "\n")


if __name__ == "__main__":
    main()
