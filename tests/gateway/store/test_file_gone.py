"""A store whose file is deleted while it is open: SQLite would write on, where nobody reads."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest

from gateway.rig import ASK, Scripted, gate, replies, until, whole
from gateway.test_keys_http import bearing, key_for
from store_rig import run
from workspan.errors import StoreError, StoreGone
from workspan.serve.seeing.log import RequestLog
from workspan.serve.store import store_at


def test_nothing_is_read_or_written_until_it_is_back(tmp_path: Path) -> None:
    path, away = tmp_path / "keys.db", tmp_path / "away.db"

    async def main() -> None:
        store = store_at(str(path))
        await store.open()
        try:
            path.rename(away)
            with pytest.raises(StoreGone, match="deleted or replaced"):
                await store.keys()
            path.touch()  # another file in its place is no store of ours
            with pytest.raises(StoreGone, match="deleted or replaced"):
                await store.keys()
            away.rename(path)
            assert await store.keys() == []
        finally:
            await store.aclose()

    run(main)


def test_a_gateway_refuses_and_says_so(tmp_path: Path) -> None:
    path, away = tmp_path / "keys.db", tmp_path / "away.db"

    async def main() -> None:
        headers = bearing(await key_for(path, "1000 work/day"))
        async with Scripted(replies(whole())).serve() as up, gate(up.url, store=str(path)) as gw:
            assert (await gw.post(ASK, headers=headers)).status == 200
            assert (await gw.get("/readyz")).status == 200
            path.rename(away)
            gone = await gw.get("/readyz")
            assert (gone.status, gone.error["code"]) == (503, "store_unreachable")
            assert str(path) not in gone.error["message"]
            await until(lambda: bool(gw.serving.gateway.accounts.gone))
            asked = len(up.seen)
            got = await gw.post(ASK, headers=headers)
            assert (got.status, got.error["code"]) == (503, "store_unreachable")
            assert got.headers["retry-after"] == "1"
            assert len(up.seen) == asked
            away.rename(path)
            await until(lambda: not gw.serving.gateway.accounts.gone)
            assert (await gw.post(ASK, headers=headers)).status == 200
            assert (await gw.get("/readyz")).status == 200

    asyncio.run(main())  # on the real clock: the store has a thread of its own


def test_the_log_says_it_once_each_way() -> None:
    stream = io.StringIO()
    log = RequestLog(stream)
    log.store(StoreError("the file of the store x was deleted"))
    log.store(None)
    gone, back = map(json.loads, stream.getvalue().splitlines())
    assert (gone["event"], gone["is_up"], back["is_up"], back["error"]) == (
        "store",
        False,
        True,
        "",
    )
    assert "deleted" in gone["error"]
