"""Anthropic's client for Python."""

from __future__ import annotations

from typing import Any

from anthropic import Anthropic
from pydantic import BaseModel
from steps import QUESTION, WEATHER, Note, key, serve

ASK: Any = [{"role": "user", "content": QUESTION}]
TOOL: Any = {"name": "get_weather", "description": "Look it up", "input_schema": WEATHER}
MOST = 100
FINISHES = {"end_turn": "stop", "max_tokens": "length"}


class City(BaseModel):
    city: str
    population: int


def _client(url: str, **more: Any) -> Anthropic:
    base = url.rstrip("/").removesuffix("/v1")  # it adds that itself
    return Anthropic(base_url=base, api_key=key(), **more)


def _told(reply: Any) -> Note:
    text = "".join(block.text for block in reply.content if block.type == "text")
    finish = FINISHES.get(reply.stop_reason, reply.stop_reason)
    return {"text": text, "finish": finish, "completion_tokens": reply.usage.output_tokens}


def answer(url: str, model: str, note: Note) -> None:
    note |= _told(_client(url).messages.create(model=model, messages=ASK, max_tokens=MOST))


def stream(url: str, model: str, note: Note) -> None:
    note |= {"text": "", "finish": None, "completion_tokens": None}
    asked: Any = {"model": model, "messages": ASK, "max_tokens": MOST}
    for event in _client(url).messages.create(**asked, stream=True):
        if event.type == "content_block_delta":
            note["text"] += event.delta.text
        elif event.type == "message_delta":
            reason = event.delta.stop_reason
            note["finish"] = FINISHES.get(reason, reason)
            note["completion_tokens"] = event.usage.output_tokens


def stream_helper(url: str, model: str, note: Note) -> None:
    asked: Any = {"model": model, "messages": ASK, "max_tokens": MOST}
    with _client(url).messages.stream(**asked) as events:
        note["text"] = "".join(events.text_stream)
        final = _told(events.get_final_message())
    note |= {"final": final["text"], "finish": final["finish"]}


def tool(url: str, model: str, note: Note) -> None:
    client, asked = _client(url), {"model": model, "max_tokens": MOST, "tools": [TOOL]}
    first = client.messages.create(messages=ASK, **asked)
    (call,) = [block for block in first.content if block.type == "tool_use"]
    note["calls"] = [call.name, call.input]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sun"}
    turns = [
        *ASK,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    note["text"] = _told(client.messages.create(messages=turns, **asked))["text"]


def stream_tool(url: str, model: str, note: Note) -> None:
    asked: Any = {"model": model, "messages": ASK, "max_tokens": MOST, "tools": [TOOL]}
    with _client(url).messages.stream(**asked) as events:
        final = events.get_final_message()
    (call,) = [block for block in final.content if block.type == "tool_use"]
    note |= {"calls": [call.name, call.input], "id": call.id}


def structured(url: str, model: str, note: Note) -> None:
    asked: Any = {"model": model, "messages": ASK, "max_tokens": MOST}
    reply = _client(url).messages.parse(**asked, output_format=City)
    note["value"] = reply.parsed_output.model_dump()


def cancel_stream(url: str, model: str, note: Note) -> None:
    note["text"] = ""
    asked: Any = {"model": model, "messages": ASK, "max_tokens": MOST}
    with _client(url).messages.stream(**asked) as events:
        for text in events.text_stream:
            note["text"] += text
            break


def cancel_answer(url: str, model: str, note: Note) -> None:
    client = _client(url, timeout=1, max_retries=0)
    note |= _told(client.messages.create(model=model, messages=ASK, max_tokens=MOST))


serve(
    {
        "answer": answer,
        "stream": stream,
        "stream_helper": stream_helper,
        "tool": tool,
        "stream_tool": stream_tool,
        "structured": structured,
        "cancel_stream": cancel_stream,
        "cancel_answer": cancel_answer,
    }
)
