"""What upstreams say that speak Responses or Messages themselves, event by event."""

from __future__ import annotations

import json
from asyncio import StreamWriter
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.rig import DONE, Answer, Got, Scripted, Seen, line, piece, replies, streams, usage

HI: Mapping[str, Any] = {"model": "m", "input": "Hi"}
HELLO: Mapping[str, Any] = {
    "model": "m",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Hi"}],
}
BODIES = {"/responses": HI, "/messages": HELLO}
PATHS = tuple(BODIES)
TOOL_OF_RESPONSES = {"type": "function", "name": "f", "parameters": {"type": "object"}}
TOOL_OF_MESSAGES = {"name": "f", "input_schema": {"type": "object"}}


def named(value: Mapping[str, Any]) -> bytes:
    """Write an event with its name."""
    return f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()


def events(got: Got) -> list[dict[str, Any]]:
    """Return the events of a reply, each named as it says itself."""
    found = []
    for block in got.body.decode().split("\n\n"):
        if block and not block.startswith(":"):
            name, data = block.split("\n")
            found.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {found[-1]['type']}"
    return found


def kinds(got: Got) -> list[str]:
    """Return the types of its events."""
    return [event["type"] for event in events(got)]


RESPONSE: Mapping[str, Any] = {
    "id": "resp_up",
    "object": "response",
    "created_at": 7,
    "status": "in_progress",
    "model": "m-2026",
    "output": [],
}
USED = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 3},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 15,
}
ITEM: Mapping[str, Any] = {
    "id": "msg_up",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "It is 4", "annotations": []}],
}
THOUGHT: Mapping[str, Any] = {
    "id": "rs_up",
    "type": "reasoning",
    "summary": [],
    "encrypted_content": "gAAA+/==",
}


def response_opening() -> list[bytes]:
    return [
        named({"type": "response.created", "sequence_number": 0, "response": RESPONSE}),
        named({"type": "response.in_progress", "sequence_number": 1, "response": RESPONSE}),
        named(
            {
                "type": "response.output_item.added",
                "sequence_number": 2,
                "output_index": 0,
                "item": {**ITEM, "status": "in_progress", "content": []},
            }
        ),
    ]


def response_text(text: str, number: int = 3) -> bytes:
    return named(
        {
            "type": "response.output_text.delta",
            "sequence_number": number,
            "item_id": "msg_up",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
        }
    )


def response_ending(status: str = "completed", **more: Any) -> list[bytes]:
    told = {**RESPONSE, "status": status, "output": [THOUGHT, ITEM], "usage": USED, **more}
    done = {"type": "response.output_item.done", "sequence_number": 8, "output_index": 0}
    return [
        named({**done, "item": ITEM}),
        named({"type": f"response.{status}", "sequence_number": 9, "response": told}),
    ]


MESSAGE: Mapping[str, Any] = {
    "id": "msg_up",
    "type": "message",
    "role": "assistant",
    "model": "m-2026",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {
        "input_tokens": 8,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 3,
        "output_tokens": 1,
    },
}
"""13 tokens were read in all, 3 of them from a cache."""


def message_opening() -> list[bytes]:
    block = {"type": "text", "text": ""}
    return [
        named({"type": "message_start", "message": MESSAGE}),
        named({"type": "content_block_start", "index": 0, "content_block": block}),
    ]


def message_text(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return named({"type": "content_block_delta", "index": 0, "delta": delta})


def message_ending(reason: str = "end_turn", made: int = 4) -> list[bytes]:
    told = {"stop_reason": reason, "stop_sequence": None}
    return [
        named({"type": "content_block_stop", "index": 0}),
        named({"type": "message_delta", "delta": told, "usage": {"output_tokens": made}}),
        named({"type": "message_stop"}),
    ]


def spoken(path: str, *texts: str) -> list[bytes]:
    """Write a whole stream of one of the dialects."""
    if path == "/responses":
        return [*response_opening(), *map(response_text, texts), *response_ending()]
    return [*message_opening(), *map(message_text, texts), *message_ending()]


def native(*parts: bytes, ends: bool = True) -> Answer:
    """Answer with these parts, and a body that holds nothing with a refusal of it."""

    async def answer(server: Scripted, seen: Seen, writer: StreamWriter) -> None:
        if seen.body == b"{}":
            error = {"message": "model: Field required", "type": "invalid_request_error"}
            await replies({"error": error}, 400)(server, seen, writer)
        else:
            await streams(*parts, ends=ends)(server, seen, writer)

    return answer


def wholly(value: Mapping[str, Any]) -> Answer:
    """Answer with a whole reply, and a body that holds nothing with a refusal of it."""

    async def answer(server: Scripted, seen: Seen, writer: StreamWriter) -> None:
        told = {"error": {"message": "no"}} if seen.body == b"{}" else value
        await replies(told, 400 if seen.body == b"{}" else 200)(server, seen, writer)

    return answer


def chatting(*parts: bytes, whole: Mapping[str, Any] | None = None, ends: bool = True) -> Answer:
    """Answer chats alone."""

    async def answer(server: Scripted, seen: Seen, writer: StreamWriter) -> None:
        if not seen.path.endswith("/chat/completions"):
            await replies({"detail": "Not Found"}, 404)(server, seen, writer)
        elif seen.value.get("stream"):
            await streams(*parts, ends=ends)(server, seen, writer)
        else:
            await replies(whole or {})(server, seen, writer)

    return answer


def chat(*deltas: Mapping[str, Any], finish: str = "stop") -> Sequence[bytes]:
    """Write a stream of a chat with its usage."""
    last = line({"id": "c-1", "choices": [], "usage": usage(9, 4)})
    return [*map(piece, deltas), piece({}, finish), last, DONE]
