"""8: what a model thought is kept under its own name, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.rig import ASK, DONE, GOOD, Scripted, gate, piece, replies, run, streams, whole

NAMES = ("reasoning_content", "reasoning", "thinking")
DETAILS = [{"type": "reasoning.text", "text": "hm", "signature": "s=="}]


@pytest.mark.parametrize("name", NAMES)
def test_in_streams(name: str) -> None:
    async def main() -> None:
        parts = [piece({name: "let me see "}), piece({name: "…", "reasoning_details": DETAILS})]
        async with Scripted(streams(*parts, *GOOD, DONE)).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.body == b"".join([*parts, *GOOD]) + DONE
            assert (await gw.record()).total.reasoning_tokens > 0

    run(main)


@pytest.mark.parametrize("name", NAMES)
def test_in_whole_replies_and_in_turns_that_go_up(name: str) -> None:
    async def main() -> None:
        turn = {"role": "assistant", "content": "4", name: "2 + 2", "reasoning_details": DETAILS}
        thought: dict[str, Any] = {name: "hm", "reasoning_details": DETAILS}
        said = whole("4", **thought)
        async with Scripted(replies(said)).serve() as up, gate(up.url) as gw:
            messages = [*ASK["messages"], turn, {"role": "user", "content": "why?"}]
            value = (await gw.ask(messages=messages)).value
            assert value["choices"] == said["choices"]
            assert up.seen[0].value["messages"] == messages

    run(main)
