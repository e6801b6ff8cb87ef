"""How much an upstream is to think, written as it takes it into a body that is else left alone."""

from __future__ import annotations

from typing import Any

from workspan.data.efforts import Effort, effort_for
from workspan.engines.endpoint.dialect import THINKING_CAPS
from workspan.errors import InputError
from workspan.serve.headroom import answer_room
from workspan.serve.relay.body import Body
from workspan.serve.relay.upstream import Server


def set_thinking(body: Body, server: Server, cap: int | None) -> None:
    """Write an effort in the model's words, and cap thinking so that an answer has room.

    What the client itself has said in the upstream's own fields stands.
    """
    effort = _effort(body, server)
    told: dict[str, Any] = {}
    if effort is not None:
        if effort.level is None:
            body.drop("reasoning_effort")
        elif effort.level != body.get("reasoning_effort", str, "a text"):
            body.set("reasoning_effort", effort.level)
        told |= effort.fields
    field = server.engine.thinking_cap
    if field is not None and cap is not None and (most := cap - answer_room(cap)) > 0:
        told |= THINKING_CAPS[field](most)
    for name, value in told.items():
        if name not in body:
            body.set(name, value)


def said_of_thinking(body: Body, server: Server) -> list[str]:
    """Say what of that is not as the client asked for it."""
    effort = _effort(body, server)
    return [effort.said] if effort is not None and effort.said else []


def _effort(body: Body, server: Server) -> Effort | None:
    """Return what an effort is to one upstream; one that it can't have is left out.

    Of the upstream that is meant it was refused before (`routes.worth`): this is another, which
    took over.
    """
    asked = body.get("reasoning_effort", str, "a text")
    try:
        return None if asked is None else effort_for(server.model, asked)
    except InputError as error:
        return Effort(None, said=f"reasoning_effort was left out: {error}")
