"""19: fields that one provider knows go up as they came, and what it says beside comes back."""

from __future__ import annotations

import json
from typing import Any

from gateway.rig import ASK, DONE, GOOD, Scripted, gate, piece, replies, run, streams, whole

FIELDS = {
    "provider": {"only": ["a"], "require_parameters": True, "sort": None},
    "models": ["m", "n"],
    "route": "fallback",
    "transforms": [],
    "usage": {"include": True},
    "chat_template_kwargs": {"enable_thinking": False},
    "guided_json": {"type": "object", "properties": {"x": {"maximum": 9007199254740991}}},
    "service_tier": "flex",
    "tools": None,
    "metadata": {"user": "x"},
    "seed": 7,
    "user": "someone",
    "unheard_of": [1, 2.50, -0.0, "ü", {"a": None}],
}


def test_every_field_arrives_as_it_was_sent_byte_for_byte() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            body = json.dumps({**ASK, **FIELDS}, ensure_ascii=False, indent=1).encode()
            assert (await gw.post(body)).status == 200
            assert up.seen[0].body == body

    run(main)


def test_what_is_ours_is_taken_out_and_nothing_else_changes() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            wish = {"budget": "100 work", "explain": True}
            assert (await gw.ask(workspan=wish, **FIELDS)).status == 200
            got = up.seen[0].value
            assert got.pop("max_tokens") == 100
            assert got == {**ASK, **FIELDS}

    run(main)


def test_numbers_and_spaces_in_prompts_keep_their_bytes_where_a_field_changes() -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD, DONE)).serve() as up, gate(up.url) as gw:
            messages = b'[ {"role":"user",  "content":"caf\\u00e9 1.0"} ]'
            top = b'{"stream":true,"top_p":0.90,"messages":' + messages + b',"model":"m"}'
            assert (await gw.post(top)).status == 200
            assert messages in up.seen[0].body
            assert b'"top_p":0.90' in up.seen[0].body
            assert list(up.seen[0].value)[:3] == ["stream", "top_p", "messages"]

    run(main)


def test_fields_of_replies_and_events_come_back() -> None:
    async def main() -> None:
        more: dict[str, Any] = {"provider": "P", "system_fingerprint": "fp", "service_tier": "flex"}
        said = {**whole("4", 3, annotations=[], audio=None), **more}
        async with Scripted(replies(said)).serve() as up, gate(up.url) as gw:
            value = (await gw.ask()).value
            del value["workspan"]
            assert value == said
        parts = [piece({"content": "4", "obfuscation": "xx"}, None, 0, **more), piece({}, "stop")]
        async with Scripted(streams(*parts, DONE)).serve() as up, gate(up.url) as gw:
            assert (await gw.stream()).body == b"".join(parts) + DONE

    run(main)
