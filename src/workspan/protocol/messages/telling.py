"""A body of Chat Completions as one of Messages, for an upstream that speaks nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from workspan.legible import quoted
from workspan.protocol.carried import Carried
from workspan.protocol.fields import as_list, as_object, parts_told, untold

_CAP = 4096
"""Tokens of a reply that nobody capped: the dialect has no request without a cap."""
_NO_WORDS = (
    "logprobs",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "audio",
    "functions",
)
_IDLE: tuple[Any, ...] = (None, False, 0, 0.0, {}, [])
_LEFT_OUT = ("seed",)
_UNTOLD = frozenset(
    {"stream_options", "n", "top_logprobs", "store", "prompt_cache_key", "verbosity"}
)


_cannot = partial(untold, "Messages")


def tell(body: Mapping[str, Any]) -> Carried:
    """Put a chat's body into the words of Messages.

    Raises:
        InputError: something in it can't be said in them; it is named.
    """
    rest = {name: value for name, value in body.items() if value is not None}
    notices: list[str] = []
    for name in _NO_WORDS:
        if name in rest and rest.pop(name) not in _IDLE:
            raise _cannot(name, "asked for")
    if rest.get("n") not in (None, 1):
        raise _cannot("n", quoted(rest["n"]))
    notices += [
        f"{name} was left out: the upstream speaks Messages, which has none"
        for name in _LEFT_OUT
        if rest.pop(name, None) is not None
    ]
    system, turns = _turns(rest.pop("messages", ()))
    told: dict[str, Any] = {"system": system} if system else {}
    told["messages"] = turns
    cap = rest.pop("max_completion_tokens", None) or rest.pop("max_tokens", None)
    rest.pop("max_tokens", None)
    if cap is None:
        notices.append(f"the reply was capped at {_CAP} tokens: Messages asks for a cap")
    told["max_tokens"] = cap or _CAP
    for name, read in _FIELDS.items():
        if name in rest:
            _merge(told, read(rest.pop(name)))
    if "tool_choice" in told:
        told["tool_choice"] = {"type": "auto", **told["tool_choice"]}
    found = told | {name: value for name, value in rest.items() if name not in _UNTOLD}
    return Carried(found, tuple(notices))


def _merge(told: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        known = told.get(name)
        told[name] = {**known, **value} if isinstance(known, dict) else value


def _turns(told: Any) -> tuple[str, list[dict[str, Any]]]:
    """Return what the system says first, and the turns."""
    system: list[str] = []
    turns: list[dict[str, Any]] = []
    for i, one in enumerate(as_list(told, "messages", "turns")):
        turn, place = as_object(one, f"messages[{i}]"), f"messages[{i}]"
        role = turn.get("role")
        if role in ("system", "developer"):
            text = "\n".join(part["text"] for part in _parts(turn.get("content"), place))
            if turns:
                turns.append({"role": "system", "content": text})
            else:
                system.append(text)
        elif role == "tool":
            _result(turn, place, turns)
        elif role == "assistant":
            turns.append({"role": "assistant", "content": _said(turn, place)})
        elif role == "user":
            turns.append({"role": "user", "content": _parts(turn.get("content"), place)})
        else:
            raise _cannot(f"{place}.role", quoted(role))
    return "\n\n".join(system), turns


def _result(turn: dict[str, Any], place: str, turns: list[dict[str, Any]]) -> None:
    """Add a tool's result; those of several calls are one turn."""
    content = _parts(turn.get("content"), place)
    block = {"type": "tool_result", "tool_use_id": turn.get("tool_call_id"), "content": content}
    last = turns[-1] if turns else {}
    held = last.get("content")
    if held and last.get("role") == "user" and held[-1]["type"] == "tool_result":
        held.append(block)
        return
    turns.append({"role": "user", "content": [block]})


def _said(turn: dict[str, Any], place: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    at = f"{place}.reasoning_details"
    for one in as_list(turn.get("reasoning_details") or (), at, "details"):
        detail = as_object(one, at)
        if detail.get("type") == "reasoning.encrypted":
            found.append({"type": "redacted_thinking", "data": detail.get("data")})
        elif detail.get("signature"):  # unsigned thinking is refused there
            thought = {"thinking": detail.get("text") or "", "signature": detail["signature"]}
            found.append({"type": "thinking", **thought})
    found += _parts(turn.get("content"), place)
    if refusal := turn.get("refusal"):
        found.append({"type": "text", "text": refusal})
    calls = as_list(turn.get("tool_calls") or (), f"{place}.tool_calls", "calls")
    for i, call in enumerate(calls):
        at = f"{place}.tool_calls[{i}]"
        inner = as_object(as_object(call, at).get("function"), f"{at}.function")
        told: Any
        try:
            told = json.loads(inner.get("arguments") or "{}")
        except (ValueError, RecursionError, TypeError):
            told = None
        if not isinstance(told, dict):
            raise _cannot(f"{at}.function.arguments", "no JSON object")
        found.append(
            {"type": "tool_use", "id": call.get("id"), "name": inner.get("name"), "input": told}
        )
    return found


def _parts(told: Any, place: str) -> list[dict[str, Any]]:
    return parts_told(told, f"{place}.content", "text", _PARTS, _cannot)


def _text(part: dict[str, Any], place: str) -> dict[str, Any]:  # noqa: ARG001
    kept = {"cache_control": part["cache_control"]} if "cache_control" in part else {}
    return {"type": "text", "text": part.get("text") or "", **kept}


def _source(url: str) -> dict[str, Any]:
    if not url.startswith("data:"):
        return {"type": "url", "url": url}
    kind, _, data = url.removeprefix("data:").partition(";base64,")
    return {"type": "base64", "media_type": kind, "data": data}


def _image(part: dict[str, Any], place: str) -> dict[str, Any]:
    url = as_object(part.get("image_url"), f"{place}.image_url").get("url")
    return {"type": "image", "source": _source(str(url))}


def _file(part: dict[str, Any], place: str) -> dict[str, Any]:
    data = as_object(part.get("file"), f"{place}.file").get("file_data")
    if not isinstance(data, str):
        raise _cannot(place, "a file by its id")
    return {"type": "document", "source": _source(data)}


_PARTS: Mapping[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "text": _text,
    "image_url": _image,
    "file": _file,
}


def _tools(told: Any) -> dict[str, Any]:
    found = []
    for i, one in enumerate(as_list(told, "tools", "tools")):
        tool = as_object(one, f"tools[{i}]")
        if tool.get("type") != "function":
            raise _cannot(f"tools[{i}].type", quoted(tool.get("type")))
        inner = as_object(tool.get("function"), f"tools[{i}].function")
        schema = inner.pop("parameters", None) or {"type": "object", "properties": {}}
        found.append({**inner, "input_schema": schema})
    return {"tools": found} if found else {}


def _choice(told: Any) -> dict[str, Any]:
    if isinstance(told, str):
        kinds = {"auto": "auto", "required": "any", "none": "none"}
        if told not in kinds:
            raise _cannot("tool_choice", quoted(told))
        return {"tool_choice": {"type": kinds[told]}}
    rest = as_object(told, "tool_choice")
    if rest.get("type") != "function":
        raise _cannot("tool_choice.type", quoted(rest.get("type")))
    name = as_object(rest.get("function"), "tool_choice.function").get("name")
    return {"tool_choice": {"type": "tool", "name": name}}


def _parallel(told: Any) -> dict[str, Any]:
    if told is not False:
        return {}
    return {"tool_choice": {"disable_parallel_tool_use": True}}


def _form(told: Any) -> dict[str, Any]:
    rest = as_object(told, "response_format")
    if rest.get("type") == "text":
        return {}
    if rest.get("type") != "json_schema":
        raise _cannot("response_format.type", quoted(rest.get("type")))
    inner = as_object(rest.get("json_schema"), "response_format.json_schema")
    schema = inner.get("schema") or {"type": "object"}
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


_FIELDS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "tools": _tools,
    "tool_choice": _choice,
    "parallel_tool_calls": _parallel,
    "response_format": _form,
    "reasoning_effort": lambda told: {"output_config": {"effort": told}},
    "max_reasoning_tokens": lambda told: {"thinking": {"type": "enabled", "budget_tokens": told}},
    "stop": lambda told: {"stop_sequences": [told] if isinstance(told, str) else told},
    "user": lambda told: {"metadata": {"user_id": told}},
}
