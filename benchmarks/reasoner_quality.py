"""What the reasoner's weights can do: accuracy, found rates beside their closed forms, abstention.

Every row is a family of one size on fresh problems; intervals are 95 % bootstrap intervals over
problems. Run with ``python -m benchmarks.reasoner_quality``; ``--weights FILE`` for others than the
package's, ``--output FILE`` for JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

from workspan.lab.stats import bootstrap
from workspan_evidence.families.base import Family
from workspan_evidence.families.connectivity import Bridge, Deep
from workspan_evidence.families.connectivity import Path as Line
from workspan_evidence.families.heavy import Heavy
from workspan_evidence.reasoner import catalogue, evaluation
from workspan_evidence.reasoner.evaluation import Judged
from workspan_evidence.reasoner.model import Model

LIMITS: dict[Family[Any], tuple[int, ...]] = {
    **{Line(d): (d,) for d in (1, 2, 4, 8, 12, 16)},
    **{Deep(d): (d, d + 3, d + 6, 4 * d) for d in (1, 2, 3, 4, 6, 8, 10)},
    **{Heavy(m, h): (m + h, 64, 110) for m, h in ((1, 3), (1, 4), (2, 2))},
    **{Bridge(d): (3 * d, 9 * d, 18 * d, 30 * d) for d in (1, 2, 3, 4)},
    **{Bridge(d, format="path"): (5 * d,) for d in (1, 2, 3, 4)},
    **{Bridge(d, format="shortest"): (3 * d,) for d in (1, 2, 3, 4)},
}
"""Families, and at which caps they are to be found; the last one is where chains are cut."""

END = 3
"""Tokens of ``= answer </s>``."""


def main() -> None:
    """Print one row a family."""
    parser = argparse.ArgumentParser(description="Quality of the reasoner's weights.")
    parser.add_argument("--weights", type=Path, default=catalogue.FOLDER / "graphs.safetensors")
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--chains", type=int, default=16)
    parser.add_argument("--min-p", type=float, help="the weights' own where not given")
    parser.add_argument("--only", default="", help="families whose written form has this in it")
    parser.add_argument("--output", type=Path, help="write JSON here")
    asked = parser.parse_args()
    model = Model.load(asked.weights)
    min_p = model.shape.min_p if asked.min_p is None else asked.min_p
    print(f"{asked.problems} problems, {asked.chains} chains each, min_p {min_p}")
    print("| family | right | wrong | abstains if cut | tokens | found by cap (ideal) |")
    print("|---|---|---|---|---|---|")
    rows = []
    for family, caps in LIMITS.items():
        if asked.only not in str(family):
            continue
        began = process_time()
        judged = evaluation.judge(
            model,
            family,
            problems=asked.problems,
            chains=asked.chains,
            limit=caps[-1] + END,
            min_p=min_p,
        )
        row = measure(model, family, caps, judged)
        row["cpu_seconds"] = round(process_time() - began, 2)
        rows.append(row)
        print(written(row), flush=True)
    if asked.output:
        asked.output.write_text(json.dumps({"min_p": min_p, "rows": rows}, indent=1) + "\n")


def measure(
    model: Model, family: Family[Any], caps: Sequence[int], judged: Sequence[Judged]
) -> dict[str, Any]:
    """Return means over problems with their intervals."""
    rng = Random(0)

    def mean(of: Callable[[Judged], float]) -> list[float]:
        values = [of(one) for one in judged]
        return [round(x, 5) for x in (statistics.fmean(values), *bootstrap(values))]

    row: dict[str, Any] = {
        "family": str(family),
        "problems": len(judged),
        "right": mean(lambda one: one.accuracy),
        "wrong": mean(lambda one: one.wrong),
        "legal": mean(lambda one: one.legal),
        "abstains": mean(lambda one: evaluation.abstains(model, one, rng)),
        "tokens": round(statistics.fmean(one.tokens for one in judged), 2),
    }
    ideal = family.found if getattr(family, "format", "dfs") == "dfs" else None  # type: ignore[attr-defined]
    row["found"] = {
        cap: {"measured": mean(partial(Judged.found, cap=cap)), "ideal": ideal and ideal(cap)}
        for cap in caps
    }
    forks = [evaluation.first_fork(one) for one in judged]
    if len(forks[0]) > 1:
        shares = [share for fork in forks for share in fork]
        row["fork"] = {"sd": statistics.pstdev(shares), "least": min(shares)}
    return row


def named(family: str) -> str:
    """Return a family's written form without what is the same in every row."""
    return family.replace("short=3, long=5, dead=3, ", "").replace(", format='dfs'", "")


def written(row: dict[str, Any]) -> str:
    """Write a measured row as a line of the table."""

    def interval(values: Sequence[float]) -> str:
        mean, low, high = values
        return f"{mean:.3f} [{low:.3f}, {high:.3f}]"

    found = ", ".join(
        f"{cap}: {interval(one['measured'])}"
        + (f" ({one['ideal']:.3f})" if one["ideal"] is not None else "")
        for cap, one in row["found"].items()
    )
    fork = f"; fork sd {row['fork']['sd']:.3f}" if "fork" in row else ""
    cells = (interval(row[key]) for key in ("right", "wrong", "abstains"))
    return f"| {named(row['family'])} | {' | '.join(cells)} | {row['tokens']:.1f} | {found}{fork} |"


if __name__ == "__main__":
    main()
