"""Behaviour 14: `/v1/messages` takes today's fields of Claude Code, and what streams is metered.

experiential #672: `output_config.effort`, instructions between turns; otari #256: streamed messages
were metered as nothing.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.dialects.speech import chat, chatting, events, native, spoken
from gateway.rig import Scripted, gate, run, upstream
from workspan.core.engine import Price

CLAUDE_CODE: dict[str, Any] = {
    "model": "m",
    "max_tokens": 32_000,
    "stream": True,
    "system": [
        {"type": "text", "text": "You are Claude Code", "cache_control": {"type": "ephemeral"}}
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes?"}]},
        {"role": "system", "content": "The user has changed a file"},
        {"role": "user", "content": "Mend it"},
    ],
    "tools": [{"name": "Bash", "input_schema": {"type": "object"}}],
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "medium"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "metadata": {"user_id": "user_1"},
}


def test_an_upstream_of_the_dialect_sees_all_of_them() -> None:
    body = json.dumps(CLAUDE_CODE).encode()

    async def main() -> None:
        async with Scripted(native(*spoken("/messages", "4"))).serve() as up, gate(up.url) as gw:
            got = await gw.post(body, "/messages")
            assert got.status == 200
            assert up.seen[-1].body == body

    run(main)


def test_an_upstream_of_chat_is_told_what_it_knows() -> None:
    async def main() -> None:
        async with Scripted(chatting(*chat({"content": "4"}))).serve() as up, gate(up.url) as gw:
            got = await gw.post(CLAUDE_CODE, "/messages")
            assert got.status == 200, got.body
            sent = up.seen[-1].value
            assert sent["reasoning_effort"] == "medium"
            assert [turn["role"] for turn in sent["messages"]] == [
                *("system", "user", "assistant", "system", "user")
            ]
            assert not {"context_management", "thinking", "output_config", "system"} & {*sent}

    run(main)


@pytest.mark.parametrize("speaks", ["chat", "messages"])
def test_a_streamed_message_is_metered(speaks: str) -> None:
    own = native(*spoken("/messages", "It", " is 4"))
    answer = own if speaks == "messages" else chatting(*chat({"content": "It is 4"}))

    async def main() -> None:
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.post(CLAUDE_CODE, "/messages")
            record = await gw.record()
            assert (record.total.calls, record.total.output_tokens) == (1, 4)
            assert record.total.source == "measured"
            told = events(got)[-2]
            assert told["usage"]["output_tokens"] == 4
            assert told["workspan"]["work"] == 4

    run(main)


def test_a_cap_on_thinking_is_kept_by_an_upstream_of_chat() -> None:
    """`thinking.budget_tokens` holds whether the upstream minds it or not."""
    body = {**CLAUDE_CODE, "thinking": {"type": "enabled", "budget_tokens": 2_048}}
    deltas = [{"reasoning_content": "Hm"}, {"content": "4"}]

    async def main() -> None:
        async with (
            Scripted(chatting(*chat(*deltas))).serve() as up,
            gate(upstream(up.url, thinking_cap="thinking_token_budget")) as gw,
        ):
            got = await gw.post(body, "/messages")
            assert got.status == 200, got.body
            assert up.seen[-1].value["thinking_token_budget"] == 2_048
            kinds = [e["content_block"]["type"] for e in events(got) if "content_block" in e]
            assert kinds == ["thinking", "text"]

    run(main)


def test_a_limit_on_money_counts_what_caches_hold() -> None:
    from decimal import Decimal

    price = Price(Decimal(2), Decimal(10), cached=Decimal(1))

    async def main() -> None:
        async with (
            Scripted(native(*spoken("/messages", "4"))).serve() as up,
            gate(upstream(up.url, price=price), budget="$1") as gw,
        ):
            got = await gw.post(CLAUDE_CODE, "/messages")
            assert got.status == 200, got.body
            record = await gw.record()
            # 10 tokens read and written to the cache, 3 read from it, 4 decoded
            assert record.total.cost == Decimal(10 * 2 + 3 * 1 + 4 * 10) / 1_000_000

    run(main)
