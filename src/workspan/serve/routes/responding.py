"""Requests in OpenAI's Responses."""

from __future__ import annotations

from workspan.serve.dialects import RESPONSES
from workspan.serve.gateway import Gateway
from workspan.serve.relay.body import Body
from workspan.serve.routes.turning import turn
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange

_KEPT_ELSEWHERE = ("previous_response_id", "conversation")
"""Fields that mean what a server was told before."""


async def responses(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``POST /v1/responses``."""
    await turn(gateway, exchange, record, RESPONSES, _check)


def _check(body: Body) -> None:
    """Refuse what rests on a response that was kept: none is.

    Raises:
        Failed: so it is.
    """
    for name in _KEPT_ELSEWHERE:
        if name in body and body.raw(name) != b"null":
            said = f"{name} is not known here: no response is kept; send all items as input"
            raise Failed(400, said, code="unsupported", param=name)
    body.get("store", bool, "true or false")
    if body.get("background", bool, "true or false"):
        said = "background must be false: a response is answered while its client waits"
        raise Failed(400, said, code="unsupported", param="background")
