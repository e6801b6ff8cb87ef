"""A body of Messages as one of Chat Completions: what can't be carried over is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workspan.errors import InputError
from workspan.legible import quoted
from workspan.protocol.carried import Carried, joined_system, refuse_others, wishes_of_stream
from workspan.protocol.chat_messages import checked_text
from workspan.protocol.fields import as_list, as_object, not_carried
from workspan.protocol.messages.blocks import read_system, read_turns

_UNTOLD = frozenset(
    {"stream_options", "context_management", "inference_geo", "betas", "diagnostics"}
)
"""Fields for Anthropic's own servers, which change no answer of another."""


def carry(body: Mapping[str, Any]) -> Carried:
    """Put a body into Chat's words; fields that are not known stay as they are.

    Raises:
        InputError: a field is none, or says what Chat has no words for; it is named.
    """
    rest = {name: value for name, value in body.items() if value is not None}
    for name in ("mcp_servers", "container", "thread", "compaction"):
        if rest.pop(name, None):
            raise not_carried(name, "run by Anthropic's servers")
    system = read_system(rest.pop("system", ""))
    told: dict[str, Any] = {
        "messages": joined_system(system + read_turns(rest.pop("messages", None)))
    }
    tools, left_out = _tools(rest.pop("tools", ()))
    if tools:
        told["tools"] = tools
    for name, read in _FIELDS.items():
        if name in rest:
            told |= read(rest.pop(name))
    if not tools:
        told.pop("parallel_tool_calls", None)
        if told.get("tool_choice") in ("auto", "none"):
            del told["tool_choice"]
    refuse_others(rest, "Messages")
    model = {"model": rest.pop("model")} if "model" in rest else {}
    found = model | told | {name: rest[name] for name in rest if name not in _UNTOLD}
    wishes_of_stream(found)
    return Carried(found, left_out)


def _tools(told: Any) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the tools that a Chat upstream can be told of, and what is said of the others.

    Raises:
        InputError: one is none; or none is left of those that there were.
    """
    found: list[dict[str, Any]] = []
    left_out: list[str] = []
    for i, one in enumerate(as_list(told, "tools", "tools")):
        tool = as_object(one, f"tools[{i}]")
        if (kind := tool.get("type", "custom")) != "custom":
            left_out.append(str(kind))
            continue
        inner: dict[str, Any] = {"name": checked_text(tool.get("name"), f"tools[{i}].name")}
        inner |= {
            name: tool[name] for name in ("description", "strict") if tool.get(name) is not None
        }
        inner["parameters"] = as_object(tool.get("input_schema"), f"tools[{i}].input_schema")
        found.append({"type": "function", "function": inner})
    if left_out and not found:
        raise not_carried("tools", f"only {quoted(left_out[0])}")
    return found, tuple(
        f"the tool {quoted(kind)} was left out: the upstream speaks Chat, which knows none such"
        for kind in dict.fromkeys(left_out)
    )


def _cap(told: Any) -> dict[str, Any]:
    if isinstance(told, bool) or not isinstance(told, int) or told < 1:
        raise InputError(f"max_tokens must be a whole number of at least 1, not {quoted(told)}")
    return {"max_tokens": told}


def _choice(told: Any) -> dict[str, Any]:
    rest = as_object(told, "tool_choice")
    kind = rest.get("type")
    found: dict[str, Any] = {}
    if rest.get("disable_parallel_tool_use") is True:
        found["parallel_tool_calls"] = False
    if kind == "tool":
        name = checked_text(rest.get("name"), "tool_choice.name")
        return {**found, "tool_choice": {"type": "function", "function": {"name": name}}}
    if kind not in _CHOICES:
        raise InputError(f"tool_choice.type is {quoted(kind)}: auto, any, tool or none")
    return {**found, "tool_choice": _CHOICES[kind]}


_CHOICES: Mapping[Any, str] = {"auto": "auto", "any": "required", "none": "none"}


def _thinking(told: Any) -> dict[str, Any]:
    """Read a cap on thinking; a model of a Chat upstream thinks as it does where none is said."""
    rest = as_object(told, "thinking")
    kind = rest.get("type")
    if kind not in ("enabled", "adaptive", "disabled"):
        raise InputError(f"thinking.type is {quoted(kind)}: enabled, adaptive or disabled")
    if kind != "enabled":
        return {}
    most = rest.get("budget_tokens")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(
            f"thinking.budget_tokens must be a whole number of at least 1, not {quoted(most)}"
        )
    return {"max_reasoning_tokens": most}


def _output(told: Any) -> dict[str, Any]:
    rest = as_object(told, "output_config")
    found: dict[str, Any] = {}
    if (effort := rest.get("effort")) is not None:
        found["reasoning_effort"] = checked_text(effort, "output_config.effort")
    if (form := rest.get("format")) is not None:
        found |= _form(form, "output_config.format")
    return found


def _form(told: Any, place: str = "output_format") -> dict[str, Any]:
    rest = as_object(told, place)
    if rest.get("type") != "json_schema":
        raise InputError(f"{place}.type is {quoted(rest.get('type'))}: json_schema")
    schema = as_object(rest.get("schema"), f"{place}.schema")
    named = {"name": "output", "schema": schema, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _stops(told: Any) -> dict[str, Any]:
    return {"stop": told} if told else {}


def _metadata(told: Any) -> dict[str, Any]:
    id = as_object(told, "metadata").get("user_id")
    return {} if id is None else {"user": checked_text(id, "metadata.user_id")}


def _tier(told: Any) -> dict[str, Any]:
    return (
        {} if told == "auto" else {"service_tier": "default" if told == "standard_only" else told}
    )


_FIELDS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "max_tokens": _cap,
    "stop_sequences": _stops,
    "tool_choice": _choice,
    "thinking": _thinking,
    "output_config": _output,
    "output_format": _form,
    "metadata": _metadata,
    "service_tier": _tier,
}
