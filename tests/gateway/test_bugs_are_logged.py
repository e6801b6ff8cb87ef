"""A bug of ours: the client is told of it, and the log says where it was, without its words."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from gateway.rig import Scripted, gate, replies, run, whole
from workspan.serve.app import ROUTES
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
