"""Inspect's own model of OpenAI's Responses, or of Anthropic's Messages."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from inspect_ai.model import ChatMessageTool, ChatMessageUser, GenerateConfig, get_model
from inspect_ai.tool import ToolInfo, ToolParams
from inspect_ai.util import JSONSchema
from steps import QUESTION, Note, key, serve

TOOL = ToolInfo(
    name="get_weather",
    description="Look it up",
    parameters=ToolParams(properties={"city": JSONSchema(type="string")}, required=["city"]),
)
Told = Callable[[Any, Note], Awaitable[None]]


def _model(url: str, model: str) -> Any:
    if sys.argv[1] == "responses":
        more: dict[str, Any] = {"responses_api": True, "base_url": url}
        return get_model(f"openai/{model}", api_key=key(), memoize=False, **more)
    base = url.rstrip("/").removesuffix("/v1")
    return get_model(f"anthropic/{model}", api_key=key(), base_url=base, memoize=False)


def step(told: Told) -> Callable[[str, str, Note], None]:
    """Run a step with a model of its own."""

    def run(url: str, model: str, note: Note) -> None:
        async def main() -> None:
            async with _model(url, model) as asked:
                await told(asked, note)

        asyncio.run(main())

    return run


@step
async def answer(model: Any, note: Note) -> None:
    told = await model.generate(QUESTION, config=GenerateConfig(max_retries=0))
    note |= {
        "text": told.completion,
        "finish": told.stop_reason,
        "completion_tokens": told.usage.output_tokens,
    }


@step
async def tool(model: Any, note: Note) -> None:
    asked: list[Any] = [ChatMessageUser(content=QUESTION)]
    first = await model.generate(asked, tools=[TOOL])
    (call,) = first.message.tool_calls
    note["calls"] = [call.function, call.arguments]
    result = ChatMessageTool(content="sun", tool_call_id=call.id, function=call.function)
    note["text"] = (await model.generate([*asked, first.message, result], tools=[TOOL])).completion


serve({"answer": answer, "tool": tool})
