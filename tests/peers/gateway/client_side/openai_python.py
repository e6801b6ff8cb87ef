"""The official Python client: whole, streamed, by its helpers, at the same time and not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from steps import QUESTION, TOOL, WEATHER, Note, key, serve

ASK: Any = [{"role": "user", "content": QUESTION}]
STRICT: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": WEATHER, "strict": True},
}


class City(BaseModel):
    city: str
    population: int


def answer(url: str, model: str, note: Note, **more: Any) -> None:
    client = OpenAI(base_url=url, api_key=key(), **more)
    raw = client.chat.completions.with_raw_response.create(model=model, messages=ASK)
    reply = raw.parse()
    note |= {
        "text": reply.choices[0].message.content,
        "finish": reply.choices[0].finish_reason,
        "completion_tokens": reply.usage.completion_tokens if reply.usage else None,
        "workspan": (reply.model_extra or {}).get("workspan"),
        "overhead": raw.headers.get("x-workspan-overhead-ms"),
        "request_id": reply._request_id,
    }


def answer_async(url: str, model: str, note: Note) -> None:
    async def main() -> None:
        async with AsyncOpenAI(base_url=url, api_key=key()) as client:
            create = client.chat.completions.create
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(create(model=model, messages=ASK)) for _ in range(4)]
        note["texts"] = [one.result().choices[0].message.content for one in asked]

    asyncio.run(main())


def stream(url: str, model: str, note: Note) -> None:
    client = OpenAI(base_url=url, api_key=key())
    options: Any = {"include_usage": True}
    note |= {"text": "", "finish": None, "completion_tokens": None}
    for chunk in client.chat.completions.create(
        model=model, messages=ASK, stream=True, stream_options=options
    ):
        _take(chunk, note)


def stream_async(url: str, model: str, note: Note) -> None:
    async def main() -> None:
        async with AsyncOpenAI(base_url=url, api_key=key()) as client:
            asked = client.chat.completions.create(model=model, messages=ASK, stream=True)
            async for chunk in await asked:
                _take(chunk, note)

    note |= {"text": "", "finish": None, "completion_tokens": None}
    asyncio.run(main())


def _take(chunk: Any, note: Note) -> None:
    for choice in chunk.choices:
        note["text"] += choice.delta.content or ""
        note["finish"] = choice.finish_reason or note["finish"]
    if chunk.usage:
        note["completion_tokens"] = chunk.usage.completion_tokens


def stream_helper(url: str, model: str, note: Note) -> None:
    client = OpenAI(base_url=url, api_key=key())
    note |= {"text": "", "finish": None}
    with client.chat.completions.stream(model=model, messages=ASK) as events:
        for event in events:
            if event.type == "content.delta":
                note["text"] += event.delta
        final = events.get_final_completion()
    note |= {"finish": final.choices[0].finish_reason, "final": final.choices[0].message.content}


def tool(url: str, model: str, note: Note) -> None:
    client, turns = OpenAI(base_url=url, api_key=key()), [*ASK]
    first = client.chat.completions.create(model=model, messages=turns, tools=[_tool()])
    call: Any = (first.choices[0].message.tool_calls or [])[0]
    note["calls"] = [call.function.name, json.loads(call.function.arguments)]
    turns += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sun"}]
    last = client.chat.completions.create(model=model, messages=turns, tools=[_tool()])
    note["text"] = last.choices[0].message.content


def _tool() -> Any:
    return TOOL


def stream_tool(url: str, model: str, note: Note) -> None:
    client = OpenAI(base_url=url, api_key=key())
    with client.chat.completions.stream(model=model, messages=ASK, tools=[STRICT]) as events:
        final = events.get_final_completion()
    call: Any = (final.choices[0].message.tool_calls or [])[0]
    note |= {"calls": [call.function.name, json.loads(call.function.arguments)], "id": call.id}


def structured(url: str, model: str, note: Note) -> None:
    client = OpenAI(base_url=url, api_key=key())
    reply = client.chat.completions.parse(model=model, messages=ASK, response_format=City)
    city = reply.choices[0].message.parsed
    assert city is not None
    note["value"] = city.model_dump()


def cancel_stream(url: str, model: str, note: Note) -> None:
    client = OpenAI(base_url=url, api_key=key())
    events = client.chat.completions.create(model=model, messages=ASK, stream=True)
    note["text"] = "".join(next(events).choices[0].delta.content or "" for _ in range(3))
    events.close()
    client.close()


def cancel_answer(url: str, model: str, note: Note) -> None:
    with OpenAI(base_url=url, api_key=key(), timeout=1.0, max_retries=0) as client:
        client.chat.completions.create(model=model, messages=ASK)


def models(url: str, model: str, note: Note) -> None:
    note["names"] = [one.id for one in OpenAI(base_url=url, api_key=key()).models.list()]


def completion(url: str, model: str, note: Note) -> None:
    client = OpenAI(base_url=url, api_key=key())
    reply = client.completions.create(model=model, prompt="2 + 2 =", echo=True, logprobs=1)
    note |= {"text": reply.choices[0].text, "finish": reply.choices[0].finish_reason}


def embed(url: str, model: str, note: Note) -> None:
    client = OpenAI(base_url=url, api_key=key())
    reply = client.embeddings.create(model=model, input=["a", "b"])
    note["vectors"] = [one.embedding for one in reply.data]


def wishes(url: str, model: str, note: Note) -> None:
    """Say what this request may spend, and how, beside what it asks."""
    client = OpenAI(base_url=url, api_key=key())
    wish = {"budget": "2k work", "strategy": "self_consistency(n=3)", "explain": True}
    turns: Any = [{"role": "user", "content": f"{QUESTION} Reply with only a number."}]
    reply = client.chat.completions.create(
        model=model, messages=turns, extra_body={"workspan": wish}
    )
    told = (reply.model_extra or {})["workspan"]
    note |= {"text": reply.choices[0].message.content, "workspan": told}


serve(
    {
        "answer": answer,
        "answer_async": answer_async,
        "stream": stream,
        "stream_async": stream_async,
        "stream_helper": stream_helper,
        "tool": tool,
        "stream_tool": stream_tool,
        "structured": structured,
        "cancel_stream": cancel_stream,
        "cancel_answer": cancel_answer,
        "models": models,
        "completion": completion,
        "embed": embed,
        "wishes": wishes,
    }
)
