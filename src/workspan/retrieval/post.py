"""One JSON request to one service, bounded in time and size, with typed failures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import aiohttp
import msgspec

from workspan.boundary.address import proxy_for
from workspan.boundary.secret import Secret
from workspan.errors import EngineError, EngineProtocolError, EngineRejected, EngineUnavailable

_SAID = 400
"""Bytes of a service's own words that an error repeats."""

_BYTES = 64 << 20
"""Of an answer at most."""


async def post(
    url: str, body: object, *, seconds: float, headers: Mapping[str, str] | None = None
) -> object:
    """Send `body` as JSON and return the JSON that comes back.

    Args:
        url: of the service.
        body: what msgspec can encode.
        seconds: from the start to the last byte.
        headers: further ones, such as a key; they are in no message.

    Raises:
        EngineUnavailable: no connection, the time is up, too many requests, or a server error.
        EngineRejected: the service refuses the request.
        EngineProtocolError: what came back is no JSON, or too much.
    """
    head = {"Content-Type": "application/json", **(headers or {})}
    secret = Secret("", tuple(value.rpartition(" ")[2] for value in (headers or {}).values()))
    try:
        return await _post(url, msgspec.json.encode(body), seconds, head)
    except EngineError as error:
        secret.seal(error)
        raise


async def _post(url: str, content: bytes, seconds: float, headers: Mapping[str, str]) -> object:
    limit = aiohttp.ClientTimeout(total=seconds)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as client,
            client.post(
                url, data=content, headers=headers, allow_redirects=False, proxy=proxy_for(url)
            ) as response,
        ):
            status, received = response.status, await _body(response, url)
    except TimeoutError:
        raise EngineUnavailable(f"{url} did not answer within {seconds:g} s") from None
    except (aiohttp.ClientConnectionError, OSError) as error:
        raise EngineUnavailable(f"{url} can't be reached: {error}") from None
    except (aiohttp.ClientError, ValueError) as error:
        raise EngineProtocolError(f"{url}: {type(error).__name__}: {error}") from None
    if status != 200:
        said = received[:_SAID].decode("utf-8", "replace").strip()
        kind = EngineUnavailable if status in (408, 429) or status >= 500 else EngineRejected
        raise kind(f"{url} answered {status}: {said}", status=status)
    try:
        return msgspec.json.decode(received)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise EngineProtocolError(f"{url} did not answer with JSON: {error}") from None


async def _body(response: aiohttp.ClientResponse, url: str) -> bytes:
    received = bytearray()
    async for piece in response.content.iter_chunked(1 << 16):
        received += piece
        if len(received) > _BYTES:
            raise EngineProtocolError(f"{url} answered more than {_BYTES >> 20} MiB")
    return bytes(received)


def bearer(variables: Iterable[str]) -> dict[str, str]:
    """Return the header with the key that the first set environment variable holds, if one is."""
    keys = [os.environ[name] for name in variables if os.environ.get(name)]
    return {"Authorization": f"Bearer {keys[0]}"} if keys else {}
