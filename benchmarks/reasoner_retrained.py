"""Is a new run of the recipe `graphs` what earlier runs make likely?

Weights of one run say how well those weights do; what the recipe gives varies from run to run. For
each row of `reasoner_quality` this takes the share of right chains in the earlier runs kept in
`reasoner_runs.json` and states where the next run's will lie, with 95 % (`lab.stats.next_value`);
where all runs are level, the interval of 100 problems none of which differed. Of 28 rows one or two
will be outside by chance.

Train, judge and compare with::

    python -m workspan_evidence.train graphs --seed S --to RUN
    python -m benchmarks.reasoner_quality --weights RUN/graphs.safetensors --output run.json
    python -m benchmarks.reasoner_retrained run.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reasoner_quality import named

from workspan.lab.stats import Interval, bootstrap, next_value

RUNS = Path(__file__).with_name("reasoner_runs.json")
"""Of each run its name and every row's share of right chains."""
PROBLEMS = 100
"""Behind each share."""


def main() -> None:
    """Print where the next run is to be expected, and where this one lies."""
    parser = argparse.ArgumentParser(description="Compare a training run with those before it.")
    parser.add_argument("run", type=Path, nargs="?", help="what reasoner_quality --output wrote")
    asked = parser.parse_args()
    runs = json.loads(RUNS.read_text())
    new = {} if asked.run is None else _right(asked.run)
    print(f"| family | {' | '.join(run['name'] for run in runs)} | next run, 95 % | this run |")
    print("|---" * (len(runs) + 3) + "|")
    outside = 0
    for family in runs[0]["right"]:
        values = [run["right"][family] for run in runs]
        low, high = next_run(values)
        cells = [*(f"{value:.3f}" for value in values), f"{low:.3f} to {high:.3f}"]
        said = "–"
        if family in new:
            is_out = not low <= round(new[family], 3) <= high
            said = f"{new[family]:.3f}" + (" (outside)" if is_out else "")
            outside += is_out
        print(f"| {family} | {' | '.join(cells)} | {said} |")
    if new:
        print(f"\n{outside} of {len(new)} rows outside; {0.05 * len(new):.1f} are to be expected.")


def next_run(values: Sequence[float]) -> Interval:
    """Return where the next value of several, each in [0, 1], is to be expected, to 0.001."""
    level = min(values) == max(values)
    low, high = bootstrap([values[0]] * PROBLEMS) if level else next_value(values)
    return Interval(round(max(0.0, low), 3), round(min(1.0, high), 3))


def _right(file: Path) -> dict[str, float]:
    return {named(row["family"]): row["right"][0] for row in json.loads(file.read_text())["rows"]}


if __name__ == "__main__":
    main()
