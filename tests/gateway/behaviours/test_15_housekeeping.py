"""15: titles, tags, follow-ups and pings go straight through where a route scales by itself."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.rig import Scripted, gate, replies, run, whole
from workspan.serve.relay.body import Body
from workspan.serve.routing import RULES, housekeeping

SENT = {
    "title": "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat.",
    "tags": "### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history",
    "follow_ups": "### Task:\nSuggest 3-5 relevant follow-up questions or prompts",
    "queries": "### Task:\nAnalyze the chat history to determine the necessity of generating …",
    "autocomplete": "### Task:\nYou are an autocompletion system. Continue the text",
    "image_prompt": "### Task:\nGenerate a detailed prompt for am image generation task",
}
LIBRECHAT = (
    "Provide a concise, 5-word-or-less title for the conversation, using title case conventions.",
    "Analyze this conversation and provide:\n1. The detected language of the conversation\n"
    "2. A concise title in the detected language (5 words or less)",
)


def asked(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


@pytest.mark.parametrize("name", SENT)
def test_each_client_s_own_requests_are_known(name: str) -> None:
    assert housekeeping(body(asked(SENT[name])), None) == name
    parts = [{"type": "text", "text": SENT[name]}]
    assert housekeeping(body({"messages": [{"role": "user", "content": parts}]}), None) == name


@pytest.mark.parametrize("text", LIBRECHAT)
def test_librechat_s_titles_are_known(text: str) -> None:
    assert housekeeping(body(asked(text)), None) == "title"


def test_a_ping_is_known_by_its_cap_and_a_task_by_its_metadata() -> None:
    assert housekeeping(body(asked("hi")), 1) == "ping"
    told = asked("hi", metadata={"task": "title_generation"})
    assert housekeeping(body(told), None) == "title_generation"


@pytest.mark.parametrize(
    "text", ["What is a good title for my book?", "Tag these: a, b", "### Task"]
)
def test_a_person_s_turn_is_none(text: str) -> None:
    assert housekeeping(body(asked(text)), 100) == ""


def test_every_rule_says_where_it_was_seen() -> None:
    assert all(len(rule.seen) > 40 for rule in RULES)


def body(value: dict[str, Any]) -> Body:
    import json

    return Body.read(json.dumps(value).encode())


def test_one_call_is_made_for_a_title_where_the_route_would_draw_eight() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole("A Title"))).serve() as up,
            gate(up.url, strategy="self_consistency(n=8)") as gw,
        ):
            got = await gw.ask(messages=asked(SENT["title"])["messages"])
            assert got.value["choices"][0]["message"]["content"] == "A Title"
            assert got.value["workspan"]["strategy"] is None
            assert len(up.seen) == 1
            assert (await gw.record()).why_straight == "title"

    run(main)
