"""A comparison's table, as a person reads it on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from workspan.core.engine import engine_names
from workspan.data.budget import within
from workspan.lab.records import Record, by_parallelism, letter
from workspan.legible import counted

_WIDE = 108
"""Columns of a terminal that the usual table needs."""
_WIDEST = 148
"""The same with what was drawn beside what was chosen."""


def table(found: Sequence[Record], width: int) -> Table:
    """Lay the records out from sequential to parallel; what is secondary needs a wide terminal."""
    first = found[0]
    engines = engine_names(f"{first.engine} {first.model}", first.engines)
    shown = Table(
        title=f"{counted(first.problems, 'problem')}, each run {within(first.budget)}; {engines}, "
        f"seed {first.seed}",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    is_wide = width >= _WIDE
    shown.add_column("")
    shown.add_column("strategy", overflow="fold", min_width=12)
    for column in ("accuracy", "95 %", "vs A", "95 %", "work", "span", "W/S"):
        shown.add_column(column, justify="right", no_wrap=True)
    for column in ("prefill", "cached", "calls", "seconds") if is_wide else ():
        shown.add_column(column, justify="right", no_wrap=True, style="dim")
    is_widest = width >= _WIDEST
    for column in ("random", "cover", "eff. n") if is_widest else ():
        shown.add_column(column, justify="right", no_wrap=True, style="dim")
    for i, record in by_parallelism(found):
        read = [f"{record.prefill:.0f}", f"{record.cached:.0f}"]
        spent = [*read, f"{record.calls:.1f}", f"{record.seconds:.2f}"]
        shown.add_row(
            letter(i),
            record.strategy + " †" * bool(record.over_budget),
            "?" if record.accuracy is None else f"{record.accuracy:.2f}",
            f"{record.low:.2f}–{record.high:.2f}",
            *_versus(record),
            f"{record.work:.0f}",
            f"{record.span:.0f}",
            f"{record.parallelism:.1f}",
            *(spent if is_wide else ()),
            *(_drawn(record) if is_widest else ()),
        )
    if any(record.over_budget for record in found):
        shown.caption = "† passed the budget: not matched with the others"
        shown.caption_justify = "left"
    return shown


def _drawn(record: Record) -> tuple[str, ...]:
    """Write the accuracy of a random pick, the coverage, and the answers there were to choose."""
    known = (record.random, record.coverage, record.effective_n)
    return tuple("?" if value is None else f"{value:.2f}" for value in known)


def _versus(record: Record) -> tuple[Text, Text]:
    """Write the paired difference and its interval, bold where it leaves out zero."""
    if record.difference is None:
        return Text(), Text()
    style = "bold" if record.differs else "dim"
    between = f"{record.difference_low:+.2f} {record.difference_high:+.2f}"
    return Text(f"{record.difference:+.2f}", style), Text(between, style)
