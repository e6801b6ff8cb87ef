"""Loops of agents by OpenAI's client for Python, as its guides write them, in both dialects."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from loops import NOWHERE, TASK, THERE, TURNS, Walk
from openai import OpenAI
from steps import Note, headers, key, serve

PARAMETERS = {"look": NOWHERE, "move": THERE}
CHAT: Any = [
    {"type": "function", "function": {"name": name, "parameters": told}}
    for name, told in PARAMETERS.items()
]
FLAT: Any = [
    {"type": "function", "name": name, "parameters": told} for name, told in PARAMETERS.items()
]


def _client(url: str) -> OpenAI:
    return OpenAI(base_url=url, api_key=key(), default_headers=headers())


def chat(url: str, model: str, note: Note) -> None:
    create, walk = _client(url).chat.completions.create, Walk()
    turns: list[Any] = [{"role": "user", "content": TASK}]
    note |= walk.note()
    for _ in range(TURNS):
        told = create(model=model, messages=turns, tools=CHAT).choices[0].message
        turns.append(told)
        if not _answered(told, turns, walk):
            break
    note |= walk.note()


def chat_streamed(url: str, model: str, note: Note) -> None:
    client, walk = _client(url), Walk()
    turns: list[Any] = [{"role": "user", "content": TASK}]
    note |= walk.note()
    for _ in range(TURNS):
        with client.chat.completions.stream(model=model, messages=turns, tools=CHAT) as events:
            told = events.get_final_completion().choices[0].message
        turns.append(told)
        if not _answered(told, turns, walk):
            break
    note |= walk.note()


def _answered(told: Any, turns: list[Any], walk: Walk) -> bool:
    walk.text = told.content or ""
    for call in told.tool_calls or ():
        result = walk.call(call.function.name, json.loads(call.function.arguments or "{}"))
        turns.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return bool(told.tool_calls)


def responses(url: str, model: str, note: Note) -> None:
    create, walk = _client(url).responses.create, Walk()
    items: list[Any] = [{"role": "user", "content": TASK}]
    note |= walk.note()
    for _ in range(TURNS):
        told = create(model=model, input=items, tools=FLAT)
        results = _results(told, walk)
        items += [*told.output, *results]
        if not results:
            break
    note |= walk.note()


def responses_streamed(url: str, model: str, note: Note) -> None:
    client, walk = _client(url), Walk()
    items: list[Any] = [{"role": "user", "content": TASK}]
    note |= walk.note()
    for _ in range(TURNS):
        with client.responses.stream(model=model, input=items, tools=FLAT) as events:
            told = events.get_final_response()
        results = _results(told, walk)
        items += [one.to_dict(exclude_unset=True, mode="json") for one in told.output]
        items += results
        if not results:
            break
    note |= walk.note()


def responses_kept(url: str, model: str, note: Note) -> None:
    """Go on from what the server keeps: only what is new is sent."""
    create, walk = _client(url).responses.create, Walk()
    items: Any = TASK
    before: Any = None
    for _ in range(TURNS):
        more = {} if before is None else {"previous_response_id": before}
        told = create(model=model, input=items, tools=FLAT, **more)
        before, items = told.id, _results(told, walk)
        if not items:
            break
    note |= walk.note()


def responses_runner(url: str, model: str, note: Note) -> None:
    """The client's own loop."""
    from openai.lib.responses_tool_runner import RegisteredFunction, ResponsesToolRunner

    walk = Walk()
    runs: Any = [
        RegisteredFunction(one, lambda told, name=one["name"]: walk.call(name, told))
        for one in FLAT
    ]
    asked: Any = {"model": model, "input": TASK}
    told = ResponsesToolRunner(functions=runs).run(_client(url), asked, max_steps=TURNS)
    walk.text = told.output_text
    note |= walk.note()


def _results(told: Any, walk: Walk) -> list[Any]:
    walk.text = told.output_text
    calls = [item for item in told.output if item.type == "function_call"]
    return [
        {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": walk.call(call.name, json.loads(call.arguments or "{}")),
        }
        for call in calls
    ]


def twins(url: str, model: str, note: Note) -> None:
    """Two agents with one task, at the same time."""
    notes: list[Note] = [{}, {}]
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda own: chat(url, model, own), notes):
            pass
    note["notes"] = notes


serve(
    {
        "chat": chat,
        "chat_streamed": chat_streamed,
        "responses": responses,
        "responses_streamed": responses_streamed,
        "responses_kept": responses_kept,
        "responses_runner": responses_runner,
        "twins": twins,
    }
)
