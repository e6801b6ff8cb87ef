"""What a reading of the corpus is worth: read right, read wrong, no answer, false equalities."""

from __future__ import annotations

import contextlib
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

from benchmarks.answers.corpus import Row

Extract = Callable[[str, str, bool], str | None]
Equivalent = Callable[[str, str, str], bool]
RIGHT, WRONG, NONE = "right", "wrong", "no answer"


@dataclass(slots=True)
class Score:
    """Verdicts by kind and form, and every row that was not read right."""

    verdicts: dict[tuple[str, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    missed: list[tuple[str, Row, str | None]] = field(default_factory=list)
    false_equal: list[tuple[Row, str, str]] = field(default_factory=list)
    false_apart: list[tuple[Row, str, str]] = field(default_factory=list)
    compared: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, verdict: str, said: str | None) -> None:
        """Count one row."""
        self.verdicts[row.kind, row.form][verdict] += 1
        if verdict != RIGHT:
            self.missed.append((verdict, row, said))

    def totals(self) -> dict[str, Counter[str]]:
        """Return verdicts by kind."""
        totals: dict[str, Counter[str]] = defaultdict(Counter)
        for (kind, _), verdicts in self.verdicts.items():
            totals[kind] += verdicts
        return dict(totals)


def judge(row: Row, said: str | None, equivalent: Equivalent) -> str:
    """Tell whether what was read is what the row says.

    A reading counts as right only where it equals the truth and none of the answers that differ, so
    a reader that takes both for the same does not pass.
    """
    if said is None or row.truth is None:
        if said is None and row.truth is None:
            return RIGHT
        return NONE if said is None else WRONG
    if row.kind == "code":
        return RIGHT if _runs(row, said) else WRONG
    exact, meant = _exact(said), _exact(row.truth)
    if exact is not None and meant is not None:
        return RIGHT if exact == meant else WRONG
    if not equivalent(said, row.truth, row.kind):
        return WRONG
    return WRONG if any(equivalent(said, other, row.kind) for other in row.differs) else RIGHT


def score(rows: Iterable[Row], extract: Extract, equivalent: Equivalent) -> Score:
    """Read every row and compare its answers."""
    result = Score()
    for row in rows:
        said = extract(row.text, row.kind, row.finished)
        result.add(row, judge(row, said, equivalent), said)
        if row.truth is None or row.kind == "code":
            continue
        for other in row.differs:
            result.compared[row.kind] += 1
            for a, b in ((row.truth, other), (other, row.truth)):
                if equivalent(a, b, row.kind):
                    result.false_equal.append((row, a, b))
        for same in (row.truth, *row.equals):
            if not (
                equivalent(same, row.truth, row.kind) and equivalent(row.truth, same, row.kind)
            ):
                result.false_apart.append((row, row.truth, same))
    return result


def _exact(text: str) -> Fraction | None:
    with contextlib.suppress(ValueError, ZeroDivisionError):
        if len(text) < 60 and text.isascii() and "e" not in text.lower() and "_" not in text:
            return Fraction(text)
    return None


def _runs(row: Row, said: str) -> bool:
    """Run a program that this corpus wrote itself."""
    if not row.value:
        return said.strip() == (row.truth or "").strip()
    names: dict[str, Any] = {"__name__": "answer"}
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(compile(said, "answer", "exec"), names)  # noqa: S102
            return repr(cast(object, eval(row.call, names))) == row.value  # noqa: S307
        except Exception:  # noqa: BLE001 - whatever the program raises, it is not the one meant
            return False
