"""``GET /_/advice``: what each route should be set to, for the page and its operator alone."""

from __future__ import annotations

import msgspec

from workspan.serve.gateway import Gateway
from workspan.serve.page.routes import HEADERS
from workspan.serve.seeing.record import Record
from workspan.serve.wire.exchange import Exchange

PATH = "/_/advice"
_OFF = {"is_on": False, "advice": [], "error": ""}


async def advice(gateway: Gateway, exchange: Exchange, record: Record) -> None:  # noqa: ARG001
    """Answer ``GET /_/advice``; nothing is advised where nothing is run beside.

    Raises:
        Failed: it is not for whoever asks.
    """
    gateway.access.check(exchange)
    told = _OFF if gateway.shadow is None else await gateway.shadow.advised.told()
    await exchange.reply(200, msgspec.json.encode(told), HEADERS)
