"""LiteLLM as a library."""

from __future__ import annotations

import json
from typing import Any

import litellm
from steps import QUESTION, TOOL, Note, key, serve

ASK: Any = [{"role": "user", "content": QUESTION}]


def _ask(url: str, model: str, messages: Any = ASK, **more: Any) -> Any:
    return litellm.completion(
        f"openai/{model}", messages=messages, api_base=url, api_key=key(), **more
    )


def answer(url: str, model: str, note: Note) -> None:
    reply = _ask(url, model)
    note |= {
        "text": reply.choices[0].message.content,
        "finish": reply.choices[0].finish_reason,
        "completion_tokens": reply.usage.completion_tokens,
    }


def stream(url: str, model: str, note: Note) -> None:
    note |= {"text": "", "finish": None, "completion_tokens": None}
    for chunk in _ask(url, model, stream=True, stream_options={"include_usage": True}):
        for choice in chunk.choices:
            note["text"] += choice.delta.content or ""
            note["finish"] = choice.finish_reason or note["finish"]
        if usage := getattr(chunk, "usage", None):
            note["completion_tokens"] = usage.completion_tokens


def tool(url: str, model: str, note: Note) -> None:
    first = _ask(url, model, tools=[TOOL]).choices[0].message
    call = first.tool_calls[0]
    note["calls"] = [call.function.name, json.loads(call.function.arguments)]
    result = {"role": "tool", "tool_call_id": call.id, "content": "sun"}
    note["text"] = _ask(url, model, [*ASK, first, result], tools=[TOOL]).choices[0].message.content


def stream_tool(url: str, model: str, note: Note) -> None:
    chunks = list(_ask(url, model, tools=[TOOL], stream=True))
    built: Any = litellm.stream_chunk_builder(chunks)
    call = built.choices[0].message.tool_calls[0]
    note |= {"calls": [call.function.name, json.loads(call.function.arguments)], "id": call.id}


def cancel_stream(url: str, model: str, note: Note) -> None:
    events = _ask(url, model, stream=True)
    note["text"] = "".join(next(events).choices[0].delta.content or "" for _ in range(3))
    events.completion_stream.close()


serve(
    {
        "answer": answer,
        "stream": stream,
        "tool": tool,
        "stream_tool": stream_tool,
        "cancel_stream": cancel_stream,
    }
)
