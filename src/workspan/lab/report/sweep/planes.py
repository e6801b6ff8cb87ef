"""Accuracy over breadth and depth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workspan.lab.report.sweep.drawing import (
    INK,
    MUTED,
    PAPER,
    TOOLTIP,
    Names,
    Spec,
    about,
    joined,
    seamed,
    whole,
)
from workspan.lab.sweeping.outcome import CellRow
from workspan.lab.sweeping.placing import Place, Square, efficient, levels, places, squares

_PATH = "var(--hue-4)"
_SHADES = "viridis"
_WIDE, _HIGH = 560, 380


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
    x: Spec = {"type": "quantitative", "scale": {"type": "log", "base": 2, "domain": [1, right]}}
    y: Spec = {"type": "quantitative", "scale": {"type": "log", "base": 2, "domain": [low, high]}}
    x["axis"] = _axis("breadth: work / span", 1, right)
    y["axis"] = _axis("depth: span, in tokens", low, high)
    shade: Spec = {"field": "accuracy", "type": "quantitative"}
    shade |= {"scale": {"domain": [0, 1], "scheme": _SHADES}, "legend": {"title": "accuracy"}}
    done = [one.row for one in found]
    return whole(
        "Accuracy over breadth and depth; work over span, and span, are in the table",
        {
            "width": _WIDE,
            "height": _HIGH,
            "layer": [
                _boxes([_box(box) for box in boxes], x, y, shade),
                *_iso_work(levels(done, "work"), right, low, high),
                *_iso_span(levels(done, "span"), right, low, high),
                *_dots(found, names, x, y, shade),
                *_path(efficient(found), names, x, y),
            ],
        },
    )


def _axis(title: str, low: float, high: float) -> Spec:
    """Return an axis with a tick at each octave: between them labels would be rounded to others."""
    ticks = [2.0**power for power in range(round(math.log2(low)), round(math.log2(high)) + 1)]
    told = {"title": title, "format": ",", "grid": False, "labelOverlap": True}
    return {"values": ticks, **told}


def _box(box: Square) -> Spec:
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
    place: Spec = {"x": {"field": "b", "type": "quantitative"}, "y": {"field": "d"}}
    place["y"]["type"] = "quantitative"
    seam = {"color": PAPER, "strokeWidth": 2.5, "opacity": 0.5}
    return [
        *(
            {
                "data": {"values": lines},
                "mark": {"type": "line", **mark},
                "encoding": {**place, "detail": {"field": by}},
            }
            for mark in (seam, {"color": INK, "strokeDash": dash, "strokeWidth": 1})
        ),
        *seamed(
            {
                "data": {"values": said},
                "mark": {"type": "text", "color": MUTED, "fontSize": 10, "baseline": "middle"} | at,
                "encoding": {**place, "text": {"field": "said"}},
            }
        ),
    ]


def _dots(found: Sequence[Place], names: Names, x: Spec, y: Spec, shade: Spec) -> list[Spec]:
    right = math.log2(x["scale"]["domain"][1])
    low, high = map(math.log2, y["scale"]["domain"])
    placed = [
        (
            math.log2(one.breadth) / right * _WIDE,
            (math.log2(one.depth) - low) / (high - low) * _HIGH,
            names.letter(one.row.strategy),
        )
        for one in found
    ]
    values = [
        about(one.row, names) | {"b": one.breadth, "d": one.depth, "mark": said}
        for one, said in zip(found, joined(placed), strict=True)
    ]
    point = {"type": "point", "filled": True, "size": 80, "cursor": "pointer", "opacity": 1}
    place = {"x": {**x, "field": "b"}, "y": {**y, "field": "d"}}
    return [
        {
            "data": {"values": values},
            "mark": {**point, "stroke": INK, "strokeWidth": 0.6},
            "encoding": {**place, "color": shade, "tooltip": TOOLTIP},
        },
        *seamed(
            {
                "data": {"values": values},
                "mark": {"type": "text", "dx": 8, "dy": -6, "fontSize": 9, "color": INK}
                | {"align": "left"},
                "encoding": {**place, "text": {"field": "mark"}},
            }
        ),
    ]


def _path(path: Sequence[Place], names: Names, x: Spec, y: Spec) -> list[Spec]:
    values = [
        about(one.row, names) | {"b": one.breadth, "d": one.depth, "step": i}
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
            "encoding": {**place, "tooltip": TOOLTIP},
        },
    ]
