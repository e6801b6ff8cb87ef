"""How fast sweeps are where no model is waited for: beside a bare loop, growing, into a store.

    python -m benchmarks.lab [--rounds 5] [--problems 1000] [--chains 64] [--growth]

*Replay*: one family of votes (n = 1, 2, 4 … chains) over random recorded chains, from the recording
to the rows that are kept, against a bare loop of NumPy that counts the votes of each problem and n
on the same chains (answers numbered, grades known) and keeps nothing but means. Rounds take turns;
the ratio is the median of paired ratios of processor seconds. *Growth*: the same at 10 and 100
times the problems, with the memory that the process came to hold. *Store*: cells a second into a
file of SQLite, in batches as a sweep's group commits make them, wall and processor seconds.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import anyio
import numpy as np

from workspan.data.types import Problem
from workspan.lab.sweeping.cell import Cell, problems_digest
from workspan.lab.sweeping.nested import families
from workspan.lab.sweeping.outcome import CellRow, cell_row
from workspan.lab.sweeping.recorded import Recorded
from workspan.lab.sweeping.results import Finished, Results
from workspan.recordings.recording import Chain, Recording
from workspan.store.database import database_at

BATCH = 500
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Made(NamedTuple):
    """A recording, and the same as a bare loop takes it."""

    recording: Recording
    answers: np.ndarray
    """int64 [problem, chain]: the number of each chain's answer; 0 is right."""
    tokens: np.ndarray


def made(problems: int, chains: int, seed: int = 0) -> Made:
    """Draw chains: each problem has its own chance of the right answer, and five wrong ones."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(1, 1, (problems, 1))
    wrong = rng.integers(1, 6, (problems, chains))
    answers = np.where(rng.random((problems, chains)) < chance, 0, wrong)
    tokens = rng.integers(200, 20_000, (problems, chains))
    asked = tuple(Problem.ask(f"{i}?", kind="number", id=f"p{i}") for i in range(problems))
    held = {
        one.id: tuple(
            Chain((n,), (str(a),)) for a, n in zip(row.tolist(), cost.tolist(), strict=True)
        )
        for one, row, cost in zip(asked, answers, tokens, strict=True)
    }
    return Made(Recording("made", asked, held, {p.id: "0" for p in asked}), answers, tokens)


def bare(one: Made, sizes: Sequence[int]) -> list[tuple[float, float, float]]:
    """Count every vote in a loop: accuracy, work and span by the number of chains."""
    found = []
    for n in sizes:
        right = work = span = 0.0
        for answers, tokens in zip(one.answers, one.tokens, strict=True):
            values, first, counts = np.unique(answers[:n], return_index=True, return_counts=True)
            tied = first[counts == counts.max()]  # the first drawn of equals
            right += answers[tied.min()] == 0 if len(tied) > 1 else values[counts.argmax()] == 0
            work += tokens[:n].sum()
            span += tokens[:n].max()
        many = len(one.answers)
        found.append((right / many, work / many, span / many))
    return found


def ours(one: Made, sizes: Sequence[int]) -> list[CellRow]:
    """Sweep the same family, from the recording to the rows that are kept."""
    recorded = Recorded(replace(one.recording, _kept={}))  # nothing of an earlier round
    tasks = recorded.tasks()["recorded"]
    cap, digest = one.recording.longest, problems_digest(tasks)
    cells = [
        Cell(
            *("r", "made", "made", "recorded", digest),
            *(f"self_consistency(n={n}, max_tokens={cap})", "unlimited", "", 0),
        )
        for n in sizes
    ]
    [family] = families(cells)
    rows = recorded.at_once(family, tasks)
    assert rows is not None
    of = len(tasks)
    return [cell_row(c, rows[c.id], of=of, draws=family.largest.id) for c in family.cells]


def replay(problems: int, chains: int, rounds: int) -> None:
    """Print the paired ratio of the bare loop's processor seconds to ours."""
    one = made(problems, chains)
    sizes = [n for n in SIZES if n <= chains]
    bare(one, sizes)
    ratios, times, found = [], [], ours(one, sizes)
    for _ in range(rounds):
        began = time.process_time()
        bare(one, sizes)
        between = time.process_time()
        found = ours(one, sizes)
        times.append((between - began, time.process_time() - between))
        ratios.append(times[-1][0] / times[-1][1])
    theirs, mine = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"replay: {problems} problems x {chains} chains, {len(sizes)} cells")
    print(f"  bare loop {theirs:.3f} s, sweep {mine:.3f} s of one core")
    said = f"{statistics.median(ratios):.2f} times the bare loop's speed"
    print(f"  {said} ({min(ratios):.2f} to {max(ratios):.2f} in {rounds} rounds)")
    same = (found[0].work, found[0].span) == bare(one, sizes)[-1][1:]
    print(f"  work and span of all {chains} chains are the bare loop's: {same}")


def growth(chains: int) -> None:
    """Print time and memory as the problems grow tenfold and hundredfold."""
    for problems in (100, 1_000, 10_000):
        one = made(problems, chains)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        ours(one, SIZES)
        spent = time.process_time() - began
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"growth: {problems} problems in {spent:.2f} s, {spent / problems * 1e6:.0f} us each; "
            f"{(after - before) / 1024:.0f} MiB more than the recording's own"
        )


def store(cells: int) -> None:
    """Print how many cells a second a file of SQLite keeps, without and with their problems."""
    rng = random.Random(0)
    for trials in (0, 20):
        recorded = Recorded(made(max(1, trials), 1).recording)
        tasks = recorded.tasks()["recorded"]
        cell = Cell("r", "made", "made", "recorded", "", "self_consistency(n=1)", "", "", 0)
        [family] = families(
            [replace(cell, strategy="self_consistency(n=1, max_tokens=99999)", budget="unlimited")]
        )
        held = recorded.at_once(family, tasks)
        assert held is not None
        rows = tuple(held[family.largest.id])[:trials]
        one = cell_row(family.largest, rows, of=max(1, trials), draws="x")
        batch = [
            Finished(replace(one, id=f"{rng.getrandbits(80):020x}"), rows) for _ in range(cells)
        ]
        with tempfile.TemporaryDirectory() as folder:
            wall, processor = anyio.run(_kept, str(Path(folder) / "s.db"), batch)
        print(
            f"store: {cells} cells with {trials} problems each, {cells / wall:.0f} a second "
            f"({cells / processor:.0f} a processor second) in batches of {BATCH}"
        )


async def _kept(path: str, finished: Sequence[Finished]) -> tuple[float, float]:
    database = database_at(path)
    await database.open()
    results = Results(database)
    wall, processor = time.perf_counter(), time.process_time()
    for start in range(0, len(finished), BATCH):
        await results.keep(finished[start : start + BATCH])
    spent = time.perf_counter() - wall, time.process_time() - processor
    await database.aclose()
    return spent


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--problems", type=int, default=1000)
    parser.add_argument("--chains", type=int, default=64)
    parser.add_argument("--cells", type=int, default=20_000)
    parser.add_argument("--growth", action="store_true")
    options = parser.parse_args()
    replay(options.problems, options.chains, options.rounds)
    store(options.cells)
    if options.growth:
        growth(options.chains)


if __name__ == "__main__":
    main()
