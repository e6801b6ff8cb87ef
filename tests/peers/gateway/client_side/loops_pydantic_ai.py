"""Agents of Pydantic AI, by the dialect that is named on the command line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Any

from loops import TASK, Walk
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from steps import Note, headers, key, serve


def _openai(url: str) -> OpenAIProvider:
    return OpenAIProvider(base_url=url, api_key=key())


def _messages(url: str, model: str) -> Any:
    base = url.rstrip("/").removesuffix("/v1")
    return AnthropicModel(model, provider=AnthropicProvider(base_url=base, api_key=key()))


MODELS: Mapping[str, Callable[[str, str], Any]] = {
    "chat": lambda url, model: OpenAIChatModel(model, provider=_openai(url)),
    "responses": lambda url, model: OpenAIResponsesModel(model, provider=_openai(url)),
    "messages": _messages,
}


def _agent(url: str, model: str, walk: Walk) -> Any:
    agent: Any = Agent(
        MODELS[sys.argv[1]](url, model),
        instructions="You walk.",
        model_settings={"max_tokens": 200, "extra_headers": headers()},
    )
    agent.tool_plain(walk.look)
    agent.tool_plain(walk.move)
    return agent


def run(url: str, model: str, note: Note) -> None:
    walk = Walk()
    note |= walk.note()
    walk.text = _agent(url, model, walk).run_sync(TASK).output
    note |= walk.note()


def run_streamed(url: str, model: str, note: Note) -> None:
    async def main() -> None:
        async with _agent(url, model, walk).iter(TASK) as nodes:
            async for node in nodes:
                if not Agent.is_model_request_node(node):
                    continue
                async with node.stream(nodes.ctx) as events:
                    async for _ in events:
                        pass
        walk.text = nodes.result.output

    walk = Walk()
    note |= walk.note()
    asyncio.run(main())
    note |= walk.note()


def twins(url: str, model: str, note: Note) -> None:
    """Two agents with one task, at the same time."""
    walks = [Walk(), Walk()]

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for walk in walks:
                group.create_task(one(walk))

    async def one(walk: Walk) -> None:
        walk.text = (await _agent(url, model, walk).run(TASK)).output

    asyncio.run(main())
    note["notes"] = [walk.note() for walk in walks]


serve({"run": run, "run_streamed": run_streamed, "twins": twins})
