"""A rejection that repeats a client's words teaches the gateway nothing for others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.rig import ASK, Scripted, Seen, gate, reply, run, whole


def says(field: str) -> dict[str, Any]:
    said = f"Unsupported parameter: '{field}' is not supported with this model."
    return {"error": {"message": said, "param": field, "code": "unsupported_parameter"}}


@pytest.mark.parametrize("field", ["temperature", "max_tokens"])
def test_what_a_client_s_own_words_bring_about_is_forgotten_with_its_request(field: str) -> None:
    """The upstream writes an odd value of a field into its rejection, whatever else is asked."""

    async def echoing(_: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        odd = "user" in seen.value
        await reply(writer, says(seen.value["user"]) if odd else whole(), 400 if odd else 200)

    async def main() -> None:
        asked = {**ASK, "temperature": 0.5, "max_tokens": 9}
        async with Scripted(echoing).serve() as up, gate(up.url) as gw:
            assert (await gw.post({**asked, "user": field})).status == 400
            assert len(up.seen) == 2  # it was believed once
            assert field not in up.seen[1].value
            assert (await gw.post(asked)).status == 200
            assert up.seen[-1].value == asked

    run(main)


def test_what_was_true_is_remembered() -> None:
    async def strict(_: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        is_odd = "temperature" in seen.value
        await reply(writer, says("temperature") if is_odd else whole(), 400 if is_odd else 200)

    async def main() -> None:
        async with Scripted(strict).serve() as up, gate(up.url) as gw:
            for _ in range(2):
                assert (await gw.ask(temperature=0.5)).status == 200
            assert len(up.seen) == 3

    run(main)
