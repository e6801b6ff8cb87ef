"""The plots of a report, as SVG that takes its colours from the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from workspan.core.clock import Call
from workspan.lab.records import Record, letter
from workspan.lab.replay.records import ReplayRecord
from workspan.runner import Result

HUES = 6
"""Colours that the page defines, as ``--hue-0`` and on."""

WIDE = 9.5
"""Inches; the page scales them to its own width."""

INK, MUTED = "#000001", "#000002"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, and takes the page's fonts
    "svg.hashsalt": "workspan",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}


def hue(i: int) -> str:
    """Return the stand-in for the colour of strategy i; the page's own replaces it."""
    return f"#0001{i % HUES:02x}"


def accuracy_plot(found: Sequence[Record]) -> str:
    """Plot accuracy with its interval against work, and against span, on logarithmic axes."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDE, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        _scatter(left, found, [record.work for record in found])
        _scatter(right, found, [record.span for record in found])
        left.set_xlabel("work: tokens decoded, a problem")
        right.set_xlabel("span: tokens on the longest chain")
        left.set_ylabel("accuracy")
        return svg(figure)


def difference_plot(found: Sequence[Record]) -> str:
    """Plot each strategy's paired difference to the first, with its interval."""
    rest = [(i, record) for i, record in enumerate(found) if record.difference is not None]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDE, 0.7 + 0.32 * len(rest)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0, color=MUTED, linewidth=0.8)
        for row, (i, record) in enumerate(rest):
            ends = [record.difference_low or 0.0, record.difference_high or 0.0]
            axes.plot(ends, [row, row], color=hue(i), linewidth=2, solid_capstyle="round")
            axes.plot([record.difference or 0.0], [row], "o", color=hue(i), markersize=6)
        axes.set_yticks(range(len(rest)), [letter(i) for i, _ in rest])
        axes.set_ylim(len(rest) - 0.5, -0.5)
        axes.set_xlabel(f"accuracy ahead of {letter(0)}, on the same problems")
        axes.spines["left"].set_visible(False)
        axes.tick_params(left=False)
        return svg(figure)


def timeline(results: Sequence[Result | None]) -> str:
    """Draw each strategy's calls on one problem over span: a bar is a call, its length its tokens.

    Calls that were cut, failed or left behind are outlined.
    """
    lanes = [_lanes(result.trace) if result else [] for result in results]
    heights = [max(1, len(rows)) for rows in lanes]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDE, 0.6 + 0.17 * sum(heights) + 0.2 * len(lanes)))
        figure.set_layout_engine("constrained")
        plots = figure.subplots(len(lanes), 1, sharex=True, squeeze=False, height_ratios=heights)
        for i, (axes, rows) in enumerate(zip(plots[:, 0], lanes, strict=True)):
            _bars(axes, rows, i)
        bottom = plots[-1, 0]
        bottom.tick_params(bottom=True)
        bottom.set_xlim(left=0)
        bottom.set_xlabel("span: decoded tokens since the start")
        return svg(figure)


def curve_plot(found: Sequence[ReplayRecord]) -> str:
    """Plot accuracy against work, and against span, a line through each strategy's budgets."""
    names = list(dict.fromkeys(record.strategy for record in found))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDE, 4.0), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, column in ((left, "work"), (right, "span")):
            for i, name in enumerate(names):
                own = [record for record in found if record.strategy == name]
                own.sort(key=lambda record: float(getattr(record, column)))
                xs = [max(1.0, getattr(record, column)) for record in own]
                style = "--" if own[0].uses_labels else "-"
                ys = [record.accuracy for record in own]
                axes.plot(xs, ys, style, marker="o", markersize=4, color=hue(i))
                over = [j for j, record in enumerate(own) if record.over_budget]
                ringed = [xs[j] for j in over], [ys[j] for j in over]
                axes.plot(*ringed, "o", markersize=9, mfc="none", color=hue(i))
                axes.annotate(
                    letter(i), (xs[-1], ys[-1]), (5, 2), textcoords="offset points", color=hue(i)
                )
            _tokens_axis(axes)
            axes.set_xlabel(f"{column}: {found[0].unit}, a problem")
        left.set_ylabel("accuracy")
        return svg(figure)


def _tokens_axis(axes: Axes) -> None:
    """Make the axis of tokens logarithmic, and light."""
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.grid(visible=True, axis="y", linewidth=0.3, color=MUTED, alpha=0.4)


def _scatter(axes: Axes, found: Sequence[Record], values: Sequence[float]) -> None:
    above = _crowds(values, [record.accuracy or 0.0 for record in found])
    for i, (record, value) in enumerate(zip(found, values, strict=True)):
        if record.accuracy is None:
            continue
        bars = [[record.accuracy - record.low], [record.high - record.accuracy]]
        face = "none" if record.over_budget else hue(i)  # hollow: not matched
        axes.errorbar(
            [max(1.0, value)], [record.accuracy], bars, fmt="o", color=hue(i), capsize=0, mfc=face
        )
        place = (max(1.0, value), record.accuracy)
        aside = (6, 5 + 11 * above[i])
        mark = letter(i) + "†" * bool(record.over_budget)
        axes.annotate(mark, place, aside, textcoords="offset points", color=hue(i))
    _tokens_axis(axes)


def _crowds(xs: Sequence[float], ys: Sequence[float]) -> list[int]:
    """Count, for each point, the earlier ones that its letter would fall upon."""
    return [
        sum(abs(math.log((x + 1) / (xs[j] + 1))) < 0.12 and abs(y - ys[j]) < 0.03 for j in range(i))
        for i, (x, y) in enumerate(zip(xs, ys, strict=True))
    ]


def _lanes(calls: Sequence[Call]) -> list[list[Call]]:
    """Put calls that overlap under one another."""
    lanes: list[list[Call]] = []
    for call in sorted(calls, key=lambda call: (call.start, call.key)):
        lane = next((lane for lane in lanes if lane[-1].end <= call.start), None)
        if lane is None:
            lanes.append([call])
        else:
            lane.append(call)
    return lanes


def _bars(axes: Axes, lanes: Sequence[Sequence[Call]], i: int) -> None:
    for row, lane in enumerate(lanes):
        for call in lane:
            is_used = call.outcome == "sample" and call.waited
            axes.barh(
                row,
                call.usage.output_tokens,
                left=call.start,
                height=0.7,
                color=hue(i) if is_used else "none",
                edgecolor="none" if is_used else hue(i),
                linewidth=0.8,
            )
    axes.set_ylim(max(1, len(lanes)) - 0.4, -0.6)
    axes.set_yticks([])
    axes.set_ylabel(letter(i), rotation=0, labelpad=10, va="center", color=INK)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(bottom=False)


def svg(figure: Figure) -> str:
    """Write the figure so that it can stand in a page: no header, no metadata, page colours."""
    out = StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    colours = {INK: "var(--ink)", MUTED: "var(--muted)"}
    colours |= {hue(i): f"var(--hue-{i})" for i in range(HUES)}
    for stand_in, colour in colours.items():
        text = text.replace(stand_in, colour)
    return text
