"""What the store does with files and batches, as statements that each driver runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from workspan.serve.batches.records import OPEN, Batch, Counts, File, Line, Status
from workspan.serve.batches.results import KINDS, Kind
from workspan.store.statement import LOCK, Statement, Work

_FILE = "id, key, name, purpose, batch, created, expires, bytes"
_BATCH = (
    "id, key, input_file, endpoint, completion_window, metadata, status, errors, total, created, "
    "expires, cancelling, ended, output_file, error_file"
)
_LINE = "place, custom_id, body, tries, request, status, reply"
_NO_ANSWER = "(status IS NULL OR status <> 200)"
OF_KEY = 4
"""Batches of one key that are run at a time: others' are not behind all of its."""
_OPEN = ", ".join(f"'{one}'" for one in OPEN)


Mine: TypeAlias = dict[str, Status]
"""How a worker's batches stand, by their ids."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a key has here."""

    files: int
    """That it sent."""
    bytes: int
    """Of all its files, those of results among them."""
    open: int
    """Batches that are not done."""
    batches: int
    """All of them."""


def held(key: str) -> Work[Held]:
    """Return what a key has here."""
    [(files, size)] = yield Statement(
        "SELECT COALESCE(SUM(CASE WHEN batch = '' THEN 1 ELSE 0 END), 0), "
        "COALESCE(SUM(bytes), 0) FROM files WHERE key = ?",
        (key,),
    )
    [(count, all)] = yield Statement(
        f"SELECT COALESCE(SUM(CASE WHEN status IN ({_OPEN}) THEN 1 ELSE 0 END), 0), COUNT(*) "
        "FROM batches WHERE key = ?",
        (key,),
    )
    return Held(int(files), int(size), int(count), int(all))


def add_file(file: File, content: str | None) -> Work[None]:
    """Keep a file; one of results has no content of its own."""
    yield Statement(
        f"INSERT INTO files ({_FILE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(file.id, file.key, file.name, file.purpose),
            *(file.batch, file.created, file.expires, file.bytes),
        ),
    )
    if content is not None:
        yield Statement(
            "INSERT INTO file_contents (file, content) VALUES (?, ?)", (file.id, content)
        )


def file(key: str, id: str) -> Work[File | None]:
    """Return a key's file."""
    found = yield Statement(f"SELECT {_FILE} FROM files WHERE id = ? AND key = ?", (id, key))
    return File(*found[0]) if found else None


def content(id: str) -> Work[str]:
    """Return what a client sent."""
    found = yield Statement("SELECT content FROM file_contents WHERE file = ?", (id,))
    return str(found[0][0]) if found else ""


def files(key: str, purpose: str, after: str, most: int) -> Work[list[File]]:
    """Return a key's files, the latest first, those after one of them."""
    found = yield Statement(
        f"SELECT {_FILE} FROM files WHERE key = ? ORDER BY created DESC, id DESC", (key,)
    )
    told = [one for one in (File(*row) for row in found) if purpose in ("", one.purpose)]
    return _after(told, after, most)


def _after(told: list[Any], after: str, most: int) -> list[Any]:
    """Return so many of a list, those after one that is named."""
    names = [one.id for one in told]
    start = names.index(after) + 1 if after in names else 0
    return told[start : start + most]


def drop_file(key: str, id: str) -> Work[bool]:
    """Forget a file: of results the lines themselves; a batch keeps what it has read of one."""
    for column, which in (("output_file", "status = 200"), ("error_file", _NO_ANSWER)):
        yield Statement(
            f"DELETE FROM batch_lines WHERE {which} AND batch IN "
            f"(SELECT id FROM batches WHERE key = ? AND {column} = ?)",
            (key, id),
        )
    yield Statement(
        "DELETE FROM file_contents WHERE file IN (SELECT id FROM files WHERE id = ? AND key = ?)",
        (id, key),
    )
    found = yield Statement("DELETE FROM files WHERE id = ? AND key = ? RETURNING id", (id, key))
    return bool(found)


def add_batch(batch: Batch, lines: Sequence[Line]) -> Work[None]:
    """Keep a new batch with its lines."""
    yield Statement(
        f"INSERT INTO batches ({_BATCH}, worker, beat) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, '', 0)",
        (
            *(batch.id, batch.key, batch.input_file, batch.endpoint, batch.window),
            *(json.dumps(dict(batch.metadata)), batch.status, json.dumps(batch.errors)),
            *(batch.total, batch.created, batch.expires, batch.cancelling, batch.ended),
        ),
    )
    if lines:
        yield Statement(
            "INSERT INTO batch_lines (batch, place, custom_id, body, tries, request, status, reply)"
            " VALUES (?, ?, ?, ?, 0, '', NULL, '')",
            [(batch.id, one.place, one.custom_id, one.body) for one in lines],
            is_many=True,
        )


def batch(key: str | None, id: str) -> Work[Batch | None]:
    """Return a batch, of one key or of any, as it stands."""
    of_key, given = ("", ()) if key is None else (" AND key = ?", (key,))
    found = yield Statement(f"SELECT {_BATCH} FROM batches WHERE id = ?{of_key}", (id, *given))
    if not found:
        return None
    return (yield from _standing(_batch(found[0])))


def batches(key: str, after: str, most: int) -> Work[list[Batch]]:
    """Return a key's batches, the latest first, those after one of them."""
    found = yield Statement(
        f"SELECT {_BATCH} FROM batches WHERE key = ? ORDER BY created DESC, id DESC", (key,)
    )
    told = []
    for one in _after([_batch(row) for row in found], after, most):
        standing = yield from _standing(one)
        told.append(standing)
    return told


def _batch(row: Sequence[Any]) -> Batch:
    id, key, file, endpoint, window, metadata, status, errors, *rest = row
    told = (json.loads(metadata), status, json.loads(errors))
    return Batch(id, key, file, endpoint, window, *told, *rest)


def _standing(batch: Batch) -> Work[Batch]:
    """Count what is done; of one that has ended that was counted, and its lines may be gone."""
    counted = yield Statement("SELECT answered, refused FROM batches WHERE id = ?", (batch.id,))
    if counted and counted[0][0] is not None:
        return replace(batch, counts=Counts(*map(int, counted[0])))
    counts = yield Statement(
        "SELECT SUM(CASE WHEN status = 200 THEN 1 ELSE 0 END), COUNT(status) FROM batch_lines "
        "WHERE batch = ?",
        (batch.id,),
    )
    good, done = (int(one or 0) for one in counts[0])
    return replace(batch, counts=Counts(good, done - good))


def cancel(key: str, id: str, now: int) -> Work[None]:
    """Let a batch end that is not done."""
    yield Statement(
        "UPDATE batches SET status = 'cancelling', cancelling = ? "
        "WHERE id = ? AND key = ? AND status = 'in_progress'",
        (now, id, key),
    )


def look(worker: str, now: float, silent_since: float, most: int) -> Work[Mine]:
    """Give a sign of life, and take up batches that nobody runs.

    Args:
        worker: who looks.
        now: in seconds of UTC's epoch.
        silent_since: whose worker gave no sign since then counts as run by nobody.
        most: batches that the worker may run at a time.

    Returns:
        Its batches: how each stands.
    """
    before = yield from _beat(worker, now)
    room = most - len(before)
    if room <= 0:
        return before
    new = yield from _claim(worker, now, silent_since, room)
    return before | new


def _claim(worker: str, now: float, silent_since: float, most: int) -> Work[Mine]:
    """Take batches up, the oldest first; of one key no more than it may have run at a time.

    What is only to be closed, since it was cancelled or its time is over, does not wait for those.
    """
    found = yield Statement(
        f"SELECT id, status FROM batches WHERE status IN ({_OPEN}) AND (worker = '' OR beat < ?) "
        "AND (status = 'cancelling' OR expires <= ? OR (SELECT COUNT(*) FROM batches AS older "
        f"WHERE older.key = batches.key AND older.status IN ({_OPEN}) "
        "AND (older.created < batches.created "
        "OR (older.created = batches.created AND older.id < batches.id))) < ?) "
        f"ORDER BY created, id LIMIT ?{LOCK}",
        (silent_since, now, OF_KEY, most),
    )
    for id, _ in found:
        yield Statement("UPDATE batches SET worker = ?, beat = ? WHERE id = ?", (worker, now, id))
    return {str(id): status for id, status in found}


def _beat(worker: str, now: float) -> Work[Mine]:
    mine = yield Statement(
        f"SELECT id, status FROM batches WHERE worker = ? AND status IN ({_OPEN})", (worker,)
    )
    if mine:
        yield Statement("UPDATE batches SET beat = ? WHERE worker = ?", (now, worker))
    return {str(id): status for id, status in mine}


def put_back(batch: str, place: int) -> Work[None]:
    """Take back that a line was tried: it came to nothing, and nobody died of it."""
    yield Statement(
        "UPDATE batch_lines SET tries = tries - 1 "
        "WHERE batch = ? AND place = ? AND status IS NULL AND tries > 0",
        (batch, place),
    )


def release(worker: str) -> Work[None]:
    """Let others take up what a worker ran, and has ended of its own accord."""
    yield Statement(
        "UPDATE batch_lines SET tries = 0 WHERE status IS NULL AND tries > 0 "
        "AND batch IN (SELECT id FROM batches WHERE worker = ?)",
        (worker,),
    )
    yield Statement("UPDATE batches SET worker = '' WHERE worker = ?", (worker,))


def todo(batch: str, after: int, most: int) -> Work[list[Line]]:
    """Return lines that have no reply; each counts as tried from now on."""
    found = yield Statement(
        f"SELECT {_LINE} FROM batch_lines WHERE batch = ? AND place > ? AND status IS NULL "
        "ORDER BY place LIMIT ?",
        (batch, after, most),
    )
    lines = [Line(*row) for row in found]
    if lines:
        yield Statement(
            "UPDATE batch_lines SET tries = tries + 1 "
            "WHERE batch = ? AND place >= ? AND place <= ? AND status IS NULL",
            (batch, lines[0].place, lines[-1].place),
        )
    return lines


def answer(batch: str, place: int, request: str, status: int, reply: str) -> Work[bool]:
    """Keep a line's reply, the first that comes; say whether it was."""
    found = yield Statement(
        "UPDATE batch_lines SET request = ?, status = ?, reply = ?, body = '' "
        "WHERE batch = ? AND place = ? AND status IS NULL RETURNING place",
        (request, status, reply, batch, place),
    )
    return bool(found)


def lines(batch: str, after: int, most: int) -> Work[list[Line]]:
    """Return lines with what became of them, in their order."""
    found = yield Statement(
        f"SELECT {_LINE} FROM batch_lines WHERE batch = ? AND place > ? ORDER BY place LIMIT ?",
        (batch, after, most),
    )
    return [Line(*row) for row in found]


def end(id: str, status: Status, now: int, results: Mapping[Kind, File]) -> Work[None]:
    """Close a batch with the files of its results; once."""
    ids = [results[kind].id if kind in results else None for kind in KINDS]
    found = yield Statement(
        "UPDATE batches SET status = ?, ended = ?, worker = '', output_file = ?, error_file = ?, "
        "answered = (SELECT COUNT(*) FROM batch_lines WHERE batch = batches.id AND status = 200), "
        "refused = (SELECT COUNT(*) FROM batch_lines WHERE batch = batches.id AND status <> 200) "
        f"WHERE id = ? AND status IN ({_OPEN}) RETURNING id",
        (status, now, *ids, id),
    )
    if not found:
        return
    yield Statement("UPDATE batch_lines SET body = '' WHERE batch = ? AND body <> ''", (id,))
    for one in results.values():
        yield from add_file(one, None)


def purge(now: int) -> Work[None]:
    """Forget files whose time is over, and batches of which nothing is left to be read."""
    yield Statement(
        "DELETE FROM file_contents WHERE file IN (SELECT id FROM files WHERE expires <= ?)", (now,)
    )
    yield Statement("DELETE FROM files WHERE expires <= ?", (now,))
    gone = (
        f"SELECT id FROM batches WHERE status NOT IN ({_OPEN}) AND ended < ? "
        "AND id NOT IN (SELECT batch FROM files)"
    )
    yield Statement(f"DELETE FROM batch_lines WHERE batch IN ({gone})", (now - _KEPT,))
    yield Statement(f"DELETE FROM batches WHERE id IN ({gone})", (now - _KEPT,))


_KEPT = 30 * 86_400
"""Seconds for which a batch that is done can be seen."""
