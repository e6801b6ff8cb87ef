"""What strategy reinforcement on one format leaves: one line a model and format, then over seeds.

``python -m benchmarks.training_format START FOLDER [FOLDER ..]``: START is the weights that all
runs began with, each FOLDER one seed's reinforced-{choice,free,useless}.safetensors.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy.stats import t

from workspan.claims.base import Setting
from workspan.claims.training_format import NAMES, drawn
from workspan.lab.stats import bootstrap
from workspan.reasoner.families.formats import Asked, strategy
from workspan.reasoner.model import Model

PROBLEMS = 100


def measured(weights: Path) -> dict[Asked, float]:
    """Print what chains are like in each format; return the share that are breadth first."""
    model, found = Model.load(weights), {}
    for asked in NAMES:
        judged = drawn(model, asked, PROBLEMS, Setting())
        counts = [[strategy(ids) for ids in one.chains] for one in judged]
        breadth = [fmean(count.is_breadth_first for count in group) for group in counts]
        opened, backtracks, tokens = np.array(counts).mean(axis=(0, 1))
        low, high = bootstrap(breadth)
        found[asked] = fmean(breadth)
        print(
            f"| {weights.parent.name}/{weights.stem} | {asked} | {found[asked]:.3f} "
            f"[{low:.3f}, {high:.3f}] | {opened:.2f} | {backtracks:.2f} | {tokens:.1f} "
            f"| {fmean(one.accuracy for one in judged):.3f} |",
            flush=True,
        )
    return found


def over_seeds(what: str, changes: list[float]) -> None:
    """Print a mean over seeds and its 95 % t interval."""
    values = np.array(changes)
    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    mean = values.mean()
    print(f"{what}: {mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}], {len(values)} seeds")


def main() -> None:
    """Measure every run, then the changes from the start over seeds."""
    start, *folders = map(Path, sys.argv[1:])
    print("| weights | read on | breadth first | opened | backtracks | tokens | right |")
    print("|---|---|---|---|---|---|---|")
    before = measured(start)
    runs = [
        {trained: measured(folder / f"reinforced-{trained}.safetensors") for trained in NAMES}
        for folder in folders
    ]
    for trained in NAMES:
        for asked in NAMES:
            changes = [run[trained][asked] - before[asked] for run in runs]
            over_seeds(f"reinforced on {trained}, read on {asked}: change", changes)
    own = [{a: run[a][a] - before[a] for a in NAMES} for run in runs]
    over_seeds("choice less useless, each on its own", [o["choice"] - o["useless"] for o in own])
    over_seeds("choice less free, each on its own", [o["choice"] - o["free"] for o in own])


if __name__ == "__main__":
    main()
