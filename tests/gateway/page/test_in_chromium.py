"""The page in a real browser: from a request that runs to its vote, by keyboard, light and dark."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.browser import browsing, found
from gateway.rig import DONE, Scripted, begin, end, gate, line, part, piece, usage

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(found() is None, reason="no Chromium: apt-get install chromium"),
]
MARKUP = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
ASK = [{"role": "user", "content": f"What is 2 + 2? Reply with a single number. {MARKUP}"}]
IS_LIVE = "document.getElementById('state')?.textContent === 'Live'"
STATES = "[...document.querySelectorAll('article')].map((one) => one.dataset.state).join()"


class Drafts:
    """An upstream whose answers come when a test says so."""

    def __init__(self, *texts: str) -> None:
        self.texts = iter(texts)
        self.go = asyncio.Event()

    async def answer(self, _: Scripted, __: Any, writer: Any) -> None:
        text = next(self.texts)
        await begin(writer)
        for _place in range(3):
            await part(writer, piece({"content": "so "}))
        await self.go.wait()
        await part(writer, piece({"content": text}) + piece({}, "stop"))
        await part(writer, line({"id": "c", "choices": [], "usage": usage(30, 60)}) + DONE)
        await end(writer)


def test_a_request_from_its_begin_to_its_vote(tmp_path: Path) -> None:
    async def main() -> None:
        drafts = Drafts(*(f"{MARKUP}\n\n{number}" for number in (4, 4, 5, 4)))
        async with (
            Scripted(drafts.answer).serve() as up,
            gate(up.url, shows_content=True) as gw,
            browsing(tmp_path / "profile") as page,
        ):
            await page.send("Page.navigate", url=f"{gw.root}/")
            await page.until(IS_LIVE)
            model = "m:self_consistency(n=4)"
            asking = asyncio.create_task(gw.ask(model=model, messages=ASK))
            await page.until("document.querySelectorAll('.bar.running').length === 4")
            assert await page.run(STATES) == "running"
            await page.picture(tmp_path / "running.png")
            drafts.go.set()
            assert (await asking).status == 200
            await page.until(f"{STATES} === 'done'")
            await _voted(page)
            await page.picture(tmp_path / "voted.png")
            await _by_keyboard(page)
            await page.look(dark=True, still=True)
            await page.picture(tmp_path / "dark.png")
            ground = "getComputedStyle(document.body).backgroundColor"
            assert await page.run(ground) == "rgb(17, 22, 28)"
            assert await page.run("document.title") == "Workspan gateway"
            assert page.said == []
            assert all(one.startswith((f"{gw.root}/", "about:")) for one in page.asked)
            for name in ("running", "voted", "dark"):
                assert (tmp_path / f"{name}.png").stat().st_size > 10_000

    asyncio.run(main())


async def _voted(page: Any) -> None:
    """See the votes, the chosen one, and that what a model wrote is text."""
    rows = "[...document.querySelectorAll('.votes li')].map((one) => one.className).join()"
    assert await page.run(rows) == "chosen,"
    assert await page.run("document.querySelectorAll('.bar.chosen').length") == 1
    assert await page.run("document.querySelectorAll('.bar.sample').length") == 3
    assert await page.run("document.querySelector('meter').value") == 3
    spoken = await page.run("document.querySelector('svg.timeline').ariaLabel")
    assert spoken == "4 calls over a span of 60 tokens: 1 chosen, 3 drawn"
    assert "<img src=x" in await page.run("document.querySelector('.content pre').textContent")
    assert await page.run("document.querySelectorAll('article img, article script').length") == 0
    row = "document.querySelector('#keys tr').textContent"
    assert "without a key1004" in await page.run(row)


async def _by_keyboard(page: Any) -> None:
    """Open the table of calls, and pause, without a mouse."""
    await page.run("document.querySelector('.skip').focus()")
    focused = "document.activeElement.tagName"
    for _ in range(8):
        if await page.run(focused) == "SUMMARY":
            break
        await page.key("Tab", 9)
    assert await page.run(focused) == "SUMMARY"
    await page.key("Enter", 13, "\r")
    await page.until("document.querySelectorAll('details[open] tbody tr').length === 4")
    await page.run("document.getElementById('pause').focus()")
    await page.key("Enter", 13, "\r")
    pressed = "document.getElementById('pause').getAttribute('aria-pressed')"
    assert await page.run(pressed) == "true"
    await page.key("Enter", 13, "\r")
    assert await page.run(pressed) == "false"


def test_failures_are_told_and_a_gateway_that_is_gone_too(tmp_path: Path) -> None:
    async def main() -> None:
        drafts = Drafts("4")
        async with Scripted(drafts.answer).serve() as up, browsing(tmp_path / "profile") as page:
            async with gate(up.url) as gw:
                await page.send("Page.navigate", url=f"{gw.root}/")
                await page.until(IS_LIVE)
                await gw.ask(model="no such model")
                asking = asyncio.create_task(gw.stream())
                await page.until(f"{STATES} === 'running,refused'")
                asking.cancel()
                await page.until(f"{STATES} === 'refused,refused'")
                assert await page.run("document.querySelectorAll('.bar.cut').length") == 1
            await page.until("document.getElementById('state').textContent.startsWith('Not conn')")

    asyncio.run(main())


def test_the_admin_s_key_opens_the_page(tmp_path: Path) -> None:
    async def main() -> None:
        drafts = Drafts("4")
        drafts.go.set()
        key = "an-admin-key-of-32-characters-00"
        async with (
            Scripted(drafts.answer).serve() as up,
            gate(up.url, admin_key=key) as gw,
            browsing(tmp_path / "profile") as page,
        ):
            await page.send("Fetch.enable", handleAuthRequests=True)
            await page.send("Page.navigate", url=f"{gw.root}/")
            await page.until("document.body.textContent.includes('admin_only')")
            assert await page.run("document.getElementById('state') === null")
            page.password = key
            await page.send("Page.navigate", url=f"{gw.root}/")
            await page.until(IS_LIVE)
            await gw.stream()
            await page.until(f"{STATES} === 'done'")
            assert key not in await page.run("document.documentElement.outerHTML")

    asyncio.run(main())
