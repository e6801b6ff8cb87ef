"""The page as it is served: its policy, its assets, and that nothing of it comes from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from gateway.rig import Scripted, gate, replies, run, whole
from workspan.serve.page.routes import ASSETS, EVENTS, POLICY

BODIES = {path: files("workspan.serve.page").joinpath("assets", n) for path, n in ASSETS.items()}
SINKS = (
    *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("),
    *("new Function", 'setTimeout("', "createContextualFragment", "srcdoc", "localStorage"),
    *("sessionStorage", "document.cookie", "import(", "http://", "https://"),
)


def test_every_reply_of_the_page_has_its_policy() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            for path in (*ASSETS, EVENTS):
                async with gw.client.head(gw.root + path) as reply:
                    assert reply.status == 200
                    told = reply.headers
                    assert told["content-security-policy"] == POLICY
                    assert told["x-content-type-options"] == "nosniff"
                    assert told["referrer-policy"] == "no-referrer"
                    assert told["x-frame-options"] == "DENY"
                    assert told["cross-origin-resource-policy"] == "same-origin"
                    assert "access-control-allow-origin" not in told
                    assert "set-cookie" not in told
            got = await gw.get("/")
            assert got.body == BODIES["/"].read_bytes()
            assert got.headers["content-type"] == "text/html; charset=utf-8"

    run(main)


def test_the_policy_lets_nothing_inline_or_foreign_in() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == "'none'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    for name in ("script-src", "style-src", "connect-src", "img-src"):
        assert rules[name] == "'self'"
    assert "unsafe" not in POLICY


class Read(HTMLParser):
    """Notes what a page holds."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_itself_has_no_script_style_or_address_of_others() -> None:
    reader = Read()
    reader.feed(BODIES["/"].read_text())
    for tag, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href"):
            told = attributes.get(name)
            assert told is None or re.fullmatch(r"#?[a-z_/.]+", told), told
        if tag == "script":
            assert attributes.get("src")
        assert tag not in {"style", "iframe", "object", "embed", "base", "form"}
    assert ("html", {"lang": "en"}) in reader.tags


@pytest.mark.parametrize("path", [one for one in ASSETS if one.endswith(".js")])
def test_scripts_have_no_way_from_text_to_markup(path: str) -> None:
    text = BODIES[path].read_text().replace("http://www.w3.org/2000/svg", "")
    for sink in SINKS:
        assert sink not in text, sink


def test_assets_are_few_and_small() -> None:
    assert sum(len(one.read_bytes()) for one in BODIES.values()) < 40_000
    known = {one.name for one in files("workspan.serve.page").joinpath("assets").iterdir()}
    assert known == set(ASSETS.values())


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_can_be_told_apart_in_both_schemes() -> None:
    """WCAG 2.2: 4.5 for text, 3 for what is drawn."""
    text = BODIES["/_/page.css"].read_text()
    blocks = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))
        for ground in ("ground", "panel"):
            for name in ("ink", "soft", "chosen", "cut", "failed", "running"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
            for name in ("sample", "focus", "line"):
                assert contrast(colours[name], colours[ground]) >= 3, (name, ground)
        for name in ("chosen", "sample"):  # the marks on bars
            assert contrast(colours["ground"], colours[name]) >= 4.5, name
    assert "prefers-reduced-motion" in text
    assert ":focus-visible" in text
