"""Requests in OpenAI's Responses."""

from __future__ import annotations

from typing import Any

from workspan.errors import InputError
from workspan.serve.dialects import RESPONSES
from workspan.serve.dialects.responses import ResponsesVoice
from workspan.serve.gateway import Gateway
from workspan.serve.relay.body import Body
from workspan.serve.routes.turning import turn
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange

_BEFORE = "previous_response_id"


async def responses(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``POST /v1/responses``."""
    voice = exchange.voice
    assert isinstance(voice, ResponsesVoice)  # the table of addresses says so
    asked: list[Any] = []

    def check(body: Body) -> None:
        _check(body)
        _go_on(gateway, exchange, body)
        _resolve(gateway, exchange, body)
        if gateway.kept.keeps and body.get("store", bool, "true or false") is not False:
            voice.is_kept = True
            asked.append(body.get("input", object, "a text or items"))

    await turn(gateway, exchange, record, RESPONSES, check)
    final = voice.final if asked else {}
    if final.get("status") in ("completed", "incomplete"):
        gateway.kept.keep(exchange.key_id, asked[0], final)


def _check(body: Body) -> None:
    """Refuse what this gateway does not do.

    Raises:
        Failed: it is asked for.
        InputError: a field is none.
    """
    body.get("store", bool, "true or false")
    if "conversation" in body and body.raw("conversation") != b"null":
        said = "conversation is not known here: no conversation is kept; send all items as input"
        raise Failed(400, said, code="unsupported", param="conversation")
    if body.get("background", bool, "true or false"):
        said = "background must be false: a response is answered while its client waits"
        raise Failed(400, said, code="unsupported", param="background")


def _go_on(gateway: Gateway, exchange: Exchange, body: Body) -> None:
    """Put the items before a request in front of its own, where it goes on from a response.

    Raises:
        Failed: that one is not kept.
    """
    id = body.get(_BEFORE, str, "a text")
    if id is None:
        return
    if not gateway.kept.keeps:
        said = (
            f"{_BEFORE} is not known here: no response is kept; send all items as input. An "
            "operator may keep some: --keep-responses N"
        )
        raise Failed(400, said, code="unsupported", param=_BEFORE)
    before = gateway.kept.items(exchange.key_id, id)
    if before is None:
        said = f"{_BEFORE} is not known: it was never kept, or others took its place"
        raise Failed(400, said, code="previous_response_not_found", param=_BEFORE)
    told = body.get("input", object, "a text or items")
    if not isinstance(told, str | list):
        raise InputError("input must be a text or a list of items")
    after = [{"role": "user", "content": told}] if isinstance(told, str) else told
    body.set("input", [*before, *after])
    body.drop(_BEFORE)


def _resolve(gateway: Gateway, exchange: Exchange, body: Body) -> None:
    """Put items that are kept where a request names them; others an upstream may know itself."""
    told = body.get("input", object, "a text or items") if gateway.kept.keeps else None
    if not isinstance(told, list) or not any(map(_named, told)):
        return
    key = exchange.key_id
    body.set(
        "input",
        [(gateway.kept.item(key, _named(one)) or one) if _named(one) else one for one in told],
    )


def _named(item: Any) -> str:
    """Return the id of an item that stands for one; empty where it is one itself."""
    is_named = isinstance(item, dict) and item.get("type") == "item_reference"
    id = item.get("id") if is_named else None
    return id if isinstance(id, str) else ""
