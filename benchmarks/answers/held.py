"""Replies of forms that the reader was not made for, and what its first run on them gave."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from benchmarks.answers.corpus import Row
from benchmarks.answers.forms.base import other_than
from benchmarks.answers.forms.held_out import HELD_OUT, drawn, filled
from benchmarks.answers.scores import NONE, RIGHT, WRONG, Score

FIRST = Path(__file__).parent / "held_out_first.json"


def held_out(seed: int, each: int = 6) -> list[Row]:
    """Make replies of every held-out form; the same seed gives the same.

    Args:
        seed: of what is drawn.
        each: replies for each form; those in which nothing is drawn come once.
    """
    rng = random.Random(seed)
    rows: list[Row] = []
    for form in HELD_OUT:
        seen: set[str] = set()
        for _ in range(each):
            parts = drawn(rng)
            text = filled(form.pattern, parts)
            if text in seen:
                continue
            seen.add(text)
            truth = None if form.truth is None else filled(form.truth, parts)
            differs = [filled(other, parts) for other in form.differs]
            rows.append(
                Row(
                    form.kind,
                    form.name,
                    "held out",
                    text,
                    truth,
                    other_than(truth, *differs) if truth is not None else (),
                    finished=form.finished,
                    call=filled(form.call, parts),
                    value=filled(form.value, parts),
                )
            )
    return rows


def keep_first(score: Score, seed: int, date: str, commit: str) -> None:
    """Keep the first run's result, once.

    Raises:
        FileExistsError: there was a first run already; no later one is held out.
    """
    if FIRST.exists():
        raise FileExistsError(f"{FIRST.name} keeps the first run; no later one is held out")
    totals = {
        kind: [counts[RIGHT], counts[WRONG], counts[NONE]]
        for kind, counts in sorted(score.totals().items())
    }
    forms = sorted({f"{row.kind} {row.form}: {verdict}" for verdict, row, _ in score.missed})
    kept = {"date": date, "commit": commit, "seed": seed, "totals": totals, "missed": forms}
    FIRST.write_text(json.dumps(kept, indent=1) + "\n")


def first() -> Mapping[str, Any]:
    """Return what the first run gave; empty if there was none."""
    return cast(Mapping[str, Any], json.loads(FIRST.read_text())) if FIRST.exists() else {}
