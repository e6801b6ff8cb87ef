"""One idea in the middle, the others around it: a view for each idea, laid out by rule.

A view is whole by itself. A link leads from each idea around to the view that has it in the middle,
so that one can walk without a script.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from workspan.lab.map.gathered import EvidenceMap, Link, Node
from workspan.legible import legible

WIDTH, HEIGHT = 1000, 640
SIGNS: Mapping[str, str] = {
    "held": "●",
    "held in part": "◐",
    "came out against": "✕",
    "undecided": "?",
    "not measured": "○",
}
"""A verdict is told by a sign and a word, and by colour last."""
CLASSES: Mapping[str, str] = {word: word.replace(" ", "-") for word in SIGNS}
_MIDDLE = (WIDTH / 2, HEIGHT / 2)
_RADII = (400.0, 266.0)
_BOX, _CENTRE = (178.0, 54.0), (230.0, 94.0)
_GAP = 5.0
_HEAD = 9.0


class _Place(NamedTuple):
    x: float
    y: float
    width: float
    height: float

    def edge_towards(self, other: _Place) -> tuple[float, float]:
        """Return where a line to another place leaves this one's box."""
        dx, dy = other.x - self.x, other.y - self.y
        reach = min(
            (self.width / 2 + _GAP) / abs(dx) if dx else math.inf,
            (self.height / 2 + _GAP) / abs(dy) if dy else math.inf,
        )
        return self.x + dx * reach, self.y + dy * reach


def sign(word: str) -> str:
    """Return a verdict's sign; a word that is none has none."""
    return SIGNS.get(word, "·")


def style(word: str) -> str:
    """Return the class of a verdict."""
    return CLASSES.get(word, "not-measured")


def view(found: EvidenceMap, centre: Node) -> Element:
    """Draw the map with one idea in its middle."""
    places = _places(found.nodes, centre)
    svg = Element(
        "svg",
        {
            "class": "view",
            "id": f"at-{centre.idea.id}",
            "viewBox": f"0 0 {WIDTH} {HEIGHT}",
            "role": "group",
            "aria-label": f"{centre.idea.name} and the ideas around it",
        },
    )
    here = centre.idea.id
    near = [link for link in found.links if here in (link.edge.start, link.edge.end)]
    for link in found.links:
        if link not in near:
            _line(svg, link, places, "far")
    for link in near:
        _line(svg, link, places, "near")
    linked = {end for link in near for end in (link.edge.start, link.edge.end)}
    for node in _around(found.nodes, centre):
        _box(svg, node, places[node.idea.id], "linked" if node.idea.id in linked else "aside")
    for link in near:
        _label(svg, link, places)
    _box(svg, centre, places[here], "centre")
    return svg


def _around(nodes: Sequence[Node], centre: Node) -> list[Node]:
    """Return the others in their order, from the one that follows."""
    at = nodes.index(centre)
    return [*nodes[at + 1 :], *nodes[:at]]


def _places(nodes: Sequence[Node], centre: Node) -> dict[str, _Place]:
    others = _around(nodes, centre)
    found = {centre.idea.id: _Place(*_MIDDLE, *_CENTRE)}
    for place, node in enumerate(others):
        angle = 2 * math.pi * (place + 0.5) / len(others) - math.pi / 2
        x = _MIDDLE[0] + _RADII[0] * math.cos(angle)
        y = _MIDDLE[1] + _RADII[1] * math.sin(angle)
        found[node.idea.id] = _Place(x, y, *_BOX)
    return found


def _line(svg: Element, link: Link, places: Mapping[str, _Place], kind: str) -> None:
    edge = link.edge
    start, end = places[edge.start], places[edge.end]
    (x1, y1), (x2, y2) = start.edge_towards(end), end.edge_towards(start)
    group = SubElement(svg, "g", {"class": f"edge {kind} {edge.relation} {style(link.verdict)}"})
    line = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    SubElement(group, "line", {name: f"{value:.1f}" for name, value in line.items()})
    angle = math.atan2(y2 - y1, x2 - x1)
    corners = [(x2, y2)] + [
        (x2 - _HEAD * math.cos(angle + turn), y2 - _HEAD * math.sin(angle + turn))
        for turn in (0.45, -0.45)
    ]
    SubElement(group, "polygon", {"points": " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)})


def _label(svg: Element, link: Link, places: Mapping[str, _Place]) -> None:
    """Say a relation and how it stands, where the line is free of boxes."""
    edge = link.edge
    start, end = places[edge.start], places[edge.end]
    (x1, y1), (x2, y2) = start.edge_towards(end), end.edge_towards(start)
    told = {"class": f"label {edge.relation}", "x": f"{(x1 + x2) / 2:.1f}"}
    text = SubElement(svg, "text", told | {"y": f"{(y1 + y2) / 2 + 4:.1f}"})
    text.text = f"{edge.relation} {sign(link.verdict)}"
    SubElement(text, "title").text = f"{edge.why} {link.verdict.capitalize()}."


def _box(svg: Element, node: Node, place: _Place, kind: str) -> None:
    idea, word = node.idea, node.verdict
    target = f"#idea-{idea.id}" if kind == "centre" else f"#at-{idea.id}"
    deed = "Open" if kind == "centre" else "Walk to"
    link = SubElement(
        svg,
        "a",
        {
            "class": f"node {kind} {style(word)}",
            "href": target,
            "data-idea": idea.id,
            "aria-label": f"{deed} {idea.name}: {word}",
        },
    )
    SubElement(link, "title").text = idea.claim
    box = {"x": place.x - place.width / 2, "y": place.y - place.height / 2}
    size = {"width": place.width, "height": place.height, "rx": 10.0}
    SubElement(link, "rect", {name: f"{value:.1f}" for name, value in (box | size).items()})
    lines = [(idea.name, "name"), (f"{sign(word)} {word}", "verdict")]
    if kind == "centre":
        lines.append(("click to open", "hint"))
    step = 22.0
    top = place.y - step * (len(lines) - 1) / 2 + 5
    for at, (text, what) in enumerate(lines):
        told = {"class": what, "x": f"{place.x:.1f}", "y": f"{top + at * step:.1f}"}
        SubElement(link, "text", told).text = legible(text)
