"""Rows that were not read right, in a form that a person can go through."""

# ruff: noqa: E501 - lines of a report

from __future__ import annotations

from collections import Counter, defaultdict

from benchmarks.answers.corpus import Row
from benchmarks.answers.scores import Score


def misses(score: Score, shown: int = 3) -> list[str]:
    """Return lines: for each kind and form what was read instead, with some of the replies."""
    by_form: dict[tuple[str, str], list[tuple[str, Row, str | None]]] = defaultdict(list)
    for verdict, row, said in score.missed:
        by_form[row.kind, row.form].append((verdict, row, said))
    wraps: Counter[str] = Counter(row.wrap for _, row, _ in score.missed)
    lines = [
        "Places with the most misses: " + ", ".join(f"{w} {n}" for w, n in wraps.most_common(12)),
        "",
    ]
    for (kind, form), rows in sorted(by_form.items(), key=lambda item: (item[0][0], -len(item[1]))):
        of = sum(score.verdicts[kind, form].values())
        lines.append(f"{kind} {form}: {len(rows)} of {of}")
        for verdict, row, said in rows[:shown]:
            cut = "" if row.finished else " (cut)"
            lines.append(
                f"    {verdict} [{row.wrap}] {_end(row.text)}{cut} means {_end(str(row.truth))}, read {_end(str(said))}"
            )
    for title, pairs in (
        ("equal, and must not be", score.false_equal),
        ("not equal, and must be", score.false_apart),
    ):
        seen: Counter[str] = Counter()
        lines += ["", title]
        for row, a, b in pairs:
            seen[row.form] += 1
            if seen[row.form] <= shown:
                lines.append(f"    {row.kind} {row.form}: {_end(a)} and {_end(b)}")
    return lines


def _end(text: str, length: int = 160) -> str:
    shown = repr(text)
    return shown if len(shown) <= length else f"…{shown[-length:]}"
