"""The readers of other projects over the same rows, each in an environment of its own."""

from __future__ import annotations

import json
import random
import subprocess
import venv
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.answers.corpus import Row
from benchmarks.answers.scores import Equivalent, Extract, judge

# What each needs to read; torch and the rest of its stack are left out where reading does without.
_ANTLR = "antlr4-python3-runtime"
PINS: dict[str, tuple[tuple[str, ...], ...]] = {
    "math-verify": (("math-verify==0.9.0", "latex2sympy2_extended==1.11.0", f"{_ANTLR}==4.13.2"),),
    "lm-eval": (
        ("--no-deps", "lm_eval==0.4.13"),
        (
            "math-verify==0.9.0",
            "latex2sympy2_extended==1.11.0",
            f"{_ANTLR}==4.11.0",
            "sacrebleu",
            "numpy",
        ),
    ),
    "inspect-ai": (("inspect-ai==0.3.285", "latex2sympy2_extended==1.11.0", f"{_ANTLR}==4.13.2"),),
    "lighteval": (
        ("--no-deps", "lighteval==0.13.0"),
        ("latex2sympy2_extended==1.0.6", f"{_ANTLR}==4.13.2", "pytablewriter", "packaging"),
    ),
}
VERSIONS = {
    "math-verify": "0.9.0",
    "lm-eval": "0.4.13",
    "inspect-ai": "0.3.285",
    "lighteval": "0.13.0",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What another reader says of one row.

    Attributes:
        read: it read something.
        right: it accepts the row's truth as what the reply says.
        other: it accepts an answer that the reply does not give.
    """

    read: bool
    right: bool
    other: bool


def interpreter(name: str, folder: Path) -> Path:
    """Return the Python of the reader's environment, made where it is not there yet."""
    home = folder / name
    python = home / "bin/python"
    if not python.exists():
        venv.create(home, with_pip=True)
        for packages in PINS[name]:
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def verdicts(name: str, rows: list[Row], folder: Path) -> dict[int, Verdict]:
    """Return the reader's verdict on each row of a kind that it reads, by the row's place."""
    lines = [
        json.dumps(
            {
                "id": i,
                "kind": row.kind,
                "text": row.text,
                "truth": row.truth,
                "other": row.differs[i % len(row.differs)] if row.differs else None,
            }
        )
        for i, row in enumerate(rows)
        if row.kind in ("number", "math", "choice", "text")
    ]
    runner = Path(__file__).parent / "peers" / "runner.py"
    done = subprocess.run(
        [interpreter(name, folder), runner, name],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    said: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        each["id"]: Verdict(bool(each["read"]), bool(each.get("right")), bool(each.get("other")))
        for each in said
        if "skipped" not in each
    }


def tally(rows: list[Row], said: dict[int, Verdict]) -> dict[str, Counter[str]]:
    """Count verdicts by kind as `scores` does: right, wrong, no answer, and false equalities."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for i, verdict in said.items():
        row = rows[i]
        kind = group(row)
        counts[kind]["replies"] += 1
        if row.truth is None:
            counts[kind]["wrong" if verdict.read else "right"] += 1
            continue
        taken = "right" if verdict.right else "wrong" if verdict.read else "no answer"
        counts[kind][taken] += 1
        counts[kind]["accepts another"] += verdict.other
    return dict(counts)


def own_tally(rows: list[Row], extract: Extract, equivalent: Equivalent) -> dict[str, Counter[str]]:
    """Count Workspan's own reading of the same rows in the same way."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for i, row in enumerate(rows):
        said = extract(row.text, row.kind, row.finished)
        kind = group(row)
        counts[kind]["replies"] += 1
        counts[kind][judge(row, said, equivalent)] += 1
        if row.differs and said is not None:
            other = row.differs[i % len(row.differs)]
            counts[kind]["accepts another"] += equivalent(said, other, row.kind)
    return dict(counts)


def group(row: Row) -> str:
    """Return the row of the table that a reply belongs to."""
    if row.kind != "number" or row.truth is None:
        return row.kind
    return "number, whole" if row.truth.lstrip("-").isdigit() else "number, other"


def sample(rows: list[Row], size: int, seed: int = 3) -> list[Row]:
    """Return some of the rows of the kinds that other readers read, in their order."""
    readable = [row for row in rows if row.kind in ("number", "math", "choice", "text")]
    chosen = set(random.Random(seed).sample(range(len(readable)), min(size, len(readable))))
    return [row for i, row in enumerate(readable) if i in chosen]
