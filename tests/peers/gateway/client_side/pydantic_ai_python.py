"""Pydantic AI, by the dialect that is named on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from steps import QUESTION, Note, key, serve


class City(BaseModel):
    city: str
    population: int


def _responses(url: str, model: str) -> Any:
    return OpenAIResponsesModel(model, provider=OpenAIProvider(base_url=url, api_key=key()))


def _messages(url: str, model: str) -> Any:
    base = url.rstrip("/").removesuffix("/v1")
    return AnthropicModel(model, provider=AnthropicProvider(base_url=base, api_key=key()))


MODELS: Mapping[str, Callable[[str, str], Any]] = {"responses": _responses, "messages": _messages}


def _agent(url: str, model: str, **more: Any) -> Any:
    return Agent(MODELS[sys.argv[1]](url, model), model_settings={"max_tokens": 100}, **more)


def answer(url: str, model: str, note: Note) -> None:
    told = _agent(url, model).run_sync(QUESTION)
    note |= {"text": told.output, "completion_tokens": told.usage.output_tokens}


def stream(url: str, model: str, note: Note) -> None:
    note |= {"text": "", "finish": None, "completion_tokens": None}
    events = _agent(url, model).run_stream_sync(QUESTION)
    for piece in events.stream_text(delta=True):
        note["text"] += piece
    note |= {"finish": "stop", "completion_tokens": events.usage.output_tokens}


def tool(url: str, model: str, note: Note) -> None:
    agent = _agent(url, model)

    @agent.tool_plain  # type: ignore[untyped-decorator]
    def get_weather(city: str) -> str:
        """Look it up."""
        note["calls"] = ["get_weather", {"city": city}]
        return "sun"

    note["text"] = agent.run_sync(QUESTION).output


def structured(url: str, model: str, note: Note) -> None:
    form: Any = NativeOutput(City) if sys.argv[1] == "responses" else City  # a tool, by Messages
    told = _agent(url, model, output_type=form).run_sync(QUESTION)
    note["value"] = told.output.model_dump()


serve({"answer": answer, "stream": stream, "tool": tool, "structured": structured})
