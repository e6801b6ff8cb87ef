"""LiteLLM as a library, by Responses or by Messages."""

from __future__ import annotations

import json
import sys
from typing import Any

import litellm
from steps import QUESTION, TOOL, WEATHER, Note, key, serve

ASK: Any = [{"role": "user", "content": QUESTION}]
FLAT: Any = {"type": "function", "name": "get_weather", "parameters": WEATHER}


def _responses(url: str, model: str, asked: Any, **more: Any) -> Any:
    return litellm.responses(
        model=f"openai/{model}", input=asked, api_base=url, api_key=key(), **more
    )


def _messages(url: str, model: str, asked: Any, **more: Any) -> Any:
    base = url.rstrip("/").removesuffix("/v1")
    told: dict[str, Any] = {"api_base": base, "api_key": key(), "max_tokens": 100}
    return litellm.completion(f"anthropic/{model}", messages=asked, **told, **more)


def answer_responses(url: str, model: str, note: Note) -> None:
    reply = _responses(url, model, QUESTION)
    text = "".join(part.text for item in reply.output for part in item.content)
    note |= {"text": text, "completion_tokens": reply.usage.output_tokens}


def tool_responses(url: str, model: str, note: Note) -> None:
    first = _responses(url, model, ASK, tools=[FLAT])
    (call,) = [item for item in first.output if item.type == "function_call"]
    note["calls"] = [call.name, json.loads(call.arguments)]
    items = [item.model_dump(exclude_none=True) for item in first.output]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sun"}
    last = _responses(url, model, [*ASK, *items, result], tools=[FLAT])
    note["text"] = "".join(part.text for item in last.output for part in item.content)


def answer_messages(url: str, model: str, note: Note) -> None:
    reply = _messages(url, model, ASK)
    note |= {
        "text": reply.choices[0].message.content,
        "finish": reply.choices[0].finish_reason,
        "completion_tokens": reply.usage.completion_tokens,
    }


def stream_messages(url: str, model: str, note: Note) -> None:
    note |= {"text": "", "finish": None, "completion_tokens": None}
    options: Any = {"include_usage": True}
    for chunk in _messages(url, model, ASK, stream=True, stream_options=options):
        for choice in chunk.choices:
            note["text"] += choice.delta.content or ""
            note["finish"] = choice.finish_reason or note["finish"]
        if usage := getattr(chunk, "usage", None):
            note["completion_tokens"] = usage.completion_tokens


def tool_messages(url: str, model: str, note: Note) -> None:
    first = _messages(url, model, ASK, tools=[TOOL]).choices[0].message
    (call,) = first.tool_calls
    note["calls"] = [call.function.name, json.loads(call.function.arguments)]
    result = {"role": "tool", "tool_call_id": call.id, "content": "sun"}
    last = _messages(url, model, [*ASK, first.model_dump(), result], tools=[TOOL])
    note["text"] = last.choices[0].message.content


serve(
    {
        name.removesuffix(f"_{sys.argv[1]}"): told
        for name, told in globals().copy().items()
        if name.endswith(f"_{sys.argv[1]}") and not name.startswith("_")
    }
)
