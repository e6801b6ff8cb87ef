"""Tokens per CPU-second of the reasoner's engine, beside onnxruntime and llama.cpp.

All run the same weights in float32 on one thread, in a process each, and draw the same number of
chains of the same prompts (8 forks of `Deep`), at temperature 1 and the same `min_p`. They take
turns within a round and the order rotates, so that ratios are paired under equal load. A prompt is
new to everyone; for onnxruntime NumPy reads it, and both share it among all chains. Counted are the
tokens of the chains, each up to its end mark, and the CPU time of the whole process.

On trained weights chains that have drawn the same are one row in Workspan, and few things can be
drawn; on random weights almost every chain is a row of its own, so that is the harder comparison.

Run with ``python -m benchmarks.reasoner``; ``--smoke`` for a small run, ``--output FILE`` for JSON.
Unset ``OPENBLAS_CORETYPE`` before: it would take NumPy's own kernels from it, and from it alone.
Needs ``pip install onnx onnxruntime`` beside the extras `embedded` and `reasoner`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import median

import msgspec
from benchmarks.paired import Ratio, ratio
from benchmarks.reasoner_direct import SYSTEMS, Load, Result
from rich.console import Console
from rich.table import Table

from workspan_evidence.families.connectivity import Deep
from workspan_evidence.reasoner import catalogue

ROOT = Path(__file__).resolve().parent.parent
LOADS = {1: 16, 32: 4, 256: 1}
"""Chains of a prompt, and how many prompts make a load that can be timed."""
LIMIT = 40
DEPTH = 8


class Process:
    """A system, on one thread."""

    def __init__(self, name: str, weights: str) -> None:
        command = [sys.executable, "-m", "benchmarks.reasoner_direct", name, weights]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | threads,
        )
        while self.line() != "ready":
            pass

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended")
        return line.strip()

    def run(self, load: Load) -> Result:
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(load).decode() + "\n")
        self.process.stdin.flush()
        return msgspec.json.decode(self.line(), type=Result)


@contextmanager
def processes(weights: str) -> Iterator[Mapping[str, Process]]:
    with ExitStack() as stack:
        started = {}
        for name in SYSTEMS:
            started[name] = Process(name, weights)
            stack.callback(started[name].process.kill)
        yield started


@dataclass(frozen=True, slots=True)
class Row:
    """One system at one width."""

    weights: str
    chains: int
    system: str
    rates: list[float]
    """Tokens per CPU-second, one for each round."""
    ratio: Ratio | None = None
    """Of Workspan to this one."""


def load(chains: int, seed: int) -> Load:
    prompts = [Deep(DEPTH).problem(Random(f"{seed} {i}")).prompt for i in range(LOADS[chains])]
    return Load(prompts, chains, LIMIT)


def measure(weights: str, rounds: int) -> list[Row]:
    """Let all systems run all loads, in turn."""
    rows = [Row(Path(weights).stem, chains, name, []) for chains in LOADS for name in SYSTEMS]
    with processes(weights) as names:
        for process in names.values():
            process.run(load(32, -1))
        for turn in range(rounds):
            for row in rows[turn % len(names) :] + rows[: turn % len(names)]:
                result = names[row.system].run(load(row.chains, turn))
                row.rates.append(result.tokens / result.cpu_seconds)
    ours = {row.chains: row.rates for row in rows if row.system == "workspan"}
    return [
        Row(row.weights, row.chains, row.system, row.rates, ratio(ours[row.chains], row.rates))
        for row in rows
    ]


def table(rows: list[Row]) -> Table:
    """Medians, ranges and ratios for the terminal."""
    table = Table("weights", "chains", "system", "tokens/CPU-s", "range", "workspan / this")
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        span = f"{min(row.rates):.0f}–{max(row.rates):.0f}"
        shown = "" if row.system == "workspan" else str(row.ratio)
        rate = f"{median(row.rates):.0f}"
        table.add_row(row.weights, str(row.chains), row.system, rate, span, shown)
    return table


def main() -> None:
    """Measure, show and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--smoke", action="store_true", help="one round")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    shipped = [str(catalogue.find(name)) for name in catalogue.names() if name == catalogue.DEFAULT]
    rounds = 1 if options.smoke else options.rounds
    load_before = os.getloadavg()[0]
    rows = [row for weights in (*shipped, "untrained") for row in measure(weights, rounds)]
    Console(width=120).print(table(rows))
    Console().print(f"load when begun {load_before:.1f}, {os.cpu_count()} processors")
    if options.output:
        report = {"load": load_before, "rounds": rounds, "rows": [asdict(row) for row in rows]}
        options.output.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
