"""The readers of other projects over the same rows, each in an environment of its own."""

from __future__ import annotations

import json
import random
import subprocess
import venv
from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.answers.corpus import Row
from benchmarks.answers.scores import NONE, RIGHT, WRONG, Equivalent, Extract, judge

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
        (
            "latex2sympy2_extended==1.0.6",
            f"{_ANTLR}==4.13.2",
            "pytablewriter",
            "packaging",
            "numpy",
        ),
    ),
}
VERSIONS = {
    "math-verify": "0.9.0",
    "lm-eval": "0.4.13",
    "inspect-ai": "0.3.285",
    "lighteval": "0.13.0",
}

_PLAIN_PLACES = {"mark", "sentence", "box", "hashes", "display"}
_PLAIN_FORMS = {
    "sign.none",
    "sign.hyphen",
    "decimal.point",
    "decimal.negative",
    "thousands.comma",
    "fraction.slash",
    "fraction.frac",
    "fraction.dfrac",
    "fraction.sign_outside",
    "root.braces",
    "root.over",
    "root.sum",
    "pi.latex",
    "pi_over.frac",
    "raised.braces",
    "polynomial.braces",
    "polynomial.caret",
    "rational.frac",
    "pair.parens",
    "pair.left_right",
    "interval.closed",
    "interval.open",
    "matrix.pmatrix",
    "letter.bare",
    "letter.parens",
    "letter.full_stop",
    "with_words.parens",
    "text.word",
    "text.words",
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
                "truth": _reference(row.kind, row.truth),
                "other": _reference(row.kind, row.differs[i % len(row.differs)])
                if row.differs
                else None,
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


def _reference(kind: str, truth: str | None) -> str | None:
    """Write a fraction as a decimal where it ends, as number data sets have it."""
    if kind != "number" or truth is None or "/" not in truth:
        return truth
    value = Fraction(truth)
    for places in range(1, 13):
        scaled = value * 10**places
        if scaled.denominator == 1:
            sign, digits = "-" if scaled < 0 else "", f"{abs(scaled.numerator):0{places + 1}d}"
            return f"{sign}{digits[:-places]}.{digits[-places:]}"
    return truth


def tally(rows: list[Row], said: dict[int, Verdict]) -> dict[str, Counter[str]]:
    """Count verdicts by kind as `scores` does: right, wrong, no answer, and false equalities."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for i, verdict in said.items():
        row = rows[i]
        taken = RIGHT if verdict.right else WRONG if verdict.read else NONE
        if row.truth is None:
            taken = WRONG if verdict.read else RIGHT
        for kind in groups(row):
            counts[kind].update(("replies", taken))
            counts[kind]["accepts another"] += verdict.other
    return dict(counts)


def own_tally(rows: list[Row], extract: Extract, equivalent: Equivalent) -> dict[str, Counter[str]]:
    """Count Workspan's own reading of the same rows in the same way."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for i, row in enumerate(rows):
        said = extract(row.text, row.kind, row.finished)
        taken = judge(row, said, equivalent)
        other = row.differs[i % len(row.differs)] if row.differs else None
        accepts = said is not None and other is not None and equivalent(said, other, row.kind)
        for kind in groups(row):
            counts[kind].update(("replies", taken))
            counts[kind]["accepts another"] += accepts
    return dict(counts)


def groups(row: Row) -> list[str]:
    """Return the lines of the table that a reply is counted in."""
    kind = row.kind
    if kind == "number" and row.truth is not None:
        kind = "number, whole" if row.truth.lstrip("-").isdigit() else "number, other"
    if row.truth is None:
        kind = "gives no answer"
    return [kind, f"{kind}: plain"] if plain(row) else [kind]


def plain(row: Row) -> bool:
    """Tell whether a reply is of the forms and in the places that every reader is made for."""
    return row.form in _PLAIN_FORMS and row.wrap.split(".")[0] in _PLAIN_PLACES


def sample(rows: list[Row], size: int, seed: int = 3) -> list[Row]:
    """Return the plain rows and others by chance, of kinds that other readers read, in order."""
    readable = [row for row in rows if row.kind in ("number", "math", "choice", "text")]
    chosen = {i for i, row in enumerate(readable) if plain(row)}
    others = [i for i in range(len(readable)) if i not in chosen]
    chosen.update(
        random.Random(seed).sample(others, max(0, min(size, len(readable)) - len(chosen)))
    )
    return [row for i, row in enumerate(readable) if i in chosen]
