"""Why, as one page: the chains over span, the purchases in order, the evidence at each depth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from workspan import __version__
from workspan.data.explanation import Explanation
from workspan.lab.report.chains import chains_plot, ranked
from workspan.lab.report.comparison import template
from workspan.lab.report.explanations import Told
from workspan.lab.report.figures import HUES
from workspan.lab.report.pages import write_page

_SHOWN = 200
"""Characters of an answer."""
MOST = 40
"""Runs that one page draws."""


def write_explanations(told: Sequence[Told], path: Path) -> None:
    """Write the page to `path`, readable by its owner only.

    Raises:
        InputError: something else is there.
        OutputError: the page can't be written.
    """
    write_page(render(told), path)


def _start(why: Explanation, group: int) -> str:
    answer = why.answers[group]
    return answer if len(answer) <= _SHOWN else f"{answer[:_SHOWN]}…"


def render(told: Sequence[Told]) -> str:
    """Return the page; what a model wrote is escaped by the template."""
    runs = [
        {
            "told": one,
            "plot": Markup(chains_plot(one.why)),  # our own drawing, without a word of the model
            "answers": [(i, _start(one.why, group)) for i, group in enumerate(ranked(one.why))],
        }
        for one in told[:MOST]
    ]
    return template("explain.html.j2").render(
        title="Why the budget was spent so",
        runs=runs,
        left_out=max(0, len(told) - MOST),
        hues=HUES,
        version=__version__,
    )
