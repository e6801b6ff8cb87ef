"""Runs of agents on the page, in a real browser: turn by turn, as wide as they were."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.browser import browsing, found
from gateway.rig import ASK, gate, upstream
from workspan.core.engine import Price
from workspan.testing.agents.maze import PICK, READ, Maze
from workspan.testing.agents.model import SimulatedModel
from workspan.testing.agents.walker import walk

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(found() is None, reason="no Chromium: apt-get install chromium"),
]
IS_LIVE = "document.getElementById('state')?.textContent === 'Live'"
OLD = [(f"old-{number}", "1k work") for number in range(3)]
MARKUP = "<img src=x onerror=document.title='pwned'>"
CARDS = "[...document.querySelectorAll('#runs article')]"


def test_runs_are_shown_turn_by_turn(tmp_path: Path) -> None:
    async def main() -> None:
        price = Price(Decimal(1), Decimal(4), Decimal("0.1"))
        async with (
            SimulatedModel().serve() as up,
            gate(upstream(up.url, "sim", "sim", price)) as gw,
            aiohttp.ClientSession() as client,
            browsing(tmp_path / "profile") as page,
        ):
            await page.send("Page.navigate", url=f"{gw.root}/")
            await page.until(IS_LIVE)
            assert await page.run("document.getElementById('runs-part').hidden")
            maze = Maze(3, (READ, PICK) * 8)
            headers: dict[str, str] = {}
            for name, budget in (*OLD, (MARKUP, "3k work"), ("fix-the-build", "600 work")):
                headers = {"Workspan-Trajectory": name, "Workspan-Trajectory-Budget": budget}
                await walk(client, gw.url, maze, "sim:auto", 1, headers)
            refused = await gw.post({**ASK, "model": "sim"}, headers=headers)
            assert refused.error["code"] == "budget_exceeded"
            await page.until(f"{CARDS}.length === 5 && !document.querySelector('.badge.running')")
            await page.until("document.querySelectorAll('#routes tbody tr').length === 2")
            await _seen(page)
            await page.picture(tmp_path / "runs.png")
            await page.send("Page.navigate", url=f"{gw.root}/")
            await page.until(IS_LIVE)
            await page.until(f"{CARDS}.length === 5")
            await page.look(dark=True, still=True)
            await page.picture(tmp_path / "runs-dark.png")
            assert await page.run("document.title") == "Workspan gateway"
            assert page.said == []

    asyncio.run(main())


async def _seen(page: Any) -> None:
    names = await page.run(f"{CARDS}.map((one) => one.querySelector('h3').textContent).join('|')")
    assert names == f"fix-the-build|{MARKUP}|old-2|old-1|old-0"
    assert await page.run("document.querySelector('#runs summary').textContent") == "2 earlier runs"
    assert await page.run("document.querySelectorAll('#runs img').length") == 0
    badges = f"{CARDS}.map((one) => one.querySelector('.badge').textContent).join('|')"
    await page.until(f"{badges}.startsWith('last turn 429|17 turns|')")
    assert await page.run("document.querySelectorAll('#runs .turn.refused').length") >= 1
    assert await page.run("document.querySelectorAll('#runs .turn.wide').length") > 3
    spoken = await page.run(f"{CARDS}[1].querySelector('svg.strip').ariaLabel")
    assert spoken.startswith("17 turns, the widest is turn ")
    left = f"{CARDS}[0].querySelector('.account .number').textContent"
    assert (await page.run(left)).endswith(" left")
    assert "/v1/chat/completions" in await page.run("document.getElementById('routes').textContent")
