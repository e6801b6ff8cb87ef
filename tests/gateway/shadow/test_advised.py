"""Advice as the gateway's page asks for it: for its operator alone, in another process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.rig import Scripted, gate, replies, run, whole
from gateway.shadow.rig import SHADOW, fill, shadowed
from store_rig import run as run_plainly
from workspan.errors import OutputError
from workspan.lab.advising.advice import advise
from workspan.lab.advising.apart import advise_apart
from workspan.lab.advising.simulated import ROUTES, traffic
from workspan.lab.advising.told import told


def test_another_process_says_the_same(tmp_path: Path) -> None:
    requests = traffic(ROUTES[0], 60, 1, labels=True)

    async def main() -> None:
        assert await advise_apart(requests) == [told(one) for one in advise(requests)]

    run_plainly(main)


def test_what_is_no_request_is_an_error() -> None:
    async def main() -> None:
        with pytest.raises(OutputError):
            await advise_apart([4])  # type: ignore[list-item]

    run_plainly(main)


def test_the_page_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    async def main() -> None:
        await fill(path, traffic(ROUTES[0], 60, 1, labels=True))
        async with shadowed(path, replies(whole()), SHADOW) as (gw, _, __):
            got = await gw.get("/_/advice")
            assert got.status == 200
            assert got.headers["cache-control"] == "no-store"
            [row] = got.value["advice"]
            assert (row["verdict"], row["recommend"]) == ("change", "self_consistency(n=9)")
            assert got.value == (await gw.get("/_/advice")).value

    asyncio.run(main())


def test_it_is_the_operators_and_off_without_shadows() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up:
            async with gate(up.url) as gw:
                assert (await gw.get("/_/advice")).value == {
                    "is_on": False,
                    "advice": [],
                    "error": "",
                }
            async with gate(up.url, admin_key="an-admin-key-of-32-characters-00") as gw:
                got = await gw.get("/_/advice")
                assert (got.status, got.error["code"]) == (401, "admin_only")

    run(main)
