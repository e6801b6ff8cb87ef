"""How limits of keys stand: told by the store to whoever watches, and to nobody else."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from gateway.rig import ASK, Scripted, gate, replies, whole
from workspan.serve.store import store_at
from workspan.serve.store.keys import make_key
from workspan.serve.store.limits import parse_limits


def test_what_a_key_has_spent_of_its_limits_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        path = str(tmp_path / "store.sqlite")
        store = store_at(path)
        await store.open()
        stored, text = make_key("team", parse_limits("100k work/day"), now=time.time())
        await store.add(stored)
        await store.aclose()
        async with (
            Scripted(replies(whole("4", completion=7))).serve() as up,
            gate(up.url, store=path) as gw,
            gw.client.get(f"{gw.root}/_/events") as reply,
        ):
            headers = {"Authorization": f"Bearer {text}"}
            assert (await gw.post(ASK, headers=headers)).status == 200
            spent, told = 0.0, dict[str, Any]()
            while spent < 7:
                line = await reply.content.readline()
                told = json.loads(line[6:]) if line.startswith(b"data: ") else {}
                for one in told.get("limits", ()):
                    assert (one["key"], one["name"]) == (stored.key.id, "team")
                    (limit,) = one["limits"]
                    assert (limit["limit"], limit["most"]) == ("100000 work/day", 100_000)
                    spent = limit["spent"]
            assert spent == 7
            assert text not in json.dumps(told)

    asyncio.run(main())
