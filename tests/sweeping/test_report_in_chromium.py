"""The report in a real browser: from a point to a chain's text, and nothing else runs."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from gateway.browser import Page, browsing, found
from sweep_rig import Rig
from workspan.app.reporting import report
from workspan.testing.scripted import ScriptedEngine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(found() is None, reason="no Chromium: apt-get install chromium"),
]
HOSTILE = (
    "</pre></script><img src=x onerror=\"document.title='owned'\">"
    "<script>document.title='owned'</script> Answer: 4"
)
DRAWN = "document.documentElement?.dataset.drawn === 'all'"
BROKEN = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def made(tmp_path: Path) -> Path:
    engine = ScriptedEngine([HOSTILE, "Answer: 5", HOSTILE])
    one = Rig(engine, str(tmp_path / "store.db"), tmp_path / "calls", name="<b>engine</b>")
    path = tmp_path / "report.html"

    async def main() -> None:
        await one.sweep(["single", "self_consistency(n=4)"], ["200 work", "400 work"])
        await report(one.store, path, journals=one.folder)

    anyio.run(main)
    return path


@asynccontextmanager
async def opened(path: Path, tmp_path: Path, *, dark: bool = False) -> AsyncIterator[Page]:
    async with browsing(tmp_path / "profile") as page:
        await page.look(dark=dark)
        await page.send("Page.navigate", url=path.as_uri())
        await page.until(DRAWN)
        yield page


def test_from_a_point_to_a_problem_to_the_text_of_a_chain(tmp_path: Path) -> None:
    path = made(tmp_path)

    async def main() -> None:
        async with opened(path, tmp_path) as page:
            assert await page.run("document.querySelectorAll('.picture svg').length") == 4
            hidden = "document.getElementById('tip').getClientRects().length"
            assert await page.run(hidden) == 0
            await _click_a_point(page)
            await page.until("document.getElementById('drill').open")
            about = await page.run("document.getElementById('drill-about').textContent")
            assert "<b>engine</b> on sums" in about
            assert await page.run("document.querySelectorAll('.problem').length") == 6
            await page.run("document.querySelector('.problem > summary').click()")
            await page.until("document.querySelectorAll('.problem[open] .call').length > 0")
            texts = "[...document.querySelectorAll('.call pre')].map((one) => one.textContent)"
            shown: list[str] = await page.run(texts)
            assert any(text.strip() == HOSTILE for text in shown)
            written = "document.querySelectorAll('dialog img, dialog script, dialog b').length"
            assert await page.run(written) == 0
            await page.key("Escape", 27)
            await page.until("!document.getElementById('drill').open")
            await _by_keyboard(page)
            assert await page.run("document.title") == "Sweep test"
            assert page.said == []  # no refusal of the policy, no error
            assert page.asked == [path.as_uri()]

    asyncio.run(main())


async def _click_a_point(page: Page) -> None:
    """Click where a person would: on a point of the first picture of the group."""
    point = "document.querySelector('section .picture .mark-symbol path')"
    await page.run(f"{point}.scrollIntoView({{block: 'center'}})")
    at: dict[str, Any] = await page.run(
        f"(() => {{ const box = {point}.getBoundingClientRect(); "
        "return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
    )
    told = {**at, "button": "none", "type": "mouseMoved"}
    await page.send("Input.dispatchMouseEvent", **told)
    await page.until("document.getElementById('tip').textContent.includes('400 work')")
    for kind in ("mousePressed", "mouseReleased"):
        await page.send("Input.dispatchMouseEvent", type=kind, **at, button="left", clickCount=1)


async def _by_keyboard(page: Page) -> None:
    """Open a cell from its table without a mouse."""
    await page.run("document.querySelector('button[data-cell]').focus()")
    await page.key("Enter", 13, "\r")
    await page.until("document.getElementById('drill').open")
    await page.key("Escape", 27)


def test_dark_is_dark_and_print_is_not(tmp_path: Path) -> None:
    path = made(tmp_path)
    ink = "getComputedStyle(document.querySelector('.role-axis-label text')).fill"

    async def main() -> None:
        async with opened(path, tmp_path, dark=True) as page:
            assert await page.run(ink) == "rgb(154, 157, 163)"
            await page.send("Emulation.setEmulatedMedia", media="print")
            assert await page.run(ink) == "rgb(85, 89, 95)"
            folded = "document.querySelectorAll('details:not([open], .problem, .call)').length"
            assert await page.run(folded) > 0
            await page.run("dispatchEvent(new Event('beforeprint'))")
            assert await page.run(folded) == 0  # on paper nothing can be opened
            await page.run("dispatchEvent(new Event('afterprint'))")
            assert await page.run(folded) > 0
            told = await page.send("Page.printToPDF", printBackground=True)
            assert base64.b64decode(told["data"]).startswith(b"%PDF")

    asyncio.run(main())


def test_on_a_phone_pictures_are_scrolled_and_can_be_read(tmp_path: Path) -> None:
    path = made(tmp_path)
    letters = "document.querySelector('.role-axis-label text').getBoundingClientRect().height"
    wide = "document.documentElement.scrollWidth - innerWidth"

    async def main() -> None:
        async with opened(path, tmp_path) as page:
            full = await page.run(letters)
            told = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
            await page.send("Emulation.setDeviceMetricsOverride", **told)
            assert await page.run(letters) == full
            assert await page.run(wide) == 0  # the pictures alone are scrolled

    asyncio.run(main())


def test_what_slips_into_the_page_is_not_run(tmp_path: Path) -> None:
    path = made(tmp_path)
    broken = path.with_name("broken.html")
    broken.write_text(path.read_text().replace("<h1>", BROKEN + "<h1>", 1))

    async def main() -> None:
        async with opened(broken, tmp_path) as page:
            assert await page.run("document.title") == "Sweep test"
            assert any("Content Security Policy" in one for one in page.said)

    asyncio.run(main())
