"""Which dialects an upstream speaks: stated by the operator, or asked of it once. Never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

import aiohttp

from workspan.serve.dialects.base import Dialect, Form
from workspan.serve.relay import trouble

_NO_SUCH_PATH = frozenset({404, 405, 501})
_TAKEN = frozenset({200, 400, 422})
"""What a server of the dialect says of a body that holds nothing."""
_INSTEAD: Mapping[str, Form] = {"messages": "message", "responses": "response"}
"""By the names that an operator gives dialects."""
_PATIENCE = 10.0
"""Seconds for that."""
_LOOKED_AT = 4096


class Asked(Protocol):
    """A server that can be asked."""

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Awaitable[aiohttp.ClientResponse]:
        """Post a body."""
        ...


class Spoken:
    """The dialects of one upstream."""

    def __init__(self, stated: Sequence[str]) -> None:
        """Begin; where nothing was stated, Chat is spoken, and the others are asked for."""
        self._stated = frozenset(stated)
        self._known: dict[str, bool] = {}
        self._lock = asyncio.Lock()

    @property
    def has_chat(self) -> bool:
        """Chat Completions are spoken."""
        return not self._stated or "chat" in self._stated

    @property
    def instead(self) -> Form | None:
        """The form in which a chat is asked where Chat is not spoken, by the operator's word."""
        return next((form for name, form in _INSTEAD.items() if name in self._stated), None)

    async def speaks(self, dialect: Dialect, server: Asked) -> bool | None:
        """Tell whether a dialect is spoken; None where it can't be asked now: it will be again."""
        if self._stated:
            return dialect.name in self._stated
        found = self._known.get(dialect.name)
        if found is None:
            async with self._lock:  # one asks, the others wait
                found = self._known.get(dialect.name)
                if found is None and (found := await _asked(dialect, server)) is not None:
                    self._known[dialect.name] = found
        return found


async def _asked(dialect: Dialect, server: Asked) -> bool | None:
    """Send a body that holds nothing, which no model answers; None where that tells nothing."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reply = await server.post(dialect.path, b"{}", dialect.needed)
            async with reply:
                told = await reply.content.read(_LOOKED_AT)
    except trouble.LOST:
        return None
    if reply.status in _NO_SUCH_PATH:
        return b"model" in told.lower()  # there is no model without a name, but the path
    return True if reply.status in _TAKEN else None
