"""Who is ahead, over budget / natural depth and tasks from shallow to deep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workspan.lab.report.sweep.drawing import INK, MUTED, Spec, seamed, whole
from workspan.lab.sweeping.phases import Phase


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
    y: Spec = {"field": "row", "type": "nominal", "sort": rows}
    y["axis"] = {"title": None, "labelLimit": 480, "ticks": False, "labelColor": INK, "grid": True}
    y["axis"]["labelOffset"] = -6  # of two lines, to have their middle at the row
    y["axis"]["labelExpr"] = "split(datum.value, '\\n')"
    x: Spec = {"field": "ratio", "type": "quantitative", "scale": {"type": "log", "nice": False}}
    ratios = [1.0, *(one.ratio or 1.0 for one in placed)]
    x["scale"]["domain"] = [min(ratios) / 1.5, max(ratios) * 1.5]
    x["axis"] = {"title": "budget / natural depth", "format": "~g", "grid": False, "tickCount": 6}
    shade: Spec = {"domain": [-1, 0, 1], "range": ["#c2571a", "#d8d5cb", "#2563a8"]}
    shade["interpolate"] = "rgb"
    tooltip = [
        *({"field": field} for field in ("row", "budget", "ahead", "best", "best of", "base")),
        *({"field": field, "format": "+.3f"} for field in ("difference", "low", "high")),
        *({"field": field, "format": ".3~g"} for field in ("p_holm", "natural", "ratio")),
    ]
    ahead = {"field": "ahead", "type": "nominal"}
    is_open = "datum.ahead === 'not decided'"
    return whole(
        "Who is ahead, by budget over natural depth and by serial depth",
        {
            "data": {"values": values},
            "width": 520,
            "height": {"step": 44},
            "encoding": {"y": y},
            "layer": [
                {
                    "data": {"values": [{"one": 1}]},
                    "mark": {"type": "rule", "color": MUTED, "strokeDash": [4, 3]},
                    "encoding": {"x": {"datum": 1, "type": "quantitative"}, "y": {"value": 0}}
                    | {"y2": {"value": "height"}},
                },
                {
                    "mark": {"type": "square", "size": 420, "opacity": 1, "stroke": INK}
                    | {"cursor": "pointer"},
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
                *seamed(
                    {
                        "mark": {"type": "text", "dy": -17, "fontSize": 9, "color": MUTED},
                        "encoding": {"x": x, "text": {"field": "said"}},
                    }
                ),
            ],
        },
    )


_SAID: Mapping[str, str] = {
    "breadth": "breadth is ahead",
    "depth": "depth is ahead",
    "open": "not decided",
}


def _row(one: Phase) -> str:
    deep = "serial depth ?" if one.serial is None else f"serial depth {one.serial}"
    effort = f", effort {one.effort}" if one.effort else ""
    return f"{deep} · {one.engine}{effort}:\n{one.task}"


def _phase(one: Phase) -> Spec:
    return {
        "row": _row(one),
        "cell": one.cell,
        "best of": one.of,
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
