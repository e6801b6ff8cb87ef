"""Batches: begun, listed, looked at and cancelled, key by key."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import msgspec

from workspan.errors import InputError, nearest
from workspan.legible import quoted
from workspan.serve.batches import statements
from workspan.serve.batches.lines import read_lines
from workspan.serve.batches.parts import content_of, keep_batch
from workspan.serve.batches.records import ENDPOINTS, WINDOWS, Batch, new_id
from workspan.serve.gateway import Gateway
from workspan.serve.routes import filing
from workspan.serve.routes.filing import MOST, as_list, check_room, listed, of_key, page
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import NEVER_AGAIN, Failed
from workspan.serve.wire.exchange import Exchange
from workspan.store.database import Database

Route: TypeAlias = Callable[[Gateway, Exchange, Record], Awaitable[None]]
_FIELDS = ("input_file_id", "endpoint", "completion_window", "metadata")
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_MOST_PAIRS, _LONGEST_KEY, _LONGEST_VALUE = 16, 64, 512


async def create(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``POST /v1/batches``: the file is checked, line by line, before anything is asked."""
    key, database = await of_key(gateway, exchange, record)
    told = _body(await exchange.body())
    file = await database.transact(partial(statements.file, key, str(told["input_file_id"])))
    if file is None or file.batch:
        said = f"input_file_id must name a file of this key's, not {quoted(told['input_file_id'])}"
        raise Failed(404, said, code="file_not_found", param="input_file_id")
    _check_room(await database.transact(partial(statements.held, key)))
    content = b"".join([part async for part in content_of(database, file)]).decode()
    endpoint, window = told["endpoint"], told["completion_window"]
    lines, errors = await asyncio.to_thread(read_lines, content, endpoint, MOST.lines)
    utc = gateway.accounts.utc()
    now = int(utc)
    batch = Batch(
        new_id("batch_", utc),
        key,
        file.id,
        endpoint,
        window,
        told.get("metadata") or {},
        "failed" if errors else "validating",
        errors,
        len(lines),
        now,
        now + WINDOWS[window],
        ended=now if errors else None,
    )
    await keep_batch(database, batch, lines, _check_room)  # others may have begun some meanwhile
    if gateway.lane is not None:
        gateway.lane.wake()
    await _tell(exchange, batch if errors else replace(batch, status="in_progress"))


def _check_room(held: statements.Held) -> None:
    """Refuse another batch where there are too many, or no room for results.

    Raises:
        Failed: so it is.
    """
    if held.open >= MOST.batches:
        said = f"a key has at most {MOST.batches} batches that are not done: wait for one"
        raise Failed(429, said, code="too_many_batches", headers={"retry-after": "60"})
    if held.batches >= MOST.all_batches:
        said = f"a key has at most {MOST.all_batches} batches here: they are forgotten in 30 days"
        raise Failed(400, said, code="too_many_batches")
    check_room(held)


def _body(content: bytes) -> dict[str, Any]:
    """Read what a batch is to be.

    Raises:
        InputError: a field is none; it is named.
    """
    try:
        told = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        raise InputError("the body must be JSON") from None
    if not isinstance(told, dict):
        raise InputError("the body must be an object")
    told = {name: value for name, value in told.items() if value is not None}
    for name in told:
        if name not in _FIELDS:
            raise InputError(f"{quoted(name)} is no field of a batch: {nearest(name, _FIELDS)}")
    for name, known in (("endpoint", ENDPOINTS), ("completion_window", tuple(WINDOWS))):
        if told.get(name) not in known:
            raise InputError(f"{name} must be one of {', '.join(known)}")
    if not isinstance(told.get("input_file_id"), str) or not _ID.fullmatch(told["input_file_id"]):
        raise InputError("input_file_id must be the id of a file")
    _check_metadata(told.get("metadata", {}))
    return told


def _check_metadata(told: Any) -> None:
    is_fine = isinstance(told, dict) and len(told) <= _MOST_PAIRS
    if not is_fine or not all(
        isinstance(value, str) and len(name) <= _LONGEST_KEY and len(value) <= _LONGEST_VALUE
        for name, value in told.items()
    ):
        raise InputError(
            f"metadata must be at most {_MOST_PAIRS} texts of up to {_LONGEST_VALUE} characters, "
            f"by names of up to {_LONGEST_KEY}"
        )


async def listing(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``GET /v1/batches``."""
    key, database = await of_key(gateway, exchange, record)
    after, most, _ = page(exchange)
    found = await listed(database, partial(statements.batches, key, after, most + 1))
    counted = [await database.transact(partial(statements.standing, one)) for one in found]
    shown = as_list([one.value for one in counted], most)
    await exchange.reply(200, msgspec.json.encode(shown))


async def show(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``GET /v1/batches/ID``."""
    batch, _ = await _named(gateway, exchange, record)
    await _tell(exchange, batch)


async def cancel(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``POST /v1/batches/ID/cancel``: what is under way comes to its end, the rest does not.

    Raises:
        Failed: it is done already.
    """
    batch, database = await _named(gateway, exchange, record)
    await exchange.body()
    if batch.status not in ("in_progress", "cancelling"):
        said = f"the batch is {batch.status} already"
        raise Failed(409, said, code="batch_ended", headers=NEVER_AGAIN)
    now = int(gateway.accounts.utc())
    await database.transact(partial(statements.cancel, batch.key, batch.id, now))
    found = await database.transact(partial(statements.batch, batch.key, batch.id))
    if gateway.lane is not None:
        gateway.lane.wake()
    await _tell(exchange, found or batch)


async def _named(gateway: Gateway, exchange: Exchange, record: Record) -> tuple[Batch, Database]:
    """Return the batch that an address names.

    Raises:
        Failed: this key has none such.
    """
    key, database = await of_key(gateway, exchange, record)
    id = exchange.path.split("/batches/")[1].partition("/")[0]
    found = await database.transact(partial(statements.batch, key, id))
    if found is None:
        said = f"this key has no batch {quoted(id[:80])}"
        raise Failed(404, said, code="batch_not_found")
    return found, database


async def _tell(exchange: Exchange, batch: Batch) -> None:
    await exchange.reply(200, msgspec.json.encode(batch.value))


_NAMED: Mapping[str, Mapping[str, Route]] = {
    "/files": {"GET": filing.listing, "POST": filing.upload},
    "/files/{id}": {"GET": filing.show, "DELETE": filing.forget},
    "/files/{id}/content": {"GET": filing.content},
    "/batches": {"GET": listing, "POST": create},
    "/batches/{id}": {"GET": show},
    "/batches/{id}/cancel": {"POST": cancel},
}
_PATTERNS = [
    (re.compile(r"(?:/v1)?" + path.replace("{id}", _ID.pattern)), f"/v1{path}") for path in _NAMED
]


def found(path: str) -> tuple[str, Mapping[str, Route]] | None:
    """Return the route of an address, as figures name it, with its methods."""
    for pattern, route in _PATTERNS:
        if pattern.fullmatch(path):
            return route, _NAMED[route.removeprefix("/v1")]
    return None
