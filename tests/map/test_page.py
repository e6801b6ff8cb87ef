"""The page: texts stay texts, its policy names its own script, and nothing overlaps."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from xml.etree.ElementTree import Element

import pytest

from map_rig import HELD, HOSTILE, MARKUP, everywhere
from workspan.lab.map.drawn import HEIGHT, SIGNS, WIDTH, view
from workspan.lab.map.gathered import gather
from workspan.lab.map.page import policy, render
from workspan.lab.map.rows import Row

ASSETS = files("workspan.lab.map") / "assets"
SINKS = (
    *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("),
    *("new Function", "setTimeout", "createContextualFragment", "srcdoc", "localStorage"),
    *("sessionStorage", "document.cookie", "import(", "fetch(", "http://", "https://"),
)


class Read(HTMLParser):
    """Notes what a page holds."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open[-1] if self._open else "", []).append(data)


def hashed(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_names_the_very_script_and_style_of_the_page() -> None:
    page = render(gather([HELD]))
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    told = next(one["content"] for _, one in Read(page).tags if "http-equiv" in one)
    assert told == policy()
    assert f"script-src '{hashed(script)}'" in policy()
    assert f"style-src '{hashed(style)}'" in policy()
    assert policy().startswith("default-src 'none'; ")
    assert "unsafe" not in policy()


def test_nothing_is_loaded_and_nothing_is_inline() -> None:
    for tag, told in Read(render(gather([HELD, HOSTILE]))).tags:
        assert not [name for name in told if name.startswith("on") or name in {"style", "src"}]
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        href = told.get("href")
        assert href is None or re.fullmatch(r"#[a-z_-]+", href)


def test_texts_from_a_store_become_no_markup() -> None:
    tame = replace(HELD, idea="parallel", kind="model", parts=HELD.parts[:1], found=None, why="why")
    for row, other in ((HOSTILE, tame), (replace(HOSTILE, idea=MARKUP), replace(tame, idea="x"))):
        one, two = (Read(render(gather([each]))) for each in (row, other))
        assert [tag for tag, _ in one.tags] == [tag for tag, _ in two.tags]
        assert "\u202e" not in render(gather([row]))


def test_a_word_that_is_no_verdict_and_a_kind_that_is_none_are_only_shown() -> None:
    odd = replace(HELD, verdict=MARKUP, kind=MARKUP, model="")  # type: ignore[arg-type]
    read = Read(render(gather([odd])))
    classes = {name for _, told in read.tags for name in (told.get("class") or "").split()}
    assert all(re.fullmatch(r"[a-z-]+", name) for name in classes)


def test_all_is_readable_without_a_script_and_in_print() -> None:
    page = render(gather([HELD]))
    read = Read(page)
    said = " ".join(text for texts in read.texts.values() for text in texts)
    for text in (HELD.claim, HELD.command, "0.47 [0.448, 0.49]", HELD.date, HELD.machine):
        assert text in said
    assert said.count(HELD.claim) == 2, "once at its idea, once in the table of all"
    columns = [text for text in read.texts["th"] if text in {"id", "claim", "source", "verdict"}]
    assert columns == ["id", "claim", "source", "verdict"]
    assert "@media print" in (ASSETS / "map.css").read_text()


def test_the_script_has_no_way_from_text_to_markup() -> None:
    text = (ASSETS / "map.js").read_text()
    for sink in SINKS:
        assert sink not in text, sink


def boxes(svg: Element) -> dict[str, tuple[float, float, float, float]]:
    """Return the corners of every idea's box."""
    found = {}
    for link in svg.iter("a"):
        rect = link.find("rect")
        assert rect is not None
        x, y, w, h = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        found[link.attrib["data-idea"]] = (x, y, x + w, y + h)
    return found


def overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


ROWS: list[Row] = [*everywhere(), replace(HELD, idea="mine")]
VIEWS = [node.idea.id for node in gather(ROWS).nodes]


@pytest.mark.parametrize("centre", VIEWS)
def test_no_box_covers_another_or_leaves_the_picture(centre: str) -> None:
    found = gather(ROWS)
    svg = view(found, next(node for node in found.nodes if node.idea.id == centre))
    held = boxes(svg)
    assert {*held} == {*VIEWS}
    for name, (left, top, right, bottom) in held.items():
        assert left >= 0
        assert top >= 0
        assert right <= WIDTH
        assert bottom <= HEIGHT
        for other, corners in held.items():
            assert name == other or not overlap((left, top, right, bottom), corners)


@pytest.mark.parametrize("centre", VIEWS)
def test_no_relation_is_written_over_a_box_or_another(centre: str) -> None:
    found = gather(ROWS)
    svg = view(found, next(node for node in found.nodes if node.idea.id == centre))
    labels = []
    for text in svg.iter("text"):
        if (text.get("class") or "").startswith("label"):
            x, y = float(text.attrib["x"]), float(text.attrib["y"])
            half = len(text.text or "") * 4.6
            labels.append((x - half, y - 13, x + half, y + 4))
    for at, label in enumerate(labels):
        assert not any(overlap(label, box) for box in boxes(svg).values())
        assert not any(overlap(label, other) for other in labels[at + 1 :])


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_texts_can_be_read_in_both_schemes() -> None:
    """WCAG 2.2: 4.5 for text."""
    css = (ASSETS / "map.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    assert len(blocks) == 2
    for block in blocks:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for name in (
            *("ink", "muted", "held", "in-part", "against", "open", "none"),
            *("supports", "qualifies", "contradicts"),
        ):
            for ground in ("paper", "soft"):
                light, dark = sorted(
                    (luminance(colours[name]), luminance(colours[ground])), reverse=True
                )
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


def test_every_verdict_has_a_sign_of_its_own() -> None:
    assert len({*SIGNS.values()}) == len(SIGNS) == 5
