"""OpenAI's client for Python, by Responses."""

from __future__ import annotations

import json
from typing import Any

from openai import OpenAI
from pydantic import BaseModel
from steps import QUESTION, WEATHER, Note, key, serve

TOOL: Any = {"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": True}


class City(BaseModel):
    city: str
    population: int


def _client(url: str, **more: Any) -> OpenAI:
    return OpenAI(base_url=url, api_key=key(), **more)


def answer(url: str, model: str, note: Note) -> None:
    reply = _client(url).responses.create(model=model, input=QUESTION)
    note |= {
        "text": reply.output_text,
        "finish": _finish(reply),
        "completion_tokens": reply.usage.output_tokens,
    }


def _finish(reply: Any) -> str:
    return {"completed": "stop", "incomplete": "length"}.get(reply.status, str(reply.status))


def stream(url: str, model: str, note: Note) -> None:
    note |= {"text": "", "finish": None, "completion_tokens": None}
    for event in _client(url).responses.create(model=model, input=QUESTION, stream=True):
        if event.type == "response.output_text.delta":
            note["text"] += event.delta
        elif event.type == "response.failed":  # the client hands it on as any event
            raise RuntimeError(event.response.error.message)
        elif event.type in ("response.completed", "response.incomplete"):
            note["finish"] = _finish(event.response)
            note["completion_tokens"] = event.response.usage.output_tokens


def stream_helper(url: str, model: str, note: Note) -> None:
    note["text"] = ""
    with _client(url).responses.stream(model=model, input=QUESTION) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                note["text"] += event.delta
        final = events.get_final_response()
    note |= {"final": final.output_text, "finish": _finish(final)}


def tool(url: str, model: str, note: Note) -> None:
    client, asked = _client(url), [{"role": "user", "content": QUESTION}]
    first = client.responses.create(model=model, input=asked, tools=[TOOL])
    (call,) = [item for item in first.output if item.type == "function_call"]
    note["calls"] = [call.name, json.loads(call.arguments)]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sun"}
    told = [*asked, *first.output, result]
    note["text"] = client.responses.create(model=model, input=told, tools=[TOOL]).output_text


def stream_tool(url: str, model: str, note: Note) -> None:
    asked: Any = {"model": model, "input": QUESTION, "tools": [TOOL]}
    with _client(url).responses.stream(**asked) as events:
        final = events.get_final_response()
    (call,) = [item for item in final.output if item.type == "function_call"]
    note |= {"calls": [call.name, json.loads(call.arguments)], "id": call.call_id}


def structured(url: str, model: str, note: Note) -> None:
    reply = _client(url).responses.parse(model=model, input=QUESTION, text_format=City)
    note["value"] = reply.output_parsed.model_dump()


def cancel_stream(url: str, model: str, note: Note) -> None:
    note["text"] = ""
    events = _client(url).responses.create(model=model, input=QUESTION, stream=True)
    for event in events:
        if event.type == "response.output_text.delta":
            note["text"] += event.delta
            break
    events.close()


def cancel_answer(url: str, model: str, note: Note) -> None:
    client = _client(url, timeout=1, max_retries=0)
    note["text"] = client.responses.create(model=model, input=QUESTION).output_text


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
