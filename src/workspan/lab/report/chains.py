"""The picture of a run: its chains over span, what they answered, and where they were left."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workspan.data.explanation import Explanation
from workspan.lab.report.figures import HUES, INK, MUTED, STYLE, WIDE, hue, svg

_OTHERS = HUES - 1
"""Answers from here on share a colour."""


def chains_plot(why: Explanation) -> str:
    """Draw each chain as a bar over span, in the colour of what it answers there.

    A dot is an answer at the end of a block, a filled one where the chain ended; a bar that stops
    with a cross was left alone.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDE, 0.9 + 0.2 * max(2, why.chains)), layout="constrained")
        axes = figure.subplots()
        _draw(axes, why)
        axes.set_ylim(max(1, why.chains) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.set_yticks([])
        axes.set_xlabel("span: decoded tokens since the start")
        axes.spines["left"].set_visible(False)
        return svg(figure)


def _draw(axes: Axes, why: Explanation) -> None:
    rank = {group: i for i, group in enumerate(ranked(why))}
    depth, last = [0] * why.chains, [(0, -1)] * why.chains
    ended: set[int] = set()
    for step in why.steps:
        for grown in step.grown:
            i, grew = grown.chain, grown.depth - depth[grown.chain]
            depth[i], end = grown.depth, step.span + grew
            colour = _colour(rank, grown.group)
            axes.barh(i, grew, left=step.span, height=0.5, color=colour, alpha=0.35, linewidth=0)
            face = colour if grown.ended else "none"
            axes.plot([end], [i], "o", color=colour, markerfacecolor=face, markersize=4)
            last[i] = (end, grown.group)
            ended |= {i} if grown.ended else set()
    for i, (end, group) in enumerate(last):
        if i not in ended:
            axes.plot([end], [i], "x", color=_colour(rank, group), markersize=6)
            axes.annotate(
                "left", (end, i), (6, -3), textcoords="offset points", color=MUTED, fontsize=8
            )


def ranked(why: Explanation) -> list[int]:
    """Return the groups that chains answer at last, the one with most votes first."""
    last = {grown.chain: grown.group for step in why.steps for grown in step.grown}
    votes = [*last.values()]
    return sorted({*votes} - {-1}, key=lambda group: (-votes.count(group), group))


def _colour(rank: dict[int, int], group: int) -> str:
    if group < 0:
        return MUTED
    return hue(min(rank.get(group, _OTHERS), _OTHERS)) if group in rank else INK
