"""17: a status of 200 with an error inside is an error."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.rig import Scripted, gate, line, replies, run, streams

BODIES: dict[str, Any] = {
    "OpenAI's": {"error": {"message": "model crashed", "type": "server_error", "code": None}},
    "a text": {"error": "model crashed"},
    "vLLM's": {"object": "error", "message": "model crashed", "code": 500},
    "FastAPI's": {"detail": "model crashed"},
    "a list": [{"error": {"message": "model crashed"}}],
}


@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_whole_reply(form: str, is_streamed: bool) -> None:
    async def main() -> None:
        import json

        body = json.dumps(BODIES[form]).encode()
        async with Scripted(replies(body)).serve() as up, gate(up.url) as gw:
            got = await gw.ask(stream=is_streamed)
            assert got.status == 502
            assert "model crashed" in got.error["message"]
            assert (await gw.record()).status == 502

    run(main)


@pytest.mark.parametrize("form", ["OpenAI's", "a text", "vLLM's"])
def test_the_first_event_of_a_stream(form: str) -> None:
    async def main() -> None:
        async with Scripted(streams(line(BODIES[form]))).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.status == 502
            assert "model crashed" in got.error["message"]

    run(main)


def test_a_web_page_is_no_answer() -> None:
    async def main() -> None:
        answer = replies(b"<html><body>Welcome</body></html>", kind="text/html")
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            for is_streamed in (True, False):
                got = await gw.ask(stream=is_streamed)
                assert got.status == 502
                assert "web page" in got.error["message"]

    run(main)


def test_nothing_at_all_is_no_answer() -> None:
    async def main() -> None:
        for answer in (replies(b""), replies({}), replies({"choices": []}), streams()):
            async with Scripted(answer).serve() as up, gate(up.url) as gw:
                got = await gw.stream()
                assert got.status == 502, got

    run(main)
