"""A body of Chat Completions as one of Responses, for an upstream that speaks nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from workspan.legible import quoted
from workspan.protocol.carried import Carried
from workspan.protocol.fields import as_list, as_object, parts_told, untold

_NO_WORDS = (
    *("frequency_penalty", "presence_penalty", "logit_bias", "audio", "functions", "stop"),
    "prediction",
)
_IDLE: tuple[Any, ...] = (None, False, 0, 0.0, {}, [])
_LEFT_OUT = ("seed",)
_UNTOLD = frozenset({"stream_options", "n", "top_logprobs", "function_call"})


_cannot = partial(untold, "Responses")


def tell(body: Mapping[str, Any]) -> Carried:
    """Put a chat's body into the words of Responses.

    Nothing is kept at the upstream unless the client says so: a chat is kept nowhere.

    Raises:
        InputError: something in it can't be said in them; it is named.
    """
    rest = {name: value for name, value in body.items() if value is not None}
    for name in _NO_WORDS:
        if name in rest and rest.pop(name) not in _IDLE:
            raise _cannot(name, "asked for")
    if rest.get("n") not in (None, 1):
        raise _cannot("n", quoted(rest["n"]))
    notices = tuple(
        f"{name} was left out: the upstream speaks Responses, which has none"
        for name in _LEFT_OUT
        if rest.pop(name, None) is not None
    )
    told: dict[str, Any] = {"input": _items(rest.pop("messages", ())), "store": False}
    if rest.pop("logprobs", None):
        told |= {"include": ["message.output_text.logprobs"]}
        told |= {"top_logprobs": rest["top_logprobs"]} if "top_logprobs" in rest else {}
    cap = rest.pop("max_completion_tokens", None) or rest.get("max_tokens")
    rest.pop("max_tokens", None)
    told |= {} if cap is None else {"max_output_tokens": cap}
    for name, read in _FIELDS.items():
        if name in rest:
            _merge(told, read(rest.pop(name)))
    found = told | {name: value for name, value in rest.items() if name not in _UNTOLD}
    return Carried(found, notices)


def _merge(told: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        known = told.get(name)
        told[name] = {**known, **value} if isinstance(known, dict) else value


def _items(told: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    customs: set[Any] = set()
    for i, one in enumerate(as_list(told, "messages", "turns")):
        place = f"messages[{i}]"
        turn = as_object(one, place)
        role = turn.get("role")
        if role == "assistant":
            said = _said(turn, place)
            customs |= {x["call_id"] for x in said if x["type"] == "custom_tool_call"}
            found += said
        elif role == "tool":
            id = turn.get("tool_call_id")
            kind = "custom_tool_call_output" if id in customs else "function_call_output"
            found.append({"type": kind, "call_id": id, "output": _output(turn, place)})
        elif role in ("user", "system", "developer"):
            content = _parts(turn.get("content"), place)
            found.append({"type": "message", "role": role, "content": content})
        else:
            raise _cannot(f"{place}.role", quoted(role))
    return found


def _output(turn: dict[str, Any], place: str) -> Any:
    content = turn.get("content")
    return content if isinstance(content, str) else _parts(content, place)


def _said(turn: dict[str, Any], place: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    at = f"{place}.reasoning_details"
    for one in as_list(turn.get("reasoning_details") or (), at, "details"):
        detail = as_object(one, at)
        if detail.get("type") == "reasoning.encrypted":  # other thinking is refused there
            named = {"id": detail["id"]} if detail.get("id") else {}
            hidden: dict[str, Any] = {"encrypted_content": detail.get("data"), "summary": []}
            found.append({"type": "reasoning", **named, **hidden})
    parts = [{**one, "type": "output_text"} for one in _parts(turn.get("content"), place)]
    if refusal := turn.get("refusal"):
        parts.append({"type": "refusal", "refusal": refusal})
    if parts:
        found.append({"type": "message", "role": "assistant", "content": parts})
    calls = as_list(turn.get("tool_calls") or (), f"{place}.tool_calls", "calls")
    return found + [_call(as_object(x, place), f"{place}.tool_calls") for x in calls]


def _call(call: dict[str, Any], place: str) -> dict[str, Any]:
    if call.get("type") == "custom":
        inner = as_object(call.get("custom"), f"{place}.custom")
        told = {"name": inner.get("name"), "input": inner.get("input") or ""}
        return {"type": "custom_tool_call", "call_id": call.get("id"), **told}
    inner = as_object(call.get("function"), f"{place}.function")
    told = {"name": inner.get("name"), "arguments": inner.get("arguments") or "{}"}
    return {"type": "function_call", "call_id": call.get("id"), **told}


def _parts(told: Any, place: str) -> list[dict[str, Any]]:
    return parts_told(told, f"{place}.content", "input_text", _PARTS, _cannot)


def _image(part: dict[str, Any], place: str) -> dict[str, Any]:
    inner = as_object(part.get("image_url"), f"{place}.image_url")
    detail = {"detail": inner["detail"]} if inner.get("detail") else {}
    return {"type": "input_image", "image_url": inner.get("url"), **detail}


def _file(part: dict[str, Any], place: str) -> dict[str, Any]:
    return {"type": "input_file", **as_object(part.get("file"), f"{place}.file")}


_PARTS: Mapping[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "text": lambda part, _: {"type": "input_text", "text": part.get("text") or ""},
    "image_url": _image,
    "file": _file,
}


def _tools(told: Any) -> dict[str, Any]:
    found = []
    for i, one in enumerate(as_list(told, "tools", "tools")):
        tool, place = as_object(one, f"tools[{i}]"), f"tools[{i}]"
        kind = tool.get("type")
        if kind not in ("function", "custom"):
            raise _cannot(f"{place}.type", quoted(kind))
        inner = as_object(tool.get(kind), f"{place}.{kind}")
        strict = {} if kind == "custom" else {"strict": inner.get("strict") or False}
        found.append({"type": kind, **inner, **strict})
    return {"tools": found} if found else {}


def _choice(told: Any) -> dict[str, Any]:
    if isinstance(told, str):
        return {"tool_choice": told}
    rest = as_object(told, "tool_choice")
    kind = rest.get("type")
    if kind not in ("function", "custom"):
        raise _cannot("tool_choice.type", quoted(kind))
    return {"tool_choice": {"type": kind, **as_object(rest.get(kind), f"tool_choice.{kind}")}}


def _form(told: Any) -> dict[str, Any]:
    rest = as_object(told, "response_format")
    inner = rest.get("json_schema") if rest.get("type") == "json_schema" else {}
    form = {"type": rest.get("type"), **as_object(inner, "response_format.json_schema")}
    return {"text": {"format": form}}


_FIELDS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "tools": _tools,
    "tool_choice": _choice,
    "response_format": _form,
    "verbosity": lambda told: {"text": {"verbosity": told}},
    "reasoning_effort": lambda told: {"reasoning": {"effort": told}},
}
