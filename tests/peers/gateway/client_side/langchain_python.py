"""LangChain's chat model for OpenAI's API."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from steps import QUESTION, TOOL, Note, key, serve


class City(BaseModel):
    """A city."""

    city: str
    population: int


def _chat(url: str, model: str, **more: Any) -> Any:
    return ChatOpenAI(model=model, base_url=url, api_key=key(), **more)


def answer(url: str, model: str, note: Note) -> None:
    reply = _chat(url, model).invoke(QUESTION)
    note |= {
        "text": reply.content,
        "finish": reply.response_metadata["finish_reason"],
        "completion_tokens": reply.usage_metadata["output_tokens"],
    }


def stream(url: str, model: str, note: Note) -> None:
    note |= {"text": "", "finish": None, "completion_tokens": None}
    for chunk in _chat(url, model, stream_usage=True).stream(QUESTION):
        note["text"] += chunk.content
        note["finish"] = chunk.response_metadata.get("finish_reason") or note["finish"]
        if chunk.usage_metadata:
            note["completion_tokens"] = chunk.usage_metadata["output_tokens"]


def tool(url: str, model: str, note: Note) -> None:
    bound = _chat(url, model).bind_tools([TOOL])
    first = bound.invoke(QUESTION)
    call = first.tool_calls[0]
    note["calls"] = [call["name"], call["args"]]
    turns = [HumanMessage(QUESTION), first, ToolMessage("sun", tool_call_id=call["id"])]
    note["text"] = bound.invoke(turns).content


def stream_tool(url: str, model: str, note: Note) -> None:
    whole: Any = None
    for chunk in _chat(url, model).bind_tools([TOOL]).stream(QUESTION):
        whole = chunk if whole is None else whole + chunk
    call = whole.tool_calls[0]
    note |= {"calls": [call["name"], call["args"]], "id": call["id"]}


def structured(url: str, model: str, note: Note) -> None:
    note["value"] = _chat(url, model).with_structured_output(City).invoke(QUESTION).model_dump()


def cancel_stream(url: str, model: str, note: Note) -> None:
    events = _chat(url, model).stream(QUESTION)
    note["text"] = "".join(next(events).content for _ in range(3))
    events.close()


serve(
    {
        "answer": answer,
        "stream": stream,
        "tool": tool,
        "stream_tool": stream_tool,
        "structured": structured,
        "cancel_stream": cancel_stream,
    }
)
