"""Accuracy against what it costs, and what the choice among candidates adds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workspan.lab.report.sweep.drawing import (
    INK,
    TOOLTIP,
    Names,
    Spec,
    about,
    joined,
    seamed,
    whole,
)
from workspan.lab.sweeping.cell import limits
from workspan.lab.sweeping.outcome import CellRow

_WIDE, _HIGH = 880, 260
"""Of all panels together."""
_MOST_BUDGETS = 4
"""Columns of a picture that has one for each budget: the largest ones."""


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
    said = "Accuracy of each strategy against what it took; the numbers are in the table"
    values = _points(done, names)
    for column in titles:
        _letter(values, column, wide)
    return whole(said, {"data": {"values": values}, "hconcat": panels, "spacing": 22})


def _letter(values: Sequence[Spec], column: str, wide: int) -> None:
    """Say what stands beside each point in the panel of a column: those that lie together once."""
    known = [one for one in values if one[column]]
    logs = [math.log(one[column]) for one in known]
    scale = wide / (max(logs) - min(logs) or 1.0)
    placed = [
        (at * scale, (one["accuracy"] or 0) * _HIGH, one["mark"])
        for at, one in zip(logs, known, strict=True)
    ]
    for one, said in zip(known, joined(placed), strict=True):
        one[f"mark of {column}"] = said


def _points(rows: Sequence[CellRow], names: Names) -> list[Spec]:
    budgets = sorted({row.budget for row in rows}, key=lambda one: _size(one, rows))
    last = {(row.strategy, row.seed): row.id for row in rows}
    return [
        about(row, names)
        | {
            "place": budgets.index(row.budget),
            "cost": row.cost or None,
            "mark": names.letter(row.strategy) if row.id in last.values() else "",
        }
        for row in rows
    ]


def _panel(column: str, title: str, names: Names, shown: Sequence[str], wide: int) -> Spec:
    """Return the panel of one column."""
    faded = {"condition": {"param": "chosen", "value": 1}, "value": 0.12}
    legend = {"title": None, "orient": "bottom", "direction": "horizontal", "columns": 3}
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
                "encoding": {"shape": shape, "opacity": faded, "tooltip": TOOLTIP},
            },
            *seamed(
                {
                    "mark": {"type": "text", "dx": 8, "dy": -9, "fontSize": 10, "align": "left"},
                    "encoding": {"text": {"field": f"mark of {column}"}, "opacity": faded}
                    | {"color": {"value": INK}},
                }
            ),
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
    y: Spec = {"field": "told", "type": "nominal", "sort": [names.told(one) for one in shown]}
    y["axis"] = {"title": None, "labelLimit": 330, "ticks": False, "labelColor": INK}
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
    tooltip = [*TOOLTIP[:4], *({"field": f, "format": ".3~g"} for f in ("random", "coverage"))]
    return whole(
        "Each strategy between a random and the best pick; the numbers are in the table",
        {
            "data": {"values": [about(row, names) for row in known if row.budget in budgets]},
            "facet": {"column": {"field": "budget", "sort": budgets, "title": None}},
            "spec": {
                "width": min(290, 640 // len(budgets)),
                "height": {"step": 19},
                "encoding": {"y": y, "color": colour, "tooltip": tooltip},
                "layer": layers,
            },
        },
    )


def _marked(mark: Spec, x: Spec, column: str) -> Spec:
    return {"mark": mark, "encoding": {"x": {**x, "field": column}}}


def _size(budget: str, rows: Sequence[CellRow]) -> float:
    """Return what budgets are ordered by: their limit on work, none being the largest."""
    row = next(row for row in rows if row.budget == budget)
    work = limits(row.budget).work
    return float("inf") if work is None else work
