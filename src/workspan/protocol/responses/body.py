"""A body of Responses as one of Chat Completions: what can't be carried over is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workspan.errors import InputError
from workspan.legible import quoted
from workspan.protocol.carried import Carried, joined_system, refuse_others, wishes_of_stream
from workspan.protocol.chat_messages import checked_text
from workspan.protocol.fields import as_list, as_object, not_carried
from workspan.protocol.responses.items import read_items
from workspan.protocol.responses.tools import Toolbox, read_choice, read_tools

_UNTOLD = frozenset(
    {
        *("store", "background", "truncation", "stream_options", "client_metadata", "conversation"),
        *("previous_response_id", "prompt", "max_tool_calls"),
    }
)
"""Fields that a Chat upstream is not told: `_check` lets through only what changes no answer."""


def carry(body: Mapping[str, Any]) -> Carried:
    """Put a body into Chat's words; fields that are not known stay as they are.

    Raises:
        InputError: a field is none, or says what Chat has no words for; it is named.
    """
    rest = {name: value for name, value in body.items() if value is not None}
    _check(rest)
    box = read_tools(rest.pop("tools", ()))
    told: dict[str, Any] = {}
    messages = read_items(rest.pop("input", None))
    if "instructions" in rest:
        said = checked_text(rest.pop("instructions"), "instructions")
        messages.insert(0, {"role": "system", "content": said})
    told["messages"] = joined_system(messages)
    if box.tools:
        told["tools"] = box.tools
    if "tool_choice" in rest:
        told["tool_choice"] = read_choice(rest.pop("tool_choice"), box)
        if not box.tools and told["tool_choice"] in ("auto", "none"):
            del told["tool_choice"]
    for name, read in _FIELDS.items():
        if name in rest:
            told |= read(rest.pop(name))
    refuse_others(rest, "Responses")
    model = {"model": rest.pop("model")} if "model" in rest else {}
    found = model | told | {name: rest[name] for name in rest if name not in _UNTOLD}
    wishes_of_stream(found)
    return Carried(found, _notices(box), box.spaces)


def _notices(box: Toolbox) -> tuple[str, ...]:
    return tuple(
        f"the tool {quoted(kind)} was left out: the upstream speaks Chat, whose servers run none"
        for kind in dict.fromkeys(box.left_out)
    )


def _check(rest: Mapping[str, Any]) -> None:
    """Refuse what a Chat upstream can't do, and whose loss would change the answer.

    Raises:
        InputError: there is such a field.
    """
    for name, idle in _IDLE.items():
        if name in rest and rest[name] not in idle:
            raise not_carried(name, quoted(rest[name]))


_IDLE: Mapping[str, tuple[Any, ...]] = {
    "background": (False,),
    "truncation": ("disabled",),
    "conversation": (),
    "previous_response_id": (),
    "prompt": (),
}
"""And the values that ask for nothing."""


def _cap(told: Any) -> dict[str, Any]:
    if isinstance(told, bool) or not isinstance(told, int) or told < 1:
        raise InputError(
            f"max_output_tokens must be a whole number of at least 1, not {quoted(told)}"
        )
    return {"max_tokens": told}


def _text(told: Any) -> dict[str, Any]:
    rest = as_object(told, "text")
    found: dict[str, Any] = {}
    if (verbosity := rest.get("verbosity")) is not None:
        found["verbosity"] = checked_text(verbosity, "text.verbosity")
    if (form := rest.get("format")) is not None:
        form = as_object(form, "text.format")
        kind = checked_text(form.pop("type", None), "text.format.type")
        if kind == "json_schema":
            found["response_format"] = {"type": kind, kind: form}
        elif kind == "json_object":
            found["response_format"] = {"type": kind}
        elif kind != "text":
            raise not_carried("text.format.type", quoted(kind))
    return found


def _reasoning(told: Any) -> dict[str, Any]:
    """Read the effort; a summary is a way of showing, and what is thought is shown anyway."""
    effort = as_object(told, "reasoning").get("effort")
    return {} if effort is None else {"reasoning_effort": checked_text(effort, "reasoning.effort")}


def _include(told: Any) -> dict[str, Any]:
    names = [checked_text(one, "include") for one in as_list(told, "include", "texts")]
    return {"logprobs": True} if "message.output_text.logprobs" in names else {}


_FIELDS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "max_output_tokens": _cap,
    "text": _text,
    "reasoning": _reasoning,
    "include": _include,
}
