"""The same words in each dialect: what is asked, and what the upstream says, made once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EVENTS = 65
"""Of a stream, a token each but for those around them."""
MARK = b"00000000"
"""In a question, for a number that tells it from others."""
QUESTION = f"What is {MARK.decode()} plus two? Answer in one word, please."
VOTABLE = f"What is {MARK.decode()} plus two? Reply with a single number."
"""A question whose answers can be compared: a shadow has something to run."""
_WORDS = "word " * (EVENTS - 2)
PATHS: Mapping[str, str] = {
    "chat": "chat/completions",
    "responses": "responses",
    "messages": "messages",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked, and where."""

    path: str
    body: bytes
    key: str = "sk-load"


def ask(
    model: str,
    dialect: str = "chat",
    *,
    is_streamed: bool,
    key: str = "sk-load",
    question: str = QUESTION,
) -> Ask:
    """Return the request."""
    turn = {"role": "user", "content": question}
    prompt = {"input": question} if dialect == "responses" else {"messages": [turn]}
    cap = {"max_output_tokens" if dialect == "responses" else "max_tokens": 128}
    told = {"model": model, **prompt, **cap, "temperature": 0}
    stream = {"stream": True} if is_streamed else {}
    return Ask(PATHS[dialect], json.dumps({**told, **stream}).encode(), key)


def _named(value: Mapping[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()


def _response(text: str, status: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "status": status, "role": "assistant"}
    usage = {"input_tokens": 12, "output_tokens": EVENTS - 1, "total_tokens": EVENTS + 11}
    told = {"id": "resp_1", "object": "response", "created_at": 7, "status": status, "model": "m"}
    return {**told, "output": [{**item, "content": [part]}] if text else [], "usage": usage}


def _responses() -> Sequence[bytes]:
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    opening = _response("", "in_progress")
    item = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
    whole = _response(_WORDS, "completed")
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": opening},
        {"type": "response.in_progress", "response": opening},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
    ]
    delta = {"type": "response.output_text.delta", **at, "delta": "word "}
    told += [delta] * (EVENTS - 2)
    done = {"type": "response.output_item.done", "output_index": 0, "item": whole["output"][0]}
    told += [done, {"type": "response.completed", "response": whole}]
    return [_named({**one, "sequence_number": i}) for i, one in enumerate(told)]


def _message(text: str) -> dict[str, Any]:
    content = [{"type": "text", "text": text}] if text else []
    usage = {"input_tokens": 12, "output_tokens": EVENTS - 1}
    told = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "usage": usage}
    return {**told, "content": content, "stop_reason": "end_turn", "stop_sequence": None}


def _messages() -> Sequence[bytes]:
    block = {"type": "text", "text": ""}
    delta = {"type": "text_delta", "text": "word "}
    piece = {"type": "content_block_delta", "index": 0, "delta": delta}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": _message("")},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *([piece] * (EVENTS - 2)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": EVENTS - 1}},
        {"type": "message_stop"},
    ]
    return [_named(one) for one in told]


STREAMS: Mapping[str, Callable[[], Sequence[bytes]]] = {
    "responses": _responses,
    "messages": _messages,
}
WHOLES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "responses": lambda: _response(_WORDS, "completed"),
    "messages": lambda: _message(_WORDS),
}
