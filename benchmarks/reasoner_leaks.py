"""Does a graph problem's prompt give the answer away without a walk?

Every check is held against families with a leak planted on purpose
(`workspan_evidence.audit.planted`): a check that does not find those has no power, and its silence
says nothing. The rule, fixed before the measurement:

- *Exact* (`workspan_evidence.audit.leaks`, 20 problems a size). A leak is a problem in which colour
  refinement tells the candidates apart, or lets the source tell which of them is its own, in fewer
  rounds than there are edges between source and answer; or, the source unmarked, ever; or one that
  cannot be crossed at every depth. Power: every planted change of the graph is found.
- *Cues* (`workspan_evidence.audit.cues`; 4,000 problems a size). A leak is a share of right guesses
  off 1/2 by more than z sqrt(1 / 4n), n the problems in which the cue says anything, z the normal
  quantile of 5 % shared among all cues and sizes (Bonferroni): without a leak, one run in twenty
  finds one. Power: a right candidate that is asked for first, or has the smaller label, in 57 % of
  the problems is found.
- *A trained reader* (`workspan_evidence.train.message_passing`; 4,000 fresh problems a size). A
  leak is an accuracy off 1/2, by the same rule among all sizes and rounds, in fewer rounds than
  edges. Power: at as many rounds as edges the lower 95 % limit is 0.95 at least, size by size; and
  each planted leak is found in fewer rounds, where it is there to be seen.
- *The transformer*, trained to answer at once (`workspan_evidence.train.at_once`; 2,000 fresh
  problems a size). Power: a lower limit of 0.95 for paths of one and of two edges; and each planted
  leak is found where a leak is looked for: at twice as many edges as are solved, or more (a walk
  from both ends may reach in part what is between). A leak is an accuracy off 1/2, by the same
  rule, there.

A reader that compares what is around the source with what is around a candidate needs but half the
rounds: it walks from both ends. Here each candidate is judged by its own surroundings.

Run with ``python -m benchmarks.reasoner_leaks``; ``--smoke`` for a small run without the
transformer, ``--only PART``, ``--output FILE`` for JSON. Needs PyTorch for the trained
parts.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from statistics import NormalDist
from tempfile import TemporaryDirectory
from time import process_time

from workspan.lab.stats import Interval, wilson
from workspan_evidence.audit import cues as surface
from workspan_evidence.audit import leaks
from workspan_evidence.audit.planted import Bare, Drawn, Labelled, Ordered
from workspan_evidence.families.connectivity import Bridge, Deep
from workspan_evidence.families.connectivity import Path as Line
from workspan_evidence.families.heavy import Heavy
from workspan_evidence.reasoner.catalogue import FOLDER

SOLVED = 0.95
EXACT: Sequence[Drawn] = (
    *(Line(d) for d in range(1, 17)),
    *(Deep(d) for d in range(1, 11)),
    *(Heavy(m, h) for m, h in ((1, 1), (1, 2), (2, 1), (1, 3), (2, 2), (1, 4))),
    *(Bridge(d) for d in range(1, 5)),
)
EXACT_PLANTED: Sequence[Drawn] = (Bare(Deep(4)), Bare(Heavy(2, 2)), Bare(Bridge(2)))
CUED: Sequence[Drawn] = (Line(2), Line(8), Deep(2), Deep(8), Heavy(2, 2), Heavy(1, 4), Bridge(2))
CUED_PLANTED: Sequence[Drawn] = (Ordered(Deep(2)), Labelled(Deep(2)))
LADDERS: Sequence[Sequence[Drawn]] = (
    tuple(Line(d) for d in (1, 2, 3, 4, 5, 6, 8)),
    tuple(Deep(d) for d in (1, 2, 3, 4, 5, 6)),
    tuple(Heavy(m, h) for m, h in ((1, 1), (1, 2), (2, 2), (1, 3), (1, 4))),
    (Bridge(1, 2, 3, 1), Bridge(1), Bridge(2, 2, 3, 1), Bridge(2)),
)
"""What one reader after the other is trained on, from small to large."""
PLANTED: Sequence[Sequence[Drawn]] = (
    (Bare(Deep(2)), Bare(Deep(4))),
    (Bare(Heavy(1, 1)), Bare(Heavy(2, 2))),
    (Ordered(Line(2)), Ordered(Line(4))),
    (Labelled(Deep(1)), Labelled(Deep(2))),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """Right answers to one size's problems, told one way."""

    family: str
    how: str
    right: int
    n: int

    def is_off(self, cells: int) -> bool:
        """Say whether the share is off 1/2, at 5 % shared among so many cells."""
        z = NormalDist().inv_cdf(1 - 0.025 / cells)
        return abs(self.right / self.n - 0.5) > z * math.sqrt(0.25 / self.n)

    @property
    def limits(self) -> Interval:
        """The 95 % interval."""
        return wilson([1.0] * self.right + [0.0] * (self.n - self.right))

    def __str__(self) -> str:
        low, high = self.limits
        return f"{self.family}, {self.how}: {self.right / self.n:.3f} [{low:.3f}, {high:.3f}]"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One part's outcome; every list is empty where it passes with power."""

    leaks: list[str]
    missed: list[str]
    """Planted leaks that were not found."""
    unsolved: list[str]
    """Sizes at which the reader has no power."""
    cells: list[Cell]
    cpu_seconds: float = 0.0


def exact(*, problems: int, sizes: Sequence[Drawn]) -> Verdict:
    """Colour and cross problems of every size."""

    def first(size: Drawn) -> str | None:
        rng = Random(f"leaks:{size}")
        found = (leak for _ in range(problems) for leak in leaks.exact_leaks(size.problem(rng)))
        return next((f"{size}: {leak}" for leak in found), None)

    missed = [str(size) for size in EXACT_PLANTED if first(size) is None]
    return Verdict([leak for size in sizes if (leak := first(size))], missed, [], [])


def cues(*, problems: int, sizes: Sequence[Drawn]) -> Verdict:
    """Count how often each cue is right."""

    def count(size: Drawn) -> list[Cell]:
        rng = Random(f"cues:{size}")
        drawn = [size.problem(rng) for _ in range(problems)]
        said = {name: [surface.says(cue, p) for p in drawn] for name, cue in surface.CUES.items()}
        return [
            Cell(str(size), name, answers.count(True), problems - answers.count(None))
            for name, answers in said.items()
            if answers.count(None) < problems
        ]

    cells = [cell for size in sizes for cell in count(size)]
    planted = [count(size) for size in CUED_PLANTED]
    return Verdict(
        [str(cell) for cell in cells if cell.is_off(len(cells))],
        [group[0].family for group in planted if not any(c.is_off(len(cells)) for c in group)],
        [],
        cells + [cell for group in planted for cell in group],
    )


def reader(
    *,
    steps: int,
    problems: int,
    ladders: Sequence[Sequence[Drawn]],
    planted: Sequence[Sequence[Drawn]],
) -> Verdict:
    """Train message-passing readers."""
    from workspan_evidence.train.message_passing import Schedule, train_reader

    schedule = Schedule(steps, problems=problems)

    def read(ladder: Sequence[Drawn]) -> list[list[Cell]]:
        """Return for each size the cells of 0, 1, .. rounds, the last as many as edges."""
        reads = train_reader(ladder, schedule)
        groups = [
            [
                Cell(str(size), f"{k} rounds", right, one.problems)
                for k, right in enumerate(one.right)
            ]
            for size, one in zip(ladder, reads, strict=True)
        ]
        for group in groups:
            print(*group, sep="\n", flush=True)
        return groups

    found = [group for ladder in ladders for group in read(ladder)]
    below = [cell for group in found for cell in group[:-1]]
    last = [read(ladder)[-1] for ladder in planted]
    return Verdict(
        [str(cell) for cell in below if cell.is_off(len(below))],
        [str(group[-2]) for group in last if not group[-2].is_off(len(below))],
        [str(group[-1]) for group in found if group[-1].limits.low < SOLVED],
        [cell for group in found + last for cell in group],
    )


def transformer(*, problems: int, folder: Path) -> Verdict:
    """Train the reasoner's own architecture to answer at once."""
    from workspan_evidence.train import at_once
    from workspan_evidence.train.loop import train
    from workspan_evidence.train.weights import save_weights

    start = FOLDER / "graphs.safetensors"
    for recipe in (at_once.GRAPHS_TWO, at_once.GRAPHS_THREE):
        weights = folder / f"{recipe.name}.safetensors"
        if not weights.exists():
            save_weights(train(recipe, start=start, watch=print), weights)
        start = weights

    def read(plant: Callable[[Drawn], Drawn], sizes: Sequence[Drawn]) -> list[Cell]:
        network = at_once.train_at_once(start, plant).network
        cells = []
        for size in map(plant, sizes):
            rng = Random(f"leaks:{size}")
            right = at_once.right_at_once(network, size, problems, rng)
            cells.append(Cell(str(size), "at once", right, problems))
            print(cells[-1], flush=True)
        return cells

    sizes = (*at_once.NEAR, *at_once.FAR)
    found = dict(zip(sizes, read(lambda size: size, sizes), strict=True))
    edges = {size: leaks.distance(size.problem(Random(0))) for size in sizes}
    solved = [edges[size] for size, cell in found.items() if cell.limits.low >= SOLVED]
    far = [size for size in sizes if edges[size] >= 2 * max(solved, default=1)]
    planted = [read(plant, far) for plant in (Ordered, Bare)]
    return Verdict(
        [str(found[size]) for size in far if found[size].is_off(len(far))],
        [cells[0].family for cells in planted if not any(c.is_off(len(far)) for c in cells)],
        [
            str(cell)
            for size, cell in found.items()
            if edges[size] <= 2 and edges[size] not in solved
        ],
        [*found.values(), *(cell for cells in planted for cell in cells)],
    )


def _parts(folder: Path, *, smoke: bool) -> dict[str, Callable[[], Verdict]]:
    if smoke:
        return {
            "exact": partial(exact, problems=2, sizes=EXACT[::3]),
            "cues": partial(cues, problems=1500, sizes=CUED[::3]),
            "reader": partial(
                reader,
                steps=200,
                problems=2000,
                ladders=[(Line(1), Line(2))],
                planted=[(Bare(Deep(2)),), (Ordered(Line(2)),)],
            ),
        }
    return {
        "exact": partial(exact, problems=20, sizes=EXACT),
        "cues": partial(cues, problems=4000, sizes=CUED),
        "reader": partial(reader, steps=300, problems=4000, ladders=LADDERS, planted=PLANTED),
        "transformer": partial(transformer, problems=2000, folder=folder),
    }


def _print(name: str, verdict: Verdict) -> None:
    passes = not (verdict.leaks or verdict.missed or verdict.unsolved)
    print(f"{name}: {'passes with power' if passes else 'does not pass'}", flush=True)
    for what in ("leaks", "missed", "unsolved"):
        for line in getattr(verdict, what):
            print(f"  {what}: {line}")


def main() -> None:
    parser = argparse.ArgumentParser(description="What gives a graph problem's answer away.")
    parser.add_argument("--smoke", action="store_true", help="small, without the transformer")
    parser.add_argument("--only", default="", help="one part: exact, cues, reader or transformer")
    parser.add_argument("--output", type=Path, help="write JSON here")
    parser.add_argument("--folder", type=Path, help="keep, and find, the transformer's stages here")
    asked = parser.parse_args()
    report = {}
    with TemporaryDirectory() as made:
        for name, part in _parts(asked.folder or Path(made), smoke=asked.smoke).items():
            if asked.only in ("", name):
                began = process_time()
                report[name] = replace(part(), cpu_seconds=round(process_time() - began, 1))
                _print(name, report[name])
    if asked.output:
        written = {name: asdict(verdict) for name, verdict in report.items()}
        asked.output.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
