"""Steps of a script as the bytes of OpenAI's protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from workspan.testing.faults.asked import Asked
from workspan.testing.faults.script import Ends, Piece
from workspan.testing.faults.tally import Served

VERBATIM = "@verbatim:"
"""Begins a string that is written without its quotes: numbers that JSON libraries refuse."""


def encoded(value: object) -> bytes:
    """Write JSON; strings that begin with `VERBATIM` as they are."""
    text = json.dumps(value, ensure_ascii=False)
    start = text.find(f'"{VERBATIM}')
    while start >= 0:
        end = text.index('"', start + 1)
        text = text[:start] + text[start + 1 + len(VERBATIM) : end] + text[end + 1 :]
        start = text.find(f'"{VERBATIM}')
    return text.encode()


def event(value: object) -> bytes:
    """Write one server-sent event."""
    return b"data: " + encoded(value) + b"\n\n"


def chunk(asked: Asked, **more: Any) -> dict[str, Any]:
    """Write an event without choices."""
    form = "chat.completion.chunk" if asked.is_chat else "text_completion"
    return {"id": "c", "object": form, "created": 0, "model": "m", "choices": [], **more}


def piece(asked: Asked, step: Piece) -> dict[str, Any]:
    """Write the event of a piece."""
    choice: dict[str, Any] = {"index": step.choice, "finish_reason": None}
    text: Any = [{"type": "text", "text": step.text}] if step.as_parts else step.text
    if asked.is_chat:
        choice["delta"] = delta(step.field, text)
    else:
        choice["text"] = text
    told = told_of(asked, step)
    if told:
        choice["logprobs"] = logprobs(asked, told)
    return chunk(asked, choices=[choice], **dict(step.noise))


def delta(name: str, text: Any) -> dict[str, Any]:
    """Put a piece's text where a server of that kind puts it."""
    if name in _CALLS:
        return _CALLS[name](text)
    if name == "reasoning_details":
        return {"reasoning_details": [{"type": "reasoning.text", "text": text}]}
    return {name: text}


_CALLS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "tool_calls": lambda text: {
        "tool_calls": [{"index": 0, "function": {"name": "f", "arguments": text}}]
    },
    "tool_calls_repeated": lambda text: {
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": text}}
        ]
    },
    "tool_calls_as_objects": lambda text: {
        "tool_calls": [{"index": 0, "id": "", "function": {"name": "f", "arguments": {"x": text}}}]
    },
    "function_call": lambda text: {"function_call": {"name": "f", "arguments": text}},
}
"""Ways in which servers send the words of a tool's call."""


def told_of(asked: Asked, step: Piece) -> int:
    """Return how many log-probabilities go with a piece."""
    if not asked.wants_logprobs:
        return 0
    return step.tokens if step.told is None else step.told


def logprobs(asked: Asked, count: int) -> dict[str, Any]:
    """Write so many equal log-probabilities with their alternatives."""
    values = [-0.3 - rank for rank in range(asked.alternatives)]
    if asked.is_chat:
        others = [{"token": f"t{rank}", "logprob": value} for rank, value in enumerate(values)]
        return {"content": [{"token": "t", "logprob": -0.3, "top_logprobs": others}] * count}
    named = {f"t{rank}": value for rank, value in enumerate(values)}
    return {"token_logprobs": [-0.3] * count, "top_logprobs": [named] * count}


def end(asked: Asked, step: Ends) -> dict[str, Any]:
    """Write the event that ends a choice."""
    said: dict[str, Any] = {"delta": {}} if asked.is_chat else {"text": ""}
    choice = {"index": step.choice, "finish_reason": step.reason, **said}
    return chunk(asked, choices=[choice])


def usage(row: Served, choice: int | None = None) -> dict[str, Any]:
    """Write the true usage so far, of one choice or of all."""
    completion = row.work if choice is None else row.decoded[choice]
    return {
        "prompt_tokens": row.prompt,
        "completion_tokens": completion,
        "total_tokens": row.prompt + completion,
        "prompt_tokens_details": {"cached_tokens": row.cached},
    }


def whole(row: Served, pieces: list[Piece], report: Any) -> dict[str, Any]:
    """Write the one reply to a request that was not streamed, or treated so.

    A choice that nobody asked for ends as the last one does.
    """
    asked, choices = row.asked, []
    count = max(len(row.finishes), *(step.choice + 1 for step in pieces), 0)
    for index in range(count):
        reason = row.finishes[min(index, len(row.finishes) - 1)]
        own = [step for step in pieces if step.choice == index]
        texts: dict[str, str] = {}
        for step in own:
            if step.field != "end":
                texts[step.field] = texts.get(step.field, "") + step.text
        choice: dict[str, Any] = {"index": index, "finish_reason": reason}
        if asked.is_chat:
            choice["message"] = {"role": "assistant", "content": None}
            for name, text in texts.items():
                parts = [{"type": "text", "text": text}]
                is_parts = name == "content" and any(step.as_parts for step in own)
                choice["message"] |= delta(name, parts if is_parts else text)
        else:
            choice["text"] = "".join(texts.values())
        told = sum(told_of(asked, step) for step in own)
        if told:
            choice["logprobs"] = logprobs(asked, told)
        choices.append(choice)
    reply = chunk(asked, choices=choices)
    reply["object"] = "chat.completion" if asked.is_chat else "text_completion"
    if report is not None:
        reply["usage"] = report
    return reply
