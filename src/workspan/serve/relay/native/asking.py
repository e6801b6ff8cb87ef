"""A request in a dialect of its own, as it goes to an upstream that speaks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspan.data.efforts import Effort, effort_for
from workspan.errors import InputError
from workspan.serve.dialects import Dialect
from workspan.serve.headroom import answer_room
from workspan.serve.relay.body import Body
from workspan.serve.relay.upstream import Server

_LEAST_THINKING = 1024
"""Tokens: Anthropic takes no lower `budget_tokens`."""


def written_in(dialect: Dialect, body: Body, server: Server, cap: int | None) -> Body:
    """Write a body for an upstream: every field that nothing is changed of keeps its bytes."""
    if server.model and body.get("model", str, "a text") != server.model:
        body.set("model", server.model)
    if cap is not None and cap != body.get(dialect.cap, int, "a whole number"):
        body.set(dialect.cap, cap)
        _lower_thinking(body, cap)
    if (effort := _effort(dialect, body, server)) is not None:
        name, value = dialect.with_effort(_of(body), effort.level)
        if value:
            body.set(name, value)
        else:
            body.drop(name)
        for name, value in effort.fields.items():
            if name not in body:
                body.set(name, value)
    for name in server.lessons.gave_up - {"stream_options"}:
        body.drop(name)
    for name, value in server.extra.items():
        body.set(name, value)
    return body


def said_of_effort(dialect: Dialect, body: Body, server: Server) -> list[str]:
    """Say what of the effort is not as the client asked for it."""
    effort = _effort(dialect, body, server)
    return [effort.said] if effort is not None and effort.said else []


def effort_asked(dialect: Dialect, body: Body) -> str | None:
    """Return the effort that a client asked for; None where it asked for none.

    Raises:
        InputError: it is no text.
    """
    told = _of(body)
    return dialect.effort(told) if told else None


def _effort(dialect: Dialect, body: Body, server: Server) -> Effort | None:
    """Return the effort that is sent; None where that is the one that was asked for."""
    asked = effort_asked(dialect, body)
    if asked is None:
        return None
    try:
        effort = effort_for(server.model, asked)
    except InputError as error:
        return Effort(None, said=f"the effort was left out: {error}")
    return None if effort.level == asked else effort


def _of(body: Body) -> Mapping[str, Any]:
    """Read the fields that hold an effort."""
    names = ("reasoning", "output_config")
    return {name: body.get(name, object, "an object") for name in names if name in body}


def _lower_thinking(body: Body, cap: int) -> None:
    """Keep the cap on thinking below that of all that is decoded, as the dialect has it."""
    told = body.get("thinking", dict[str, Any], "an object") if "thinking" in body else None
    most = (told or {}).get("budget_tokens")
    if told is None or not isinstance(most, int) or most < cap:
        return
    room = cap - answer_room(cap)
    if room < _LEAST_THINKING:
        body.drop("thinking")
    else:
        body.set("thinking", {**told, "budget_tokens": room})
