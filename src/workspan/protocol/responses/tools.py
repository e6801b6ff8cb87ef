"""Tools of Responses, in the form of Chat Completions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workspan.legible import quoted
from workspan.protocol.chat_messages import checked_text
from workspan.protocol.fields import as_list, as_object, not_carried, taken


@dataclass(slots=True)
class Toolbox:
    """What a model may call, and what it is told of under another name."""

    tools: list[dict[str, Any]] = field(default_factory=list)
    spaces: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of tools in a namespace: by their name in Chat, the namespace and the name in it."""
    left_out: list[str] = field(default_factory=list)
    """Types of tools that the server of the dialect itself would run."""

    def name_of(self, name: str, space: str) -> str:
        """Return what a tool is called in Chat."""
        return f"{space}__{name}" if space else name


def read_tools(told: Any) -> Toolbox:
    """Read the field `tools`.

    Raises:
        InputError: one is none; or none is left of those that there were.
    """
    box = Toolbox()
    for i, one in enumerate(as_list(told, "tools", "tools")):
        _add(box, as_object(one, f"tools[{i}]"), f"tools[{i}]", "")
    if box.left_out and not box.tools:
        raise not_carried("tools", f"only {quoted(box.left_out[0])}")
    return box


def _add(box: Toolbox, told: dict[str, Any], place: str, space: str) -> None:
    kind = taken(told, "type", place)
    if kind == "namespace" and not space:
        name = taken(told, "name", place)
        for i, one in enumerate(as_list(told.get("tools"), f"{place}.tools", "tools")):
            _add(box, as_object(one, f"{place}.tools[{i}]"), f"{place}.tools[{i}]", name)
    elif kind not in ("function", "custom"):
        box.left_out.append(kind)
    else:
        name = checked_text(told.get("name"), f"{place}.name")
        if space:
            told["name"] = box.name_of(name, space)
            box.spaces[told["name"]] = (space, name)
        inner = {key: value for key, value in told.items() if value is not None}
        box.tools.append({"type": kind, kind: inner})


def read_choice(told: Any, box: Toolbox) -> Any:
    """Read the field `tool_choice`.

    Raises:
        InputError: it names what a Chat upstream does not have.
    """
    if isinstance(told, str):
        return checked_text(told, "tool_choice")
    rest = as_object(told, "tool_choice")
    kind = taken(rest, "type", "tool_choice")
    read = _CHOICES.get(kind)
    if read is None:
        raise not_carried("tool_choice.type", quoted(kind))
    return read(rest, kind, box)


def _named(rest: Mapping[str, Any], kind: str, box: Toolbox) -> dict[str, Any]:
    name = checked_text(rest.get("name"), "tool_choice.name")
    return {"type": kind, kind: {"name": box.name_of(name, str(rest.get("namespace") or ""))}}


def _allowed(rest: Mapping[str, Any], kind: str, box: Toolbox) -> dict[str, Any]:
    tools = [
        read_choice(one, box) for one in as_list(rest.get("tools"), "tool_choice.tools", "tools")
    ]
    return {"type": kind, kind: {"mode": rest.get("mode", "auto"), "tools": tools}}


_CHOICES: Mapping[str, Callable[[Mapping[str, Any], str, Toolbox], Any]] = {
    "function": _named,
    "custom": _named,
    "allowed_tools": _allowed,
}
