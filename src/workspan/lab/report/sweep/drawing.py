"""What the pictures of a sweep have in common: names, colours, what a point says of its cell.

Colours are names that the page defines (``var(--hue-0)``), so that it can be light or dark; a
picture alone has the light ones (`image`). Texts in them name engines, tasks and strategies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workspan.lab.records import letter
from workspan.lab.sweeping.outcome import CellRow

Spec = dict[str, Any]
"""Of Vega-Lite, with its data in it."""
HUES = 6
INK, MUTED, LINE, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--paper)"
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # a name: nothing is loaded from it
CONFIG: Spec = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "gridColor": LINE,
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 11,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "labelLimit": 330,
        "symbolLimit": 0,
        "labelFontSize": 11,
        "titleFontSize": 11,
    },
    "header": {"labelColor": INK, "titleColor": MUTED, "titleFontWeight": "normal"},
    "title": {"color": INK, "subtitleColor": MUTED, "anchor": "start", "fontSize": 13},
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


def about(row: CellRow, names: Names) -> Spec:
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
TOOLTIP = [
    {"field": field, **({} if field in ("strategy", "budget") else {"format": ",.4~g"})}
    for field in _TOLD
]


_NEAR = (18.0, 11.0)
"""Pixels beside and above one another within which two letters would be one blot."""


def joined(places: Sequence[tuple[float, float, str]]) -> list[str]:
    """Return what to write at each of some places, so that no two letters cover one another.

    The first of those that lie together has the letters of all, each once, and the others none.

    Args:
        places: pixels across and down, and a letter; "" writes nothing.

    Example:
        >>> joined([(0, 0, "B"), (5, 4, "A"), (90, 0, "A")])
        ['AB', '', 'A']
    """
    heads: list[tuple[float, float, int]] = []
    held: list[set[str]] = [set() for _ in places]
    for number, (across, down, said) in enumerate(places):
        if not said:
            continue
        near = (i for x, y, i in heads if abs(across - x) < _NEAR[0] and abs(down - y) < _NEAR[1])
        head = next(near, None)
        if head is None:
            heads.append((across, down, number))
        held[number if head is None else head].add(said)
    return ["".join(sorted(one, key=lambda name: (len(name), name))) for one in held]


def seamed(layer: Spec) -> list[Spec]:
    """Return a layer of texts with a seam in the page's colour: legible on lines and squares."""
    seam = {"color": PAPER, "stroke": PAPER, "strokeWidth": 2.5, "strokeJoin": "round"}
    encoding = {key: item for key, item in layer["encoding"].items() if key != "color"}
    below = {"mark": {**layer["mark"], **seam}, "encoding": encoding | {"color": {"value": PAPER}}}
    return [{**layer, **below}, layer]


def whole(said: str, spec: Spec) -> Spec:
    """Return a picture that stands alone, with what is said of it to whoever can't see it."""
    return {"$schema": _SCHEMA, "config": CONFIG, "description": said, **spec}
