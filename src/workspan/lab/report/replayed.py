"""A replay as one page: curves over work and span, and the table behind them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from workspan import __version__
from workspan.lab.records import letter
from workspan.lab.replay.records import ReplayRecord
from workspan.lab.report.comparison import template
from workspan.lab.report.figures import HUES, curve_plot
from workspan.lab.report.pages import write_page
from workspan.legible import counted


def write_replay(found: Sequence[ReplayRecord], path: Path) -> None:
    """Write the page to `path`, readable by its owner only.

    Raises:
        InputError: something else is there.
        OutputError: the page can't be written.
    """
    write_page(render(found), path)


def render(found: Sequence[ReplayRecord]) -> str:
    """Return the page; plots are drawn for each group of records apart."""
    names = list(dict.fromkeys(record.strategy for record in found))
    groups: dict[tuple[str, str], list[ReplayRecord]] = {}
    for record in found:
        groups.setdefault((record.model, record.task), []).append(record)
    first = found[0]
    one = "one strategy" if len(names) == 1 else f"{len(names)} strategies"
    return template("replay.html.j2").render(
        title=f"{one} on recorded chains of {counted(first.problems, 'problem')}",
        facts={
            "held out": f"by {first.folds}; nothing learnt from a problem was used on it",
            "orders of chains": str(first.seeds),
            "seed": str(first.seed),
            "unit": first.unit,
            "workspan": __version__,
        },
        plots=[(*key, Markup(curve_plot(own)), own) for key, own in groups.items()],  # our drawing
        names=names,
        letter=letter,
        hues=HUES,
    )
