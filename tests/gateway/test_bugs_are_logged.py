"""A bug of ours: the client is told of it, and the log says where it was, without its words."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from gateway.rig import Scripted, Seen, gate, replies, run, whole
from workspan.serve.app import ROUTES
from workspan.serve.config import Limits
from workspan.serve.seeing.log import RequestLog


def test_a_bug_is_logged_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: Any) -> None:
        raise KeyError("words of a client")

    monkeypatch.setitem(ROUTES["/healthz"], "GET", breaks)
    log = io.StringIO()

    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            gw.serving.gateway.log = RequestLog(log)
            got = await gw.get("/healthz")
            assert (got.status, got.error["code"]) == (500, "bug")
            assert "words of a client" not in got.body.decode()

    run(main)
    bug, request = map(json.loads, log.getvalue().splitlines())
    assert bug["event"] == "bug"
    assert bug["id"] == request["id"]
    assert bug["error"] == "KeyError"
    assert bug["at"][-1].endswith(" breaks")
    assert "words of a client" not in log.getvalue()


def test_a_bug_in_one_look_at_what_is_open_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """What takes too long is stopped after it, too."""

    async def main() -> None:
        async def never(_: Scripted, __: Seen, ___: asyncio.StreamWriter) -> None:
            await asyncio.sleep(3600)

        looks: list[float] = []

        def breaks(now: float) -> None:
            looks.append(now)
            if len(looks) <= 3:
                raise ZeroDivisionError

        limits = Limits(total_seconds=2, drain_seconds=1)
        async with Scripted(never).serve() as up, gate(up.url, limits=limits) as gw:
            gw.serving.gateway.watch.also.append(breaks)
            assert (await gw.ask()).status == 504
            assert len(looks) > 3

    with caplog.at_level("ERROR", "workspan.serve"):
        run(main)
    said = [record.getMessage() for record in caplog.records]
    assert said.count("open requests could not be looked at") == 3


def test_the_tokenizer_is_looked_up_on_a_connection_that_was_used() -> None:
    async def main() -> None:
        async with (
            Scripted(replies({"eos_token": "</s>", **whole()})).serve() as up,
            gate(up.url) as gw,
        ):
            for _ in range(2):
                assert (await gw.ask()).status == 200
                assert (await gw.get("/tokenizer_info")).value["eos_token"] == "</s>"

    run(main)
