"""Votes on recorded chains of a real model: do the strategies give the published figures?

Runs voting strategies, unchanged and under the session's account, on a replay of Qwen3-8B's chains
on AIME24 and AIME25 (Parallel-Probe, arXiv:2602.03845: 30 + 30 problems, 128 chains each, an
interim answer every 500 tokens), and prints accuracy, work and span beside what the README of
zhengkid/Parallel-Probe gives. There an answer that could not be read ("ERR") is a vote like any
other, here it is none unless ``--errors-vote`` is given. Then the width × depth table: every chain
cut at depth d and asked for its answer, vote over width w. The file has no licence and is not part
of the project.

Run with ``python -m benchmarks.recorded_votes``; ``--smoke`` for one seed, ``--output FILE`` for
JSON. The same seeds give the same figures.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev

import anyio

from workspan.answers import equivalent
from workspan.answers.voting import plurality
from workspan.core.session import Strategy
from workspan.data.types import Candidate
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.parquet import NO_ANSWER, read_chains
from workspan.recordings.recording import Recording
from workspan.runner import run
from workspan.spec import parse_strategy, write

CHAINS = Path(__file__).parents[2] / "shared" / "data" / "chains" / "parallel_probe_qwen3.parquet"
MODEL = "Qwen/Qwen3-8B"
TASKS = ("aime24", "aime25")
VOTES = (
    "single(max_tokens=50000)",
    "self_consistency(n=64, max_tokens=50000)",
    "adaptive_consistency(n=64, max_tokens=50000)",
    "esc(n=64, window=8, max_tokens=50000)",
    "bayesian_stopping(n=64, max_tokens=50000)",
)
SLOW = (
    "adaptive_consistency(n=64, prior='dirichlet', max_tokens=50000)",
    "parallel_probe",
)
PUBLISHED = {
    ("self_consistency", "aime24"): (80.4, 910.8, 30.1),
    ("self_consistency", "aime25"): (76.7, 1124.4, 30.7),
    ("adaptive_consistency", "aime24"): (80.4, 226.0, 226.0),
    ("adaptive_consistency", "aime25"): (76.7, 406.2, 406.2),
    ("esc", "aime24"): (80.4, 459.4, 84.7),
    ("esc", "aime25"): (76.7, 793.1, 132.4),
    ("parallel_probe", "aime24"): (81.5, 730.8, 20.3),
    ("parallel_probe", "aime25"): (76.9, 846.9, 21.9),
}
"""Accuracy in %, total and sequential tokens in thousands; probes were not charged there."""
DEPTHS = (4_000, 8_000, 16_000, 40_000)
WIDTHS = (1, 2, 4, 8, 16, 64)


@dataclass(frozen=True, slots=True)
class Row:
    """One strategy on one task set: means over problems and seeds."""

    strategy: str
    task: str
    seeds: int
    accuracy: float
    """In %."""
    error: float | None
    """Standard error of the accuracy over seeds; None with one."""
    work: float
    span: float
    samples: float
    """Calls, probes included."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One width and depth: accuracy in % and tokens, means over problems and resamples."""

    task: str
    depth: int
    width: int
    accuracy: float
    work: float


async def measure(text: str, task: str, recording: Recording, seeds: int, note: str = "") -> Row:
    """Run a strategy on all problems, each seed on an engine of its own."""
    strategy: Strategy = parse_strategy(text)
    accuracies: list[float] = []
    works, spans, calls = [], [], []
    for seed in range(seeds):
        engine, right = ReplayEngine(recording), 0
        for problem in recording.problems:
            result = await run(strategy, problem, engine, seed=seed)
            reference = recording.references[problem.id]
            right += equivalent(result.answer.text or "", reference, problem.kind)
            works.append(result.work)
            spans.append(result.span)
            calls.append(result.usage.calls)
        accuracies.append(100 * right / len(recording.problems))
    error = stdev(accuracies) / seeds**0.5 if seeds > 1 else None
    name = note or write(strategy)
    return Row(
        name, task, seeds, fmean(accuracies), error, fmean(works), fmean(spans), fmean(calls)
    )


def shapes(recording: Recording, samples: int = 40) -> str:
    """Write the answer counts of each problem's first chains, as a prior for other problems."""
    pool = []
    for problem in recording.problems:
        answers = [chain.answers[-1] for chain in recording.chains[problem.id][:samples]]
        counts = Counter(answer for answer in answers if answer is not None)
        pool.append(tuple(sorted(counts.values(), reverse=True)))
    return repr(tuple(pool))


def grid(task: str, recording: Recording, resamples: int) -> Iterator[Cell]:
    """Cut every chain at each depth, ask it there, and vote over each width."""
    rng = random.Random(0)
    for depth in DEPTHS:
        for width in WIDTHS:
            right, work = [], []
            for problem in recording.problems:
                for _ in range(resamples):
                    chains = rng.sample(recording.chains[problem.id], width)
                    asked = [Candidate("", chain.answer_at(depth)) for chain in chains]
                    answer = plurality(asked, problem.kind).text or ""
                    reference = recording.references[problem.id]
                    right.append(equivalent(answer, reference, problem.kind))
                    work.append(sum(min(depth, chain.tokens) for chain in chains))
            yield Cell(task, depth, width, 100 * fmean(right), fmean(work))


def show(rows: Sequence[Row], cells: Sequence[Cell]) -> None:
    """Print both tables as Markdown."""
    print("| strategy | task | seeds | accuracy % | work k | span k | published: %, k, k |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        known = PUBLISHED.get((row.strategy.split("(")[0], row.task))
        error = "" if row.error is None else f" ± {row.error:.1f}"
        print(
            f"| {row.strategy} | {row.task} | {row.seeds} | {row.accuracy:.1f}{error} "
            f"| {row.work / 1000:.1f} | {row.span / 1000:.1f} "
            f"| {', '.join(map(str, known)) if known else ''} |"
        )
    print(f"\n| task, depth | {' | '.join(map(str, WIDTHS))} |\n|---|{'---|' * len(WIDTHS)}")
    for i in range(0, len(cells), len(WIDTHS)):
        line = cells[i : i + len(WIDTHS)]
        values = " | ".join(f"{cell.accuracy:.1f} ({cell.work / 1000:.0f}k)" for cell in line)
        print(f"| {line[0].task} {line[0].depth} | {values} |")


async def main(options: argparse.Namespace) -> None:
    seeds, few = (1, 1) if options.smoke else (options.seeds, options.few)
    blank = ("",) if options.errors_vote else NO_ANSWER
    recordings = {
        task: read_chains(options.chains, options.model, [task], no_answer=blank) for task in TASKS
    }
    rows: list[Row] = []
    cells: list[Cell] = []
    for text in (*VOTES, *SLOW):
        for task, recording in recordings.items():
            rows.append(await measure(text, task, recording, few if text in SLOW else seeds))
    for task, other in zip(TASKS, reversed(TASKS), strict=True):
        pool = shapes(recordings[other])
        text = f"bayesian_stopping(n=64, shapes={pool}, max_tokens=50000)"
        note = f"bayesian_stopping, n=64, shapes of {other}"
        rows.append(await measure(text, task, recordings[task], seeds, note))
    for task, recording in recordings.items():
        cells += grid(task, recording, 2 if options.smoke else 20)
    show(rows, cells)
    if options.output:
        report = {
            "model": options.model,
            "rows": [asdict(row) for row in rows],
            "cells": [asdict(cell) for cell in cells],
        }
        options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chains", type=Path, default=CHAINS)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--few", type=int, default=4, help="seeds of the slow strategies")
    parser.add_argument(
        "--errors-vote",
        action="store_true",
        help="count what could not be read as one more answer, as the authors' code does",
    )
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--output", type=Path)
    anyio.run(main, parser.parse_args())
