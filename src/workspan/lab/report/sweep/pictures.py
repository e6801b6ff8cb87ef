"""The pictures of a sweep as Vega-Lite specifications, with their data in them.

Colours are names that the page defines (``var(--hue-0)``), so that it can be light or dark; a picture
alone has the light ones (`image`). Texts in them are names of engines, tasks and strategies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workspan.lab.records import letter
from workspan.lab.sweeping.outcome import CellRow
from workspan.lab.sweeping.phases import Phase
from workspan.lab.sweeping.placing import Place, efficient, levels, limits, places, squares

Spec = dict[str, Any]
HUES = 6
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_INK, _MUTED, _LINE, _PATH = "var(--ink)", "var(--muted)", "var(--line)", "var(--hue-4)"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name: nothing is loaded from it
_SHADES = "viridis"
_WIDE, _HIGH = 880, 260
_MOST_BUDGETS = 4
"""Columns of a picture that has one for each budget: the largest ones."""
CONFIG: Spec = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": _MUTED,
        "titleColor": _MUTED,
        "domainColor": _MUTED,
        "tickColor": _MUTED,
        "gridColor": _LINE,
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 11,
    },
    "legend": {
        "labelColor": _INK,
        "titleColor": _MUTED,
        "titleFontWeight": "normal",
        "labelLimit": 330,
        "symbolLimit": 0,
        "labelFontSize": 11,
        "titleFontSize": 11,
    },
    "header": {"labelColor": _INK, "titleColor": _MUTED, "titleFontWeight": "normal"},
    "title": {"color": _INK, "subtitleColor": _MUTED, "anchor": "start", "fontSize": 13},
}


@dataclass(frozen=True, slots=True)
class Names:
    """A letter, a colour and a shape for each strategy of a sweep, the same in every picture."""

    strategies: tuple[str, ...]

    @classmethod
    def of(cls, rows: Iterable[CellRow]) -> Names:
        """Take the strategies in the order of the sweep."""
        return cls(tuple(dict.fromkeys(row.strategy for row in rows)))

    def letter(self, strategy: str) -> str:
        """Return the letter of a strategy."""
        return letter(self.strategies.index(strategy))

    def told(self, strategy: str) -> str:
        """Return its letter and itself."""
        return f"{self.letter(strategy)}  {strategy}"

    def colours(self, shown: Sequence[str]) -> Spec:
        """Return the scale of the colours of some strategies."""
        hues = [f"var(--hue-{self.strategies.index(one) % HUES})" for one in shown]
        return {"domain": [self.told(one) for one in shown], "range": hues}

    def shapes(self, shown: Sequence[str]) -> Spec:
        """Return the scale of their shapes: strategies of one colour differ in it."""
        kinds = [self.strategies.index(one) // HUES % len(_SHAPES) for one in shown]
        return {"domain": [self.told(one) for one in shown], "range": [_SHAPES[k] for k in kinds]}


def accuracy(rows: Sequence[CellRow], names: Names) -> Spec | None:
    """Draw accuracy with its interval against work, span and money, a line through the budgets.

    None where no cell is done. Without any known price there is no panel of money.
    """
    done = [row for row in rows if row.status == "done" and row.work > 0 and row.span > 0]
    if not done:
        return None
    shown = [one for one in names.strategies if any(row.strategy == one for row in done)]
    titles = {"work": "work: tokens a problem", "span": "span: tokens on the longest chain"}
    if any(row.cost for row in done):
        titles["cost"] = "money: USD a problem"
    wide = _WIDE // len(titles)
    panels = [_panel(column, title, names, shown, wide) for column, title in titles.items()]
    panels[0]["encoding"]["y"]["axis"] = {"title": "accuracy", "grid": True}
    panels[0]["layer"][2]["params"] = [
        {"name": "chosen", "select": {"type": "point", "fields": ["told"]}, "bind": "legend"}
    ]
    return _whole({"data": {"values": _points(done, names)}, "hconcat": panels, "spacing": 22})


def _points(rows: Sequence[CellRow], names: Names) -> list[Spec]:
    order = {row.budget: i for i, row in enumerate(rows)}
    last = {(row.strategy, row.seed): row.id for row in rows}
    return [
        _about(row, names)
        | {
            "place": order[row.budget],
            "cost": row.cost or None,
            "mark": names.letter(row.strategy) if row.id in last.values() else "",
        }
        for row in rows
    ]


def _about(row: CellRow, names: Names) -> Spec:
    """Return what a point says of its cell, and which it is."""
    return {
        "cell": row.id,
        "told": names.told(row.strategy),
        "strategy": row.strategy,
        "budget": row.budget,
        "seed": row.seed,
        "accuracy": row.accuracy,
        "low": row.low,
        "high": row.high,
        "work": row.work,
        "span": row.span,
        "random": row.random,
        "coverage": row.coverage,
    }


_TOLD = ("strategy", "budget", "seed", "accuracy", "low", "high", "work", "span")
_TOOLTIP = [
    {"field": field, **({} if field in ("strategy", "budget") else {"format": ",.4~g"})}
    for field in _TOLD
]


def _panel(column: str, title: str, names: Names, shown: Sequence[str], wide: int) -> Spec:
    """Return the panel of one column."""
    faded = {"condition": {"param": "chosen", "value": 1}, "value": 0.12}
    legend = {"title": None, "orient": "bottom", "direction": "vertical", "columns": 3}
    colour = {"field": "told", "type": "nominal", "scale": names.colours(shown), "legend": legend}
    shape = {"field": "told", "type": "nominal", "scale": names.shapes(shown), "legend": legend}
    y = {"field": "accuracy", "type": "quantitative", "scale": {"domain": [0, 1]}}
    x = {
        "field": column,
        "type": "quantitative",
        "scale": {"type": "log", "nice": False, "padding": 14},
        "axis": {"title": title, "format": "$.1~g" if column == "cost" else "~s", "grid": False}
        | {"tickCount": 5, "labelOverlap": True},
    }
    bars = {"y": {**y, "field": "low"}, "y2": {"field": "high"}, "opacity": faded}
    return {
        "width": wide,
        "height": _HIGH,
        "transform": [{"filter": f"datum['{column}'] > 0"}],
        "encoding": {"x": x, "y": {**y, "axis": {"title": None, "grid": True}}, "color": colour},
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 1.3},
                "encoding": {"detail": {"field": "seed"}, "order": {"field": "place"}}
                | {"opacity": faded},
            },
            {"mark": {"type": "rule", "strokeOpacity": 0.35}, "encoding": bars},
            {
                "mark": {"type": "point", "filled": True, "size": 60, "cursor": "pointer"},
                "encoding": {"shape": shape, "opacity": faded, "tooltip": _TOOLTIP},
            },
            {
                "mark": {"type": "text", "dx": 9, "dy": -6, "fontSize": 10},
                "encoding": {"text": {"field": "mark"}, "opacity": faded},
            },
        ],
    }


def selection(rows: Sequence[CellRow], names: Names) -> Spec | None:
    """Draw what was chosen between a random pick and the best pick, where both are known.

    None where they are for no cell. Of more than four budgets the largest four are drawn.
    """
    known = [row for row in rows if row.status == "done" and None not in (row.random, row.coverage)]
    if not known:
        return None
    budgets = [*dict.fromkeys(row.budget for row in known)]
    budgets = sorted(budgets, key=lambda one: _size(one, known))[-_MOST_BUDGETS:]
    shown = [one for one in names.strategies if any(row.strategy == one for row in known)]
    colour = {"field": "told", "type": "nominal", "scale": names.colours(shown), "legend": None}
    y = {"field": "told", "type": "nominal", "sort": [names.told(one) for one in shown]}
    y["axis"] = {"title": None, "labelLimit": 330, "ticks": False, "labelColor": _INK}
    x = {"type": "quantitative", "scale": {"domain": [0, 1]}}
    axis = {"title": "accuracy", "grid": True}
    point = {"filled": True, "size": 60, "cursor": "pointer", "opacity": 1}
    layers = [
        {
            "mark": {"type": "rule", "strokeOpacity": 0.5},
            "encoding": {"x": {**x, "field": "random", "axis": axis}, "x2": {"field": "coverage"}},
        },
        _marked({"type": "point", "filled": False, "size": 50}, x, "random"),
        _marked({"type": "tick", "thickness": 2, "size": 12}, x, "coverage"),
        _marked({"type": "point", **point}, x, "accuracy"),
    ]
    tooltip = [*_TOOLTIP[:4], *({"field": f, "format": ".3~g"} for f in ("random", "coverage"))]
    return _whole(
        {
            "data": {"values": [_about(row, names) for row in known if row.budget in budgets]},
            "facet": {"column": {"field": "budget", "sort": budgets, "title": None}},
            "spec": {
                "width": min(290, 640 // len(budgets)),
                "height": {"step": 19},
                "encoding": {"y": y, "color": colour, "tooltip": tooltip},
                "layer": layers,
            },
        }
    )


def _marked(mark: Spec, x: Spec, column: str) -> Spec:
    return {"mark": mark, "encoding": {"x": {**x, "field": column}}}


def plane(rows: Sequence[CellRow], names: Names) -> Spec | None:
    """Draw accuracy over breadth and depth, with lines of equal work and span and the path.

    None where no cell is done.
    """
    found = places(rows)
    if not found:
        return None
    boxes = squares(found)
    right = 2 * max(box.breadth for box in boxes)
    low, high = min(box.depth for box in boxes), 2 * max(box.depth for box in boxes)
    x = {"type": "quantitative", "scale": {"type": "log", "base": 2, "domain": [1, right]}}
    y = {"type": "quantitative", "scale": {"type": "log", "base": 2, "domain": [low, high]}}
    x["axis"] = {"title": "breadth: work / span", "format": "~s", "grid": False}
    y["axis"] = {"title": "depth: span, in tokens", "format": "~s", "grid": False}
    shade = {"field": "accuracy", "type": "quantitative"}
    shade |= {"scale": {"domain": [0, 1], "scheme": _SHADES}, "legend": {"title": "accuracy"}}
    done = [one.row for one in found]
    return _whole(
        {
            "width": 560,
            "height": 380,
            "layer": [
                _boxes([_box(box) for box in boxes], x, y, shade),
                *_iso_work(levels(done, "work"), right, low, high),
                *_iso_span(levels(done, "span"), right, low, high),
                *_dots(found, names, x, y, shade),
                *_path(efficient(found), names, x, y),
            ],
        }
    )


def _box(box: Any) -> Spec:
    return {
        "b": box.breadth,
        "b2": 2 * box.breadth,
        "d": box.depth,
        "d2": 2 * box.depth,
        "accuracy": box.best.accuracy,
    }


def _boxes(values: list[Spec], x: Spec, y: Spec, shade: Spec) -> Spec:
    return {
        "data": {"values": values},
        "mark": {"type": "rect", "opacity": 0.75},
        "encoding": {
            "x": {**x, "field": "b"},
            "x2": {"field": "b2"},
            "y": {**y, "field": "d"},
            "y2": {"field": "d2"},
            "color": shade,
        },
    }


def _iso_work(values: Sequence[float], right: float, low: float, high: float) -> list[Spec]:
    """Return lines on which breadth × depth is the same, each from edge to edge of the picture."""
    lines, middles = list[Spec](), list[Spec]()
    for work in values:
        first, last = max(1.0, work / high), min(right, work / low)
        if first < last:
            lines += [{"work": work, "b": b, "d": work / b} for b in (first, last)]
            b = math.sqrt(first * last)
            middles.append({"b": b, "d": work / b, "said": f"{work:,.0f} work"})
    return _iso(lines, middles, "work", {"align": "left", "dx": 6, "dy": -6}, [5, 3])


def _iso_span(values: Sequence[float], right: float, low: float, high: float) -> list[Spec]:
    inside = [span for span in values if low < span < high]
    lines = [{"span": span, "b": b, "d": span} for span in inside for b in (1.0, right)]
    ends = [{"b": right, "d": span, "said": f"{span:,.0f} span"} for span in inside]
    return _iso(lines, ends, "span", {"align": "right", "dx": -4, "dy": -6}, [1, 3])


def _iso(lines: list[Spec], said: list[Spec], by: str, at: Spec, dash: list[int]) -> list[Spec]:
    """Return the lines of one measure, and what stands at each."""
    place = {"x": {"field": "b", "type": "quantitative"}, "y": {"field": "d"}}
    place["y"]["type"] = "quantitative"
    return [
        {
            "data": {"values": lines},
            "mark": {"type": "line", "color": _MUTED, "strokeDash": dash, "strokeWidth": 1},
            "encoding": {**place, "detail": {"field": by}},
        },
        {
            "data": {"values": said},
            "mark": {"type": "text", "color": _MUTED, "fontSize": 10, "baseline": "middle", **at},
            "encoding": {**place, "text": {"field": "said"}},
        },
    ]


def _dots(found: Sequence[Place], names: Names, x: Spec, y: Spec, shade: Spec) -> list[Spec]:
    values = [
        _about(one.row, names)
        | {"b": one.breadth, "d": one.depth, "mark": names.letter(one.row.strategy)}
        for one in found
    ]
    point = {"type": "point", "filled": True, "size": 80, "cursor": "pointer", "opacity": 1}
    place = {"x": {**x, "field": "b"}, "y": {**y, "field": "d"}}
    return [
        {
            "data": {"values": values},
            "mark": {**point, "stroke": _INK, "strokeWidth": 0.6},
            "encoding": {**place, "color": shade, "tooltip": _TOOLTIP},
        },
        {
            "data": {"values": values},
            "mark": {"type": "text", "dx": 9, "dy": -5, "fontSize": 9, "color": _INK},
            "encoding": {**place, "text": {"field": "mark"}},
        },
    ]


def _path(path: Sequence[Place], names: Names, x: Spec, y: Spec) -> list[Spec]:
    values = [
        _about(one.row, names) | {"b": one.breadth, "d": one.depth, "step": i}
        for i, one in enumerate(path)
    ]
    place = {"x": {**x, "field": "b"}, "y": {**y, "field": "d"}, "order": {"field": "step"}}
    ring = {"type": "point", "filled": False, "size": 190, "cursor": "pointer", "opacity": 1}
    return [
        {
            "data": {"values": values},
            "mark": {"type": "line", "color": _PATH, "strokeWidth": 2.5, "opacity": 0.9},
            "encoding": place,
        },
        {
            "data": {"values": values},
            "mark": {**ring, "stroke": _PATH, "strokeWidth": 2},
            "encoding": {**place, "tooltip": _TOOLTIP},
        },
    ]


def phase_diagram(found: Sequence[Phase]) -> Spec | None:
    """Draw who is ahead, over budget / natural depth and tasks from shallow to deep.

    None where no point has a natural depth.
    """
    placed = [one for one in found if one.ratio is not None]
    if not placed:
        return None
    ranked = sorted(placed, key=lambda one: (-(one.serial or 0), -(one.natural or 0)))
    rows = [*dict.fromkeys(map(_row, ranked))]
    values = [_phase(one) for one in placed]
    y = {"field": "row", "type": "nominal", "sort": rows}
    y["axis"] = {"title": None, "labelLimit": 420, "ticks": False, "labelColor": _INK, "grid": True}
    x = {"field": "ratio", "type": "quantitative", "scale": {"type": "log", "nice": False}}
    ratios = [1.0, *(one.ratio or 1.0 for one in placed)]
    x["scale"]["domain"] = [min(ratios) / 1.5, max(ratios) * 1.5]
    x["axis"] = {"title": "budget / natural depth", "format": "~g", "grid": False, "tickCount": 6}
    shade = {"domain": [-1, 0, 1], "range": ["#c2571a", "#d8d5cb", "#2563a8"]}
    shade["interpolate"] = "rgb"
    tooltip = [
        *({"field": field} for field in ("row", "budget", "ahead", "best", "base")),
        *({"field": field, "format": "+.3f"} for field in ("difference", "low", "high")),
        *({"field": field, "format": ".3~g"} for field in ("p_holm", "natural", "ratio")),
    ]
    ahead = {"field": "ahead", "type": "nominal"}
    is_open = "datum.ahead === 'not decided'"
    return _whole(
        {
            "data": {"values": values},
            "width": 520,
            "height": {"step": 44},
            "encoding": {"y": y},
            "layer": [
                {
                    "data": {"values": [{"one": 1}]},
                    "mark": {"type": "rule", "color": _MUTED, "strokeDash": [4, 3]},
                    "encoding": {"x": {"datum": 1, "type": "quantitative"}, "y": {"value": 0}}
                    | {"y2": {"value": "height"}},
                },
                {
                    "mark": {"type": "square", "size": 420, "opacity": 1, "stroke": _INK},
                    "encoding": {
                        "x": x,
                        "color": {
                            "field": "difference",
                            "type": "quantitative",
                            "scale": shade,
                            "legend": {"title": "breadth ahead by", "format": "+.1f"},
                        },
                        "strokeWidth": {"condition": {"test": is_open, "value": 0}, "value": 2},
                        "fillOpacity": {"condition": {"test": is_open, "value": 0.45}, "value": 1},
                        "tooltip": tooltip,
                        "detail": ahead,
                    },
                },
                {
                    "mark": {"type": "text", "dy": -17, "fontSize": 9, "color": _MUTED},
                    "encoding": {"x": x, "text": {"field": "said"}},
                },
            ],
        }
    )


_SAID: Mapping[str, str] = {
    "breadth": "breadth is ahead",
    "depth": "depth is ahead",
    "open": "not decided",
}


def _row(one: Phase) -> str:
    deep = "serial depth ?" if one.serial is None else f"serial depth {one.serial}"
    effort = f", effort {one.effort}" if one.effort else ""
    return f"{deep} · {one.engine}{effort}: {one.task}"


def _phase(one: Phase) -> Spec:
    return {
        "row": _row(one),
        "budget": one.budget,
        "ratio": one.ratio,
        "natural": one.natural,
        "difference": one.versus.difference,
        "low": one.versus.low,
        "high": one.versus.high,
        "p_holm": one.versus.p_holm,
        "best": one.versus.strategy,
        "base": one.versus.base,
        "ahead": _SAID[one.ahead],
        "said": f"{one.versus.difference:+.2f}",
    }


def _size(budget: str, rows: Sequence[CellRow]) -> float:
    """Return what budgets are ordered by: their limit on work, none being the largest."""
    row = next(row for row in rows if row.budget == budget)
    work = limits(row).work
    return float("inf") if work is None else work


def _whole(spec: Spec) -> Spec:
    return {"$schema": _SCHEMA, "config": CONFIG, **spec}
