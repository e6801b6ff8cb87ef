"""The map in a real browser: walked by click and by key, opened, printed, and harmless."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.browser import browsing, found
from map_rig import HELD, HOSTILE, everywhere
from workspan.lab.map.gathered import gather
from workspan.lab.map.page import render
from workspan.lab.map.rows import Row

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(found() is None, reason="no Chromium: apt-get install chromium"),
]
SHOWN = "document.querySelector('.view.shown')?.id"
OPEN = "[...document.querySelectorAll('article.open')].map((one) => one.dataset.idea).join()"
VISIBLE = (
    "[...document.querySelectorAll('article')].filter((one) => one.offsetParent)"
    ".map((one) => one.dataset.idea).join()"
)
FOCUS = "document.activeElement.dataset.idea ?? document.activeElement.id"
ALL = [*everywhere(), HELD, HOSTILE]


def shown(
    tmp_path: Path, rows: list[Row], look: Callable[[Any], Awaitable[None]], at: str = ""
) -> None:
    """Open the page of rows, do something, and see that nothing was refused or asked for."""
    file = tmp_path / "map.html"
    file.write_text(render(gather(rows)), "utf-8", "replace")

    async def main() -> None:
        async with browsing(tmp_path / "profile", 1300, 950) as page:
            await page.look(still=True)
            await page.send("Page.navigate", url=f"file://{file}{at}")
            await page.until("document.readyState === 'complete'")
            await page.until(SHOWN)
            await look(page)
            assert await page.run("document.title") == (
                "Breadth or depth: what is claimed, and what held"
            )
            assert page.said == []
            assert all(one.startswith(("file:", "about:")) for one in page.asked)

    asyncio.run(main())


async def click(page: Any, what: str) -> None:
    """Click where an element is, as a mouse does."""
    box = f"document.querySelector({what!r}).getBoundingClientRect()"
    await page.run(f"document.querySelector({what!r}).scrollIntoView({{block: 'center'}})")
    x = await page.run(f"{box}.x + {box}.width / 2")
    y = await page.run(f"{box}.y + {box}.height / 2")
    for kind in ("mousePressed", "mouseReleased"):
        told = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        await page.send("Input.dispatchMouseEvent", **told)


def test_one_walks_by_clicks_and_opens_the_middle(tmp_path: Path) -> None:
    async def look(page: Any) -> None:
        assert await page.run(SHOWN) == "at-parallel"
        assert await page.run(VISIBLE) == "parallel"
        assert await page.run(OPEN) == ""
        await click(page, ".view.shown a[data-idea=overthinking]")
        await page.until(f"{SHOWN} === 'at-overthinking'")
        assert await page.run(VISIBLE) == "overthinking"
        assert await page.run("location.hash") == "#at-overthinking"
        assert await page.run("document.getElementById('state').textContent") == (
            "Overthinking: held in part. Past a best length, thinking longer lowers accuracy."
        )
        await click(page, ".view.shown .centre")
        await page.until(f"{OPEN} === 'overthinking'")
        assert await page.run("document.querySelector('article.open .row').offsetHeight") > 20
        await page.picture(tmp_path / "open.png")
        await click(page, "article.open a.to[data-idea=effort]")
        await page.until(f"{SHOWN} === 'at-effort'")
        await page.run("history.back()")
        await page.until(f"{SHOWN} === 'at-overthinking'")
        await click(page, "#all")
        await page.until(f"{VISIBLE}.split(',').length === 11")

    shown(tmp_path, everywhere(), look)


def test_one_walks_by_keys_alone(tmp_path: Path) -> None:
    async def look(page: Any) -> None:
        await page.run("document.querySelector('.view.shown .centre').focus()")
        await page.key("ArrowRight", 39)
        assert await page.run(FOCUS) == "sequential"
        await page.key("ArrowRight", 39)
        assert await page.run(FOCUS) == "hybrid"
        await page.key("ArrowLeft", 37)
        await page.key("Enter", 13, "\r")
        await page.until(f"{SHOWN} === 'at-sequential'")
        assert await page.run(FOCUS) == "sequential"
        await page.key("Enter", 13, "\r")
        await page.until(f"{OPEN} === 'sequential'")
        centre = "document.querySelector('.view.shown .centre')"
        assert await page.run(f"{centre}.getAttribute('aria-expanded')") == "true"
        await page.key("Escape", 27)
        assert await page.run(OPEN) == ""
        await page.key("ArrowLeft", 37)
        assert await page.run(FOCUS) == "parallel"
        await page.key(" ", 32, " ")
        await page.until(f"{SHOWN} === 'at-parallel'")
        await page.key("Tab", 9)
        assert await page.run(FOCUS) == "open"
        seen = "getComputedStyle(document.activeElement).outlineStyle"
        assert await page.run(seen) == "solid"

    shown(tmp_path, everywhere(), look)


def test_an_address_leads_to_an_idea_that_is_open(tmp_path: Path) -> None:
    async def look(page: Any) -> None:
        assert await page.run(SHOWN) == "at-retrieval"
        assert await page.run(OPEN) == "retrieval"

    shown(tmp_path, [], look, "#idea-retrieval")


@pytest.mark.parametrize("rows", [[], ALL], ids=["empty", "hostile"])
def test_what_a_store_holds_does_nothing(tmp_path: Path, rows: list[Row]) -> None:
    async def look(page: Any) -> None:
        await click(page, "#all")
        await page.look(dark=True, still=True)
        ground = "getComputedStyle(document.body).backgroundColor"
        assert await page.run(ground) == "rgb(23, 24, 27)"
        wide = "document.documentElement.scrollWidth <= innerWidth"
        assert await page.run(wide), "long texts do not widen the page"
        assert await page.run("document.querySelectorAll('img').length") == 0

    shown(tmp_path, rows, look)


def test_a_narrow_screen_holds_it(tmp_path: Path) -> None:
    async def look(page: Any) -> None:
        size = {"width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        await page.send("Emulation.setDeviceMetricsOverride", **size)
        await click(page, ".view.shown .centre")
        await page.until(f"{OPEN} === 'parallel'")
        assert await page.run("document.documentElement.scrollWidth") <= 380
        await page.picture(tmp_path / "narrow.png")

    shown(tmp_path, ALL, look)


def test_it_walks_without_a_script_and_all_of_it_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(render(gather(everywhere())))

    async def main() -> None:
        async with browsing(tmp_path / "profile") as page:
            await page.send("Emulation.setScriptExecutionDisabled", value=True)
            await page.send("Page.navigate", url=f"file://{file}#at-effort")
            seen = "[...document.querySelectorAll('.view')].filter((one) => one.clientHeight)"
            await page.until("document.querySelectorAll('.every table').length === 1")
            assert await page.run(f"{seen}.map((one) => one.id).join()") == "at-effort"
            assert await page.run(f"{VISIBLE}.split(',').length") == 11
            await page.send("Emulation.setScriptExecutionDisabled", value=False)
            await page.send("Page.reload")
            await page.until(SHOWN)
            told = await page.send("Page.printToPDF", printBackground=True)
            assert len(base64.b64decode(told["data"])) > 20_000
            await page.send("Emulation.setEmulatedMedia", media="print")
            assert await page.run(f"{VISIBLE}.split(',').length") == 11
            rest = "[...document.querySelectorAll('.rest')].every((one) => one.offsetHeight > 50)"
            assert await page.run(rest)

    asyncio.run(main())
