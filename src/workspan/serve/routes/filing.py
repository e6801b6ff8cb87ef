"""Files of requests, and of what became of them: kept, listed, read and forgotten, key by key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec

from workspan.errors import InputError
from workspan.legible import legible, quoted
from workspan.serve.batches import statements
from workspan.serve.batches.form import Form, read_form
from workspan.serve.batches.parts import content_of, forget_file, keep_file
from workspan.serve.batches.records import FILE_SECONDS, Batch, File, Most, new_id
from workspan.serve.batches.results import kind_of, written
from workspan.serve.batches.running import all_lines
from workspan.serve.gateway import Gateway
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange, Header
from workspan.store.database import Database
from workspan.store.statement import Work

T = TypeVar("T")

_LONGEST_NAME = 255
_LEAST_SECONDS, _MOST_SECONDS = 3_600, FILE_SECONDS
_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"application/octet-stream"),
    (b"cache-control", b"no-store"),
)
MOST = Most()
_PAGE = 20
_LONGEST_PAGE = 100


async def of_key(gateway: Gateway, exchange: Exchange, record: Record) -> tuple[str, Database]:
    """Return whose files are asked for, and where they are.

    Raises:
        KeyRefused: there is no key, or it is not known.
        Failed: nothing is kept here.
    """
    key = await gateway.who(exchange)
    record.by(key)
    if gateway.database is None or key is None:
        said = "files and batches are kept in a store: workspan serve --store FILE"
        raise Failed(404, said, code="unsupported")
    return key.id, gateway.database


async def upload(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``POST /v1/files``."""
    key, database = await of_key(gateway, exchange, record)
    body = await exchange.body()
    form = await read_form(exchange.header(b"content-type"), body)
    file, content = _file(form, key, gateway.accounts.utc())
    await keep_file(database, file, content, lambda held: check_room(held, file.bytes))
    await _tell(exchange, file.value)


def check_room(held: statements.Held, more: int | None = None) -> None:
    """Refuse what a key's files have no room for: so many bytes more, or a batch's results.

    Raises:
        Failed: so it is.
    """
    is_full = more is not None and held.files >= MOST.files
    if is_full or held.bytes + (more or 0) > MOST.files_bytes:
        said = (
            f"a key keeps at most {MOST.files} files and {MOST.files_bytes} bytes here, results "
            "among them: delete some, or let them expire"
        )
        raise Failed(400, said, code="too_many_files")


def _file(form: Form, key: str, utc: float) -> tuple[File, str]:
    """Check what was sent.

    Raises:
        InputError: it is no file of requests.
    """
    if form.fields.get("purpose") != "batch":
        said = quoted(form.fields.get("purpose", ""))
        raise InputError(f"purpose must be 'batch', not {said}: only batches are done here")
    if form.content is None:
        raise InputError("file must be there: the JSONL file of requests")
    try:
        content = form.content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("file must be text in UTF-8, a request on each line") from None
    if "\0" in content:
        raise InputError("file must be JSON lines: it holds a NUL")
    name = legible(form.name.replace("\n", " "))[:_LONGEST_NAME] or "requests.jsonl"
    id, now = new_id("file-", utc), int(utc)
    return File(id, key, name, "batch", "", now, now + _kept(form), len(form.content)), content


def _kept(form: Form) -> int:
    """Return the seconds that a file is to be kept."""
    anchor = form.fields.get("expires_after[anchor]", "created_at")
    told = form.fields.get("expires_after[seconds]", str(FILE_SECONDS))
    if anchor != "created_at" or not told.isdecimal() or len(told) > 12:
        raise InputError("expires_after must be seconds from created_at")
    if not _LEAST_SECONDS <= int(told) <= _MOST_SECONDS:
        raise InputError(f"expires_after must be {_LEAST_SECONDS} to {_MOST_SECONDS} seconds")
    return int(told)


async def listing(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``GET /v1/files``."""
    key, database = await of_key(gateway, exchange, record)
    after, most, more = page(exchange)
    asked = partial(statements.files, key, more.get("purpose", ""), after, most + 1)
    found = await listed(database, asked)
    await _tell(exchange, as_list([one.value for one in found], most))


async def show(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``GET /v1/files/ID``."""
    file, _ = await _named(gateway, exchange, record)
    await _tell(exchange, file.value)


async def forget(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``DELETE /v1/files/ID``."""
    file, database = await _named(gateway, exchange, record)
    await forget_file(database, file.key, file.id)
    await _tell(exchange, {"id": file.id, "object": "file", "deleted": True})


async def content(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``GET /v1/files/ID/content``: what was sent, or what became of a batch's lines."""
    file, database = await _named(gateway, exchange, record)
    if not file.batch:
        await exchange.begin(_HEADERS)
        async for part in content_of(database, file):
            await exchange.write(part)
        await exchange.end()
        return
    batch = await database.transact(partial(statements.batch, file.key, file.batch))
    if batch is None:
        raise _no_file(file.id)
    await exchange.begin(_HEADERS)
    async for line in all_lines(database, batch.id):
        if file.id == _file_of(batch, line):
            await exchange.write(written(batch, line, batch.status))
    await exchange.end()


def _file_of(batch: Batch, line: Any) -> str | None:
    return batch.output_file if kind_of(line) == "output" else batch.error_file


async def _named(gateway: Gateway, exchange: Exchange, record: Record) -> tuple[File, Database]:
    """Return the file that an address names.

    Raises:
        Failed: this key has none such.
    """
    key, database = await of_key(gateway, exchange, record)
    id = exchange.path.split("/files/")[1].partition("/")[0]
    found = await database.transact(partial(statements.file, key, id))
    if found is None:
        raise _no_file(id)
    return found, database


def _no_file(id: str) -> Failed:
    return Failed(404, f"this key has no file {quoted(id[:80])}", code="file_not_found")


def page(exchange: Exchange) -> tuple[str, int, dict[str, str]]:
    """Read which part of a list is asked for: after which id, how many, and what else is said.

    Raises:
        InputError: the number is none.
    """
    told = parse_qs(exchange.scope.get("query_string", b"").decode("latin-1"), max_num_fields=20)
    last = {name: values[-1] for name, values in told.items()}
    most = last.get("limit", str(_PAGE))
    if not most.isdecimal() or len(most) > 6 or int(most) < 1:
        raise InputError("limit must be a whole number of at least 1")
    return last.get("after", ""), min(int(most), _LONGEST_PAGE), last


async def listed(database: Database, asked: Callable[[], Work[list[T]]]) -> list[T]:
    """Read a part of a list.

    Raises:
        Failed: what it is to go on after is not there.
    """
    try:
        return await database.transact(asked)
    except statements.NotListed as error:
        raise Failed(404, str(error), code="not_listed", param="after") from None


def as_list(values: list[dict[str, Any]], most: int) -> dict[str, Any]:
    """Put a page of a list together, of which one more was read."""
    shown = values[:most]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(values) > most,
    }


async def _tell(exchange: Exchange, value: dict[str, Any]) -> None:
    await exchange.reply(200, msgspec.json.encode(value))
