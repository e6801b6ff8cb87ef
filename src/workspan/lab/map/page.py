"""The evidence map as one page: nothing is loaded, and every text from a store is a text node.

It is made as a tree of elements and written by the standard library, so that no text can become
markup. Its script and its style are named in its policy by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

from workspan import __version__
from workspan.lab.map.drawn import SIGNS, sign, style, view
from workspan.lab.map.gathered import SEED, EvidenceMap, Link, Node
from workspan.lab.map.rows import KINDS, Row, sound
from workspan.lab.report.pages import GENERATOR
from workspan.legible import counted, legible

_TITLE = "Breadth or depth: what is claimed, and what held"
_STRIP = (176.0, 18.0)
_COLUMNS = (
    *("id", "claim", "source", "verdict", "low", "high", "budget", "model", "date", "command"),
)
_NUMBERS = frozenset({"low", "high"})
_CELLS = {
    **dict.fromkeys(("claim", "source", "command"), "long"),
    **dict.fromkeys(("low", "high", "found", "95 %"), "number"),
    **dict.fromkeys(("id", "verdict", "date"), "whole"),
}
"""How the cells of a column are set."""


def policy() -> str:
    """Return the page's content security policy: its own script and style, and nothing else."""
    rules = (
        "default-src 'none'",
        f"script-src '{_hash('map.js')}'",
        f"style-src '{_hash('map.css')}'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return "; ".join(rules)


def render(found: EvidenceMap) -> str:
    """Return the page."""
    html = Element("html", {"lang": "en"})
    html.append(_head())
    body = SubElement(html, "body")
    _add(body, "a", "Skip to the ideas", {"class": "skip", "href": "#ideas"})
    body.append(_opening(found))
    main = SubElement(body, "main")
    walk = SubElement(main, "div", {"class": "walk"})
    walk.append(_graph(found))
    ideas = SubElement(walk, "section", {"class": "ideas", "id": "ideas", "aria-label": "Ideas"})
    names = {node.idea.id: node for node in found.nodes}
    for node in found.nodes:
        ideas.append(_article(node, found.links, names))
    main.append(_every(found))
    _add(body, "script", _read("map.js"))
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def said(value: float | None) -> str:
    """Write a figure as the page and the docs do."""
    return "" if value is None else f"{value:.3g}"


@cache
def _read(name: str) -> str:
    return files("workspan.lab.map").joinpath("assets", name).read_text("utf-8")


@cache
def _hash(name: str) -> str:
    told = hashlib.sha256(_read(name).encode()).digest()
    return f"sha256-{base64.b64encode(told).decode()}"


def _add(parent: Element, tag: str, text: str = "", told: dict[str, str] | None = None) -> Element:
    """Add an element with a text, which is made legible."""
    made = SubElement(parent, tag, {k: legible(v) for k, v in (told or {}).items()})
    made.text = text if tag in {"script", "style"} else legible(text)
    return made


def _head() -> Element:
    head = Element("head")
    SubElement(head, "meta", {"charset": "utf-8"})
    for name, content in (
        ("generator", GENERATOR),
        ("viewport", "width=device-width, initial-scale=1"),
        ("color-scheme", "light dark"),
        ("referrer", "no-referrer"),
    ):
        SubElement(head, "meta", {"name": name, "content": content})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": policy()})
    _add(head, "title", _TITLE)
    _add(head, "style", _read("map.css"))
    return head


def _opening(found: EvidenceMap) -> Element:
    header = Element("header")
    _add(header, "h1", _TITLE)
    measured = [row for row in found.rows if row.verdict != "not measured"]
    models = len({row.model for row in measured if row.kind in SEED})
    programs = len({row.model for row in measured if row.kind not in SEED})
    on = counted(models, "model") + (f" and {counted(programs, 'program')}" if programs else "")
    lead = (
        f"{counted(len(measured), 'measurement')} on {on}. A "
        "verdict is that of an interval against a line that was stated beforehand, and of this "
        "store's measurements alone."
        if measured
        else "Nothing was measured into this store yet: run a command below with --store."
    )
    _add(header, "p", lead, {"class": "lead"})
    counts: Counter[str] = Counter(row.verdict for row in found.rows)
    legend = SubElement(header, "ul", {"class": "legend", "aria-label": "Verdicts"})
    for word in SIGNS:
        item = SubElement(legend, "li")
        _word(item, word)
        item[-1].tail = f" {counts[word]}"
    return header


def _word(parent: Element, word: str) -> None:
    _add(parent, "span", f"{sign(word)} {word}", {"class": f"word {style(word)}"})


def _graph(found: EvidenceMap) -> Element:
    section = Element("section", {"class": "graph", "aria-label": "Map"})
    views = SubElement(section, "div", {"class": "views"})
    for node in found.nodes:
        views.append(view(found, node))
    _add(section, "p", "", {"id": "state", "class": "skip", "role": "status"})
    buttons = SubElement(section, "div", {"class": "bar-of-buttons"})
    _add(buttons, "button", "Open", {"id": "open", "type": "button", "aria-expanded": "false"})
    _add(buttons, "button", "All ideas", {"id": "all", "type": "button", "aria-pressed": "false"})
    hint = (
        "Click an idea to walk to it, the one in the middle to open it; by keyboard the arrows, "
        "Enter, Home and Escape. A line says how one idea bears on another, and its sign whether "
        "that was borne out."
    )
    _add(section, "p", hint, {"class": "note hint-line"})
    return section


def _article(node: Node, links: Sequence[Link], names: dict[str, Node]) -> Element:
    idea = node.idea
    told = {"id": f"idea-{idea.id}", "data-idea": idea.id}
    article = Element("article", told | {"data-said": f"{idea.name}: {node.verdict}. {idea.claim}"})
    top = SubElement(article, "div", {"class": "top"})
    _add(top, "h2", idea.name)
    _word(top, node.verdict)
    _add(article, "p", idea.claim, {"class": "claim"})
    rest = SubElement(article, "div", {"class": "rest"})
    facts = SubElement(rest, "dl")
    for term, text in (("from", idea.source), ("published", idea.published)):
        _add(facts, "dt", term)
        _add(facts, "dd", text)
    _relations(rest, node, links, names)
    _add(rest, "h3", "Measured")
    for row in node.rows:
        rest.append(_card(row))
    return article


def _relations(rest: Element, node: Node, links: Sequence[Link], names: dict[str, Node]) -> None:
    here = node.idea.id
    near = [link for link in links if here in (link.edge.start, link.edge.end)]
    if not near:
        return
    _add(rest, "h3", "Bears on")
    listed = SubElement(rest, "ul", {"class": "links"})
    for link in near:
        edge = link.edge
        item = SubElement(listed, "li")
        for end, word in ((edge.start, f" {edge.relation} "), (edge.end, ": ")):
            name = names[end].idea.name
            if end == here:
                _add(item, "span", name).tail = ""
            else:
                _add(item, "a", name, {"class": "to", "href": f"#at-{end}", "data-idea": end})
            if end == edge.start:
                _add(item, "span", word, {"class": f"relation {edge.relation}"})
            else:
                item[-1].tail = word
        _add(item, "span", f"{edge.why} ")
        _word(item, link.verdict)


def _card(row: Row) -> Element:
    card = Element("div", {"class": f"row {style(row.verdict)}", "id": f"row-{row.id}"})
    head = SubElement(card, "p", {"class": "head"})
    _word(head, row.verdict)
    on = KINDS.get(row.kind, row.kind)
    _add(head, "span", f" — {row.model}, {on}" if row.model else f" — {on}", {"class": "model"})
    if row.verdict != "not measured":
        _add(card, "p", row.claim)
    found, low, high = map(sound, (row.found, row.low, row.high))
    if found is not None and low is not None and high is not None:
        card.append(_figure(row, found, low, high))
    if row.why:
        _add(card, "p", row.why, {"class": "note"})
    about = [
        f"source: {row.source}" if row.verdict != "not measured" else "",
        f"budget: {row.budget}" if row.budget else "",
        counted(row.problems, "problem") if row.problems else "",
        row.date,
        row.machine,
    ]
    _add(card, "p", " · ".join(one for one in about if one), {"class": "note"})
    again = _add(card, "p", "again: " if row.measured is not None else "to measure it: ")
    _add(again, "code", row.command)
    if row.parts:
        card.append(_parts(row))
    return card


def _figure(row: Row, found: float, low: float, high: float) -> Element:
    figure = Element("div", {"class": "figure"})
    figure.append(_strip(found, low, high, row.line))
    text = f"{said(found)} [{said(low)}, {said(high)}]"
    if row.line is not None:
        text += f", line {said(row.line)}"
    _add(figure, "span", f"{text}: {row.statistic}" if row.statistic else text)
    return figure


def _strip(found: float, low: float, high: float, line: float | None) -> Element:
    """Draw an interval against its line."""
    width, height = _STRIP
    ends = [low, high, found, *([line] if line is not None else [])]
    least, most = min(ends), max(ends)
    room = (most - least) * 0.08 or 1.0

    def at(value: float) -> str:
        share = (value - least + room) / (most - least + 2 * room)
        return f"{4 + share * (width - 8):.1f}"

    svg = Element("svg", {"viewBox": f"0 0 {width:.0f} {height:.0f}", "aria-hidden": "true"})
    y = f"{height / 2:.1f}"
    SubElement(svg, "line", {"class": "axis", "x1": "0", "x2": str(width), "y1": y, "y2": y})
    if line is not None:
        told = {"class": "at", "x1": at(line), "x2": at(line), "y1": "0", "y2": str(height)}
        SubElement(svg, "line", told)
    SubElement(svg, "line", {"class": "bar", "x1": at(low), "x2": at(high), "y1": y, "y2": y})
    SubElement(svg, "circle", {"cx": at(found), "cy": y, "r": "3.5"})
    return svg


def _parts(row: Row) -> Element:
    details = Element("details")
    _add(details, "summary", f"{counted(len(row.parts), 'figure')} beside it")
    scroll = SubElement(details, "div", {"class": "scroll"})
    table = _table(scroll, ("what", "found", "95 %"), frozenset({"found", "95 %"}))
    for part in row.parts:
        cells = (part.what, said(part.found), f"{said(part.low)} to {said(part.high)}")
        _line(table, zip(("what", "found", "95 %"), cells, strict=True))
    return details


def _every(found: EvidenceMap) -> Element:
    section = Element("section", {"class": "every", "aria-labelledby": "every-title"})
    _add(section, "h2", "Every verdict", {"id": "every-title"})
    scroll = {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Every verdict"}
    table = _table(SubElement(section, "div", scroll), _COLUMNS, _NUMBERS)
    for row in found.rows:
        _line(table, ((name, _cell(row, name)) for name in _COLUMNS))
    _add(section, "p", f"Made by workspan {__version__}: workspan map.", {"class": "note"})
    return section


def _cell(row: Row, name: str) -> str:
    if name in _NUMBERS:
        return said(getattr(row, name))
    if name == "verdict":
        return f"{sign(row.verdict)} {row.verdict}"
    if name == "model":
        return row.model or KINDS.get(row.kind, row.kind)
    return str(getattr(row, name))


def _table(parent: Element, columns: Iterable[str], numbers: frozenset[str]) -> Element:
    table = SubElement(parent, "table")
    head = SubElement(SubElement(table, "thead"), "tr")
    for name in columns:
        told = {"scope": "col"} | ({"class": "number"} if name in numbers else {})
        _add(head, "th", name, told)
    return SubElement(table, "tbody")


def _line(body: Element, cells: Iterable[tuple[str, str]]) -> None:
    line = SubElement(body, "tr")
    for name, text in cells:
        _add(line, "td", text, {"class": _CELLS.get(name, "")})
