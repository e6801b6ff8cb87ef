"""The evidence map of a gateway's store: for the operator, live, and by its own policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.browser import browsing, found
from gateway.rig import Scripted, gate, replies, run, whole
from map_rig import HELD, HOSTILE, MARKUP
from workspan.app.mapping import keep_verdicts
from workspan.lab.map.page import policy


def test_the_map_is_of_what_the_store_holds_at_that_moment(tmp_path: Path) -> None:
    store = str(tmp_path / "store.db")

    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url, store=store) as gw:
            empty = await gw.get("/map")
            assert empty.status == 200
            assert b"Nothing was measured into this store yet" in empty.body
            await keep_verdicts(store, (HELD, HOSTILE))
            got = await gw.get("/map")
            assert HELD.claim.encode() in got.body
            assert MARKUP.encode() not in got.body
            told = got.headers["content-security-policy"]
            assert told == f"{policy()}; frame-ancestors 'none'"
            assert got.headers["content-type"] == "text/html; charset=utf-8"
            assert got.headers["cache-control"] == "no-store"
            assert got.headers["x-frame-options"] == "DENY"

    run(main)


def test_without_a_store_there_is_no_map_and_it_says_so() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            got = await gw.get("/map")
            assert got.status == 404
            assert b"--store" in got.body

    run(main)


def test_nobody_but_the_operator_sees_the_map(tmp_path: Path) -> None:
    store, key = str(tmp_path / "store.db"), "an-admin-key-of-some-length"

    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=store, admin_key=key) as gw,
        ):
            assert (await gw.get("/map")).status == 401
            headers = {"authorization": f"Bearer {key}"}
            async with gw.client.get(f"{gw.root}/map", headers=headers) as reply:
                assert reply.status == 200

    run(main)


@pytest.mark.peers
@pytest.mark.skipif(found() is None, reason="no Chromium: apt-get install chromium")
def test_the_page_links_to_the_map_where_a_store_is_kept(tmp_path: Path) -> None:
    live = "document.getElementById('state')?.textContent === 'Live'"

    async def main() -> None:
        store = str(tmp_path / "store.db")
        await keep_verdicts(store, (HELD, HOSTILE))
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=store) as gw,
            gate(up.url) as without,
            browsing(tmp_path / "profile") as page,
        ):
            await page.send("Page.navigate", url=f"{without.root}/")
            await page.until(live)
            assert await page.run("document.getElementById('map').hidden")
            await page.send("Page.navigate", url=f"{gw.root}/")
            await page.until(f"location.origin === '{gw.root}' && {live}")
            await page.until("!document.getElementById('map').hidden")
            await page.run("document.getElementById('map').click()")
            await page.until("document.querySelector('.view.shown')?.id === 'at-parallel'")
            assert await page.run("location.pathname") == "/map"
            assert page.said == []

    run(main)
