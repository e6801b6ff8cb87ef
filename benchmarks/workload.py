"""What the benchmarks of mixed problems share: their command, their table, their report."""

from __future__ import annotations

import argparse
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio

Measure = Callable[[argparse.Namespace], Awaitable[list[dict[str, Any]]]]


def command(
    doc: str, tasks: Sequence[str], budgets: Sequence[int], problems: int, calibration: int
) -> argparse.ArgumentParser:
    """Return the command's options with these defaults."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--tasks", nargs="+", default=tasks)
    parser.add_argument("--problems", type=int, default=problems, help="held out, of each task")
    parser.add_argument(
        "--calibration", type=int, default=calibration, help="problems of each task"
    )
    parser.add_argument("--budgets", type=int, nargs="+", default=budgets)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--output", type=Path)
    return parser


def main(
    measure: Measure, options: argparse.Namespace, accuracy: str, smoke: tuple[int, int, int]
) -> None:
    """Run it and print the table.

    Args:
        measure: prints rows as they come, and returns them.
        options: of the command.
        accuracy: what the column is called.
        smoke: problems, calibration problems and the budget of a small run.
    """
    if options.smoke:
        options.problems, options.calibration, budget = smoke
        options.budgets = [budget]
    heads = ("work", "strategy", accuracy, "work used", "span", "auto is ahead by")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    report = anyio.run(measure, options)
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n")
