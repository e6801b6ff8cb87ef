"""Loops of agents by Anthropic's client for Python: its own runner of tools."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from anthropic import Anthropic, beta_tool
from loops import TASK, TURNS, Walk
from steps import Note, headers, key, serve


def _client(url: str) -> Anthropic:
    base = url.rstrip("/").removesuffix("/v1")  # it adds that itself
    return Anthropic(base_url=base, api_key=key(), default_headers=headers())


def _runner(url: str, model: str, walk: Walk, **more: Any) -> Any:
    return _client(url).beta.messages.tool_runner(
        model=model,
        max_tokens=200,
        messages=[{"role": "user", "content": TASK}],
        tools=[beta_tool(walk.look), beta_tool(walk.move)],
        max_iterations=TURNS,
        **more,
    )


def runner(url: str, model: str, note: Note) -> None:
    walk = Walk()
    note |= walk.note()
    _keep(_runner(url, model, walk).until_done(), walk)
    note |= walk.note()


def runner_streamed(url: str, model: str, note: Note) -> None:
    walk = Walk()
    note |= walk.note()
    for events in _runner(url, model, walk, stream=True):
        _keep(events.get_final_message(), walk)
    note |= walk.note()


def _keep(told: Any, walk: Walk) -> None:
    walk.text = "".join(block.text for block in told.content if block.type == "text")


def twins(url: str, model: str, note: Note) -> None:
    """Two agents with one task, at the same time."""
    notes: list[Note] = [{}, {}]
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda own: runner(url, model, own), notes):
            pass
    note["notes"] = notes


serve({"runner": runner, "runner_streamed": runner_streamed, "twins": twins})
