"""Advice on the page in a real browser: its table, its intervals, and that names are text."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.browser import browsing, found
from gateway.rig import replies, whole
from gateway.shadow.rig import SHADOW, fill, shadowed
from workspan.lab.advising.simulated import ROUTES, traffic

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(found() is None, reason="no Chromium: apt-get install chromium"),
]
MARKUP = "<img src=x onerror=\"document.title='pwned'\">"
ROWS = "document.querySelectorAll('#advice tr').length"


async def simulate(path: Path) -> None:
    """Fill a store with simulated traffic."""
    for place, route in enumerate((ROUTES[0], ROUTES[5], ROUTES[2])):
        several = traffic(route, 150, place, labels=place < 2)
        told = (replace(one, id=f"{place}{one.id}", model=f"m{place}{MARKUP}") for one in several)
        await fill(path, told)


def test_advice_is_drawn_with_its_intervals(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    async def main() -> None:
        await simulate(path)
        async with (
            shadowed(path, replies(whole()), SHADOW) as (gw, _, __),
            browsing(tmp_path / "profile", height=1500) as page,
        ):
            await page.send("Page.navigate", url=f"{gw.root}/")
            await page.until(f"{ROWS} === 3")
            verdicts = "[...document.querySelectorAll('#advice .badge')].map((x) => x.textContent)"
            assert await page.run(f"{verdicts}.sort().join()") == "change,undecided,undecided"
            assert "<img src=x" in await page.run("document.querySelector('#advice').textContent")
            assert await page.run("document.querySelectorAll('#advice-part img').length") == 0
            charts = "document.querySelectorAll('svg.advice').length"
            assert await page.run(charts) == 3
            spoken = await page.run("document.querySelector('svg.advice').ariaLabel")
            assert spoken.startswith("Accuracy against cost. self_consistency(n=9): +")
            await page.run("document.getElementById('advice-title').scrollIntoView()")
            await page.picture(tmp_path / "advice.png")
            await page.look(dark=True, still=True)
            await page.picture(tmp_path / "advice_dark.png")
            assert await page.run("document.title") == "Workspan gateway"
            assert page.said == []
            assert all(one.startswith((f"{gw.root}/", "about:")) for one in page.asked)

    asyncio.run(main())
