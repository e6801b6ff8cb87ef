"""What clients need of a reply, as `shared/clients/README.md` has it: each a check with a name.

A check says what is wrong, or nothing. Those of `UNARY` read a whole chat reply, those of `STREAM`
the raw lines of one that was streamed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Streamed:
    """A stream as it came, and the request that it answers."""

    asked: Body
    raw: str

    @cached_property
    def data(self) -> list[str]:
        """Its data lines."""
        lines = self.raw.splitlines()
        return [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """Its events, without the last word."""
        return [json.loads(one) for one in self.data if one != "[DONE]"]

    @property
    def choices(self) -> Iterator[dict[str, Any]]:
        for event in self.events:
            yield from event["choices"]

    @cached_property
    def fragments(self) -> list[dict[str, Any]]:
        """Of calls of tools."""
        return [one for c in self.choices for one in c["delta"].get("tool_calls") or ()]

    @property
    def text(self) -> str:
        return "".join(choice["delta"].get("content") or "" for choice in self.choices)

    @property
    def calls(self) -> dict[int, dict[str, str]]:
        """Its calls of tools put together."""
        found: dict[int, dict[str, str]] = {}
        for one in self.fragments:
            call = found.setdefault(one["index"], {"id": "", "name": "", "arguments": ""})
            function = one.get("function") or {}
            call["id"] += one.get("id") or ""
            call["name"] += function.get("name") or ""
            call["arguments"] += function.get("arguments") or ""
        return found


def _is_filled(*names: str) -> Callable[[Body, Body], str]:
    def check(_: Body, reply: Body) -> str:
        empty = [name for name in names if not reply.get(name)]
        return f"without {', '.join(empty)}" if empty else ""

    return check


def _choices(asked: Body, reply: Body) -> str:
    found = [choice.get("index") for choice in reply["choices"]]
    wanted = [*range(asked.get("n") or 1)]
    return "" if found == wanted else f"choices are numbered {found}"


def _each_choice(test: Callable[[Body], bool]) -> Callable[[Body, Body], str]:
    def check(_: Body, reply: Body) -> str:
        wrong = [choice for choice in reply["choices"] if not test(choice)]
        return str(wrong[0]) if wrong else ""

    return check


def _calls(_: Body, reply: Body) -> str:
    for choice in reply["choices"]:
        for call in choice["message"].get("tool_calls") or ():
            function = call.get("function") or {}
            if not (call.get("id") and call.get("type") == "function" and function.get("name")):
                return f"a client drops, or breaks at, the call {call}"
            json.loads(function["arguments"])
    return ""


def _usage(_: Body, reply: Body) -> str:
    told = reply.get("usage") or {}
    read, decoded = told.get("prompt_tokens"), told.get("completion_tokens")
    if not isinstance(read, int) or not isinstance(decoded, int):
        return f"usage is {told}"
    return "" if told["total_tokens"] == read + decoded else f"usage is {told}"


def _finish(choice: Body) -> bool:
    calls = choice["message"].get("tool_calls")
    return choice.get("finish_reason") in (("tool_calls",) if calls else ("stop", "length"))


UNARY: Mapping[str, Callable[[Body, Body], str]] = {
    "id, created, model": _is_filled("id", "model", "choices"),
    "object": lambda _, reply: "" if reply.get("object") == "chat.completion" else "no object",
    "created": lambda _, reply: "" if type(reply.get("created")) is int else "created is no time",
    "choices[].index": _choices,
    "message.role": _each_choice(lambda c: c["message"].get("role") == "assistant"),
    "message.content": _each_choice(
        lambda c: bool(c["message"].get("content") or c["message"].get("tool_calls"))
    ),
    "finish_reason": _each_choice(_finish),
    "tool call id, type, function": _calls,
    "usage": _usage,
}


def _one_head(told: Streamed) -> str:
    for name in ("id", "object", "created", "model"):
        found = {json.dumps(event.get(name)) for event in told.events}
        if len(found) != 1 or found & {"null", '""'}:
            return f"{name} is {sorted(found)}"
    return "" if told.events[0]["object"] == "chat.completion.chunk" else "another object"


def _finish_chunk(told: Streamed) -> str:
    found = [c["index"] for c in told.choices if c.get("finish_reason")]
    wanted = [*range(told.asked.get("n") or 1)]
    return "" if sorted(found) == wanted else f"choices {found} end"


def _finish_names_calls(told: Streamed) -> str:
    found = {c["finish_reason"] for c in told.choices if c.get("finish_reason")}
    wanted = {"tool_calls"} if told.fragments else {"stop"}
    return "" if found == wanted else f"it ends with {found}"


def _usage_where_asked(told: Streamed) -> str:
    wants = bool((told.asked.get("stream_options") or {}).get("include_usage"))
    found = [event for event in told.events if event.get("usage")]
    if not wants:
        return f"nobody asked for {found}" if found else ""
    if len(found) != 1 or found[0] is not told.events[-1] or found[0]["choices"]:
        return f"usage came in {found}"
    return _usage({}, found[0])


def _empty_choices(told: Streamed) -> str:
    odd = [e for e in told.events if not e.get("choices") and not e.get("usage")]
    return f"an event without choices that is no usage: {odd}" if odd else ""


def _fragments(told: Streamed) -> str:
    known: set[int] = set()
    for one in told.fragments:
        if type(one.get("index")) is not int:
            return f"a fragment without its index: {one}"
        function = one.get("function") or {}
        if one["index"] in known and ("id" in one or "name" in function or "type" in one):
            return f"a client glues what is repeated: {one}"
        if one["index"] not in known and not (one.get("id") and function.get("name")):
            return f"a call begins without its id or name: {one}"
        known.add(one["index"])
    for call in told.calls.values():
        json.loads(call["arguments"])
    return ""


def _role(told: Streamed) -> str:
    first = next(told.choices)["delta"]
    return "" if first.get("role") == "assistant" else f"it begins with {first}"


STREAM: Mapping[str, Callable[[Streamed], str]] = {
    "no empty data line": lambda told: "" if all(told.data) else "an empty data line",
    "[DONE] last": lambda told: "" if told.data[-1] == "[DONE]" else told.data[-1],
    "no delta: null": lambda told: next(
        (str(c) for c in told.choices if not isinstance(c.get("delta"), dict)), ""
    ),
    "id, object, created, model": _one_head,
    "role first": _role,
    "finish chunk": _finish_chunk,
    "finish_reason": _finish_names_calls,
    "tool fragments": _fragments,
    "usage only where asked": _usage_where_asked,
    "nothing else without choices": _empty_choices,
    "no error": lambda told: next((str(e) for e in told.events if "error" in e), ""),
}


def complaints(asked: Body, raw: str) -> list[str]:
    """Return what is wrong with a reply to a chat request."""
    if asked.get("stream"):
        told = Streamed(asked, raw)
        found = {name: check(told) for name, check in STREAM.items()}
    else:
        reply = json.loads(raw)
        found = {name: check(asked, reply) for name, check in UNARY.items()}
    return [f"{name}: {said}" for name, said in found.items() if said]
