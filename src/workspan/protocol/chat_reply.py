"""A reply of Chat Completions, whole or in chunks, from what a model has said.

Every field that clients rest on is there, whether an upstream sent it or not: ids, `object`,
`created`, `model`, `index`, `role`, `finish_reason`, `usage`; of a call of a tool its id, type and
name, in a stream once only and its index always.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from workspan.data.content import ToolCall
from workspan.data.types import FinishReason, Message, Usage
from workspan.protocol.chat_messages import write_call, write_content

_PIECE = 48
"""Characters of a text that is sent in pieces when it is there already; a piece ends at a space."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a reply and all its chunks share."""

    id: str
    model: str
    """That answered, as its server calls it."""
    created: int
    """Seconds since 1970."""
    calls_functions: bool = False
    """The client knows the older form, one `function_call`, and no `tool_calls`."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One choice: what was said, and why it ended."""

    message: Message
    finish: FinishReason = "stop"
    scored: tuple[object, ...] | None = None
    """Its tokens with their log-probabilities, as an engine gave them (`Chunk.scored`); None where
    they were not asked for."""


def write_reply(head: Head, turns: Sequence[Turn], usage: Usage) -> dict[str, Any]:
    """Write a whole reply.

    Args:
        head: what is known of it beforehand.
        turns: its choices, at least one.
        usage: of all calls that it took.
    """
    return {
        **_head(head, "chat.completion"),
        "choices": [_choice(head, index, turn) for index, turn in enumerate(turns)],
        "usage": write_usage(usage),
    }


def write_usage(usage: Usage) -> dict[str, Any]:
    """Write what was spent; buckets within the two sums, as the wire has it."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def finish_reason(head: Head, turn: Turn) -> str:
    """Say why a choice ended, in the words of the wire: what an account cut ended at a length."""
    if turn.message.tool_calls:
        return "function_call" if head.calls_functions else "tool_calls"
    return "stop" if turn.finish in ("stop", "halted") else "length"


class Chunks:
    """Writes a stream: for each choice an opening, pieces, and an end; then its usage."""

    def __init__(self, head: Head) -> None:
        self._head = head

    def opening(self, index: int) -> dict[str, Any]:
        """Begin a choice."""
        return self._chunk(index, {"role": "assistant", "content": ""})

    def text(self, index: int, text: str, scored: Sequence[object] | None = None) -> dict[str, Any]:
        """Go on with its text."""
        chunk = self._chunk(index, {"content": text})
        if scored is not None:
            chunk["choices"][0]["logprobs"] = _logprobs(scored)
        return chunk

    def reasoning(self, index: int, text: str, name: str) -> dict[str, Any]:
        """Go on with its thinking, under the name that the upstream has for it."""
        return self._chunk(index, {name: text})

    def details(self, index: int, parts: Sequence[object]) -> dict[str, Any]:
        """Go on with parts of its thinking that are to come back as they are."""
        return self._chunk(index, {DETAILS: list(parts)})

    def refusal(self, index: int, text: str) -> dict[str, Any]:
        """Go on with a refusal."""
        return self._chunk(index, {"refusal": text})

    def calls(self, index: int, calls: Sequence[ToolCall]) -> Iterator[dict[str, Any]]:
        """Write its calls of tools, each as an opening and pieces of its arguments."""
        if self._head.calls_functions:
            for call in calls[:1]:
                yield self._chunk(index, {"function_call": _function(call)})
            return
        for number, call in enumerate(_identified(self._head, index, calls)):
            opening = write_call(replace(call, arguments=""))
            yield self._chunk(index, {"tool_calls": [{"index": number, **opening}]})
            home, field = (call.kind, "input" if call.kind == "custom" else "arguments")
            for piece in pieces(call.arguments):
                told = {"index": number, home: {field: piece}}
                yield self._chunk(index, {"tool_calls": [told]})

    def end(self, index: int, turn: Turn) -> dict[str, Any]:
        """End a choice."""
        chunk = self._chunk(index, {})
        chunk["choices"][0]["finish_reason"] = finish_reason(self._head, turn)
        return chunk

    def usage(self, usage: Usage) -> dict[str, Any]:
        """Say what the stream took, once and last, where the client asked for it."""
        return {**_head(self._head, _CHUNK), "choices": [], "usage": write_usage(usage)}

    def turn(self, index: int, turn: Turn) -> Iterator[dict[str, Any]]:
        """Write all of a choice that is there already, its end included."""
        message = turn.message
        yield self.opening(index)
        for piece in pieces(message.reasoning):
            yield self.reasoning(index, piece, message.reasoning_name)
        if details := message.extra.get(DETAILS):
            yield self.details(index, details)
        scored = turn.scored
        for piece in pieces(message.text):
            yield self.text(index, piece, scored)
            scored = None  # all of them came with the first piece
        for piece in pieces(message.refusal or ""):
            yield self.refusal(index, piece)
        yield from self.calls(index, message.tool_calls)
        yield self.end(index, turn)

    def _chunk(self, index: int, delta: dict[str, Any]) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "finish_reason": None}
        return {**_head(self._head, _CHUNK), "choices": [choice]}


_CHUNK = "chat.completion.chunk"
DETAILS = "reasoning_details"
"""The field of a turn that holds such parts."""


def pieces(text: str, longest: int = _PIECE) -> Iterator[str]:
    """Cut a text that is there already into pieces, at spaces where it has some."""
    at = 0
    while at < len(text):
        end = min(len(text), at + longest)
        space = text.rfind(" ", at, end) if end < len(text) else -1
        end = space + 1 if space > at else end
        yield text[at:end]
        at = end


def _head(head: Head, form: str) -> dict[str, Any]:
    return {"id": head.id, "object": form, "created": head.created, "model": head.model}


def _choice(head: Head, index: int, turn: Turn) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "index": index,
        "message": _message(head, index, turn.message),
        "finish_reason": finish_reason(head, turn),
    }
    if turn.scored is not None:
        choice["logprobs"] = _logprobs(turn.scored)
    return choice


def _message(head: Head, index: int, message: Message) -> dict[str, Any]:
    told: dict[str, Any] = {"role": "assistant", "content": write_content(message.content)}
    if message.content is None and not (message.tool_calls or message.refusal):
        told["content"] = ""
    if message.reasoning:
        told[message.reasoning_name] = message.reasoning
    if message.refusal:
        told["refusal"] = message.refusal
    if message.tool_calls and head.calls_functions:
        told["function_call"] = _function(message.tool_calls[0])
    elif message.tool_calls:
        calls = _identified(head, index, message.tool_calls)
        told["tool_calls"] = [write_call(call) for call in calls]
    return told | (message.extra.value if message.extra else {})


def _identified(head: Head, index: int, calls: Sequence[ToolCall]) -> list[ToolCall]:
    """Give calls the type and the id that their server left out; equal calls, equal ids."""
    return [
        replace(call, id=call.id or _made_up(head.id, index, number), kind=call.kind or "function")
        for number, call in enumerate(calls)
    ]


def _made_up(*place: object) -> str:
    return f"call_{hashlib.blake2b(repr(place).encode(), digest_size=12).hexdigest()}"


def _function(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": call.arguments}


def _logprobs(scored: Sequence[object]) -> dict[str, Any]:
    content = [_token(msgspec.to_builtins(one)) for one in scored]
    return {"content": content, "refusal": None}


def _token(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "top_logprobs": told.get("top_logprobs") or []}
