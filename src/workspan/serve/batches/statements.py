"""What the store does with files and batches, as statements that each driver runs.

What is large comes and goes in parts (`parts`): a file is there once it is whole, and a batch once
it is no longer "validating".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from workspan.errors import InputError
from workspan.serve.batches.records import OPEN, Batch, Counts, File, Line, Status
from workspan.serve.batches.results import KINDS, Kind
from workspan.store.statement import LOCK, Rows, Statement, Work

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


class NotListed(InputError):
    """A list is to go on after what is not in it."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a key has here."""

    files: int
    """That it sent."""
    bytes: int
    """Of all its files, those of results among them."""
    open: int
    """Batches that are not done, those that are being kept among them."""
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
        f"SELECT COALESCE(SUM(CASE WHEN status IN ({_OPEN}, 'validating') THEN 1 ELSE 0 END), 0), "
        "COUNT(*) FROM batches WHERE key = ?",
        (key,),
    )
    return Held(int(files), int(size), int(count), int(all))


def add_file(file: File, *, is_whole: bool) -> Work[None]:
    """Keep a file; one whose content is still to come, or is in lines, has none of its own."""
    yield Statement(
        f"INSERT INTO files ({_FILE}, is_whole) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(file.id, file.key, file.name, file.purpose),
            *(file.batch, file.created, file.expires, file.bytes, int(is_whole)),
        ),
    )


def add_part(file: str, place: int, content: str) -> Work[None]:
    """Keep a part of a file's content."""
    yield Statement(
        "INSERT INTO file_parts (file, place, content) VALUES (?, ?, ?)", (file, place, content)
    )


def finish_file(id: str) -> Work[None]:
    """Let a file be there: all of its parts are."""
    yield Statement("UPDATE files SET is_whole = 1 WHERE id = ?", (id,))


def file(key: str, id: str) -> Work[File | None]:
    """Return a key's file."""
    found = yield Statement(
        f"SELECT {_FILE} FROM files WHERE id = ? AND key = ? AND is_whole = 1", (id, key)
    )
    return File(*found[0]) if found else None


def part(id: str, place: int) -> Work[str | None]:
    """Return a part of what a client sent; None behind the last."""
    found = yield Statement(
        "SELECT content FROM file_parts WHERE file = ? AND place = ?", (id, place)
    )
    return str(found[0][0]) if found else None


def files(key: str, purpose: str, after: str, most: int) -> Work[list[File]]:
    """Return a key's files, the latest first, those after one of them."""
    of_purpose, given = (" AND purpose = ?", (purpose,)) if purpose else ("", ())
    found = yield from _page("files", _FILE, f"is_whole = 1{of_purpose}", given, key, after, most)
    return [File(*row) for row in found]


def _page(
    table: str, columns: str, which: str, given: tuple[Any, ...], key: str, after: str, most: int
) -> Work[Rows]:
    """Return so many of a key's rows, the latest first, those after one that is named.

    Raises:
        NotListed: there is none such: the first page would be read again without end.
    """
    if after:
        before = yield Statement(
            f"SELECT created, id FROM {table} WHERE id = ? AND key = ?", (after, key)
        )
        if not before:
            raise NotListed("after is an id of this list: that one is not there, list anew")
        [(created, id)] = before
        which += " AND (created < ? OR (created = ? AND id < ?))"
        given += (created, created, id)
    return (
        yield Statement(
            f"SELECT {columns} FROM {table} WHERE key = ? AND {which} "
            "ORDER BY created DESC, id DESC LIMIT ?",
            (key, *given, most),
        )
    )


def hide_file(key: str, id: str) -> Work[bool]:
    """Let a file be there no more; what it holds is dropped after that, part by part."""
    found = yield Statement(
        "UPDATE files SET is_whole = 0 WHERE id = ? AND key = ? RETURNING id", (id, key)
    )
    return bool(found)


def drop_some(id: str, parts: int, lines: int) -> Work[bool]:
    """Drop so many parts of a file, or lines of the results that it shows; say if some are left.

    A batch keeps what it has read of a file.
    """
    gone = yield Statement(
        "DELETE FROM file_parts WHERE file = ? AND place IN (SELECT place FROM file_parts "
        "WHERE file = ? ORDER BY place LIMIT ?) RETURNING place",
        (id, id, parts),
    )
    if gone:
        return True
    for column, which in (("output_file", "status = 200"), ("error_file", _NO_ANSWER)):
        batches = yield Statement(
            "SELECT id FROM batches WHERE id = (SELECT batch FROM files WHERE files.id = ?) "
            f"AND {column} = ?",
            (id, id),
        )
        for (batch,) in batches:
            if (yield from drop_lines(batch, lines, which)):
                return True
    return False


def drop_lines(batch: str, most: int, which: str = "1 = 1") -> Work[bool]:
    """Drop so many lines of a batch; say whether there were any."""
    gone = yield Statement(
        "DELETE FROM batch_lines WHERE batch = ? AND place IN (SELECT place FROM batch_lines "
        f"WHERE batch = ? AND {which} LIMIT ?) RETURNING place",
        (batch, batch, most),
    )
    return bool(gone)


def drop_file(id: str) -> Work[None]:
    """Forget a file of which nothing is left."""
    yield Statement("DELETE FROM files WHERE id = ?", (id,))


def add_batch(batch: Batch) -> Work[None]:
    """Keep a new batch, without its lines."""
    yield Statement(
        f"INSERT INTO batches ({_BATCH}, worker, beat) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, '', 0)",
        (
            *(batch.id, batch.key, batch.input_file, batch.endpoint, batch.window),
            *(json.dumps(dict(batch.metadata)), batch.status, json.dumps(batch.errors)),
            *(batch.total, batch.created, batch.expires, batch.cancelling, batch.ended),
        ),
    )


def add_lines(batch: str, lines: Sequence[Line]) -> Work[None]:
    """Keep some lines of a new batch."""
    yield Statement(
        "INSERT INTO batch_lines (batch, place, custom_id, body, tries, request, status, reply)"
        " VALUES (?, ?, ?, ?, 0, '', NULL, '')",
        [(batch, one.place, one.custom_id, one.body) for one in lines],
        is_many=True,
    )


def begin_batch(id: str) -> Work[None]:
    """Let a batch be there, and be taken up: all of its lines are."""
    yield Statement(
        "UPDATE batches SET status = 'in_progress' WHERE id = ? AND status = 'validating'", (id,)
    )


def batch(key: str | None, id: str) -> Work[Batch | None]:
    """Return a batch, of one key or of any, as it stands."""
    of_key, given = ("", ()) if key is None else (" AND key = ?", (key,))
    found = yield Statement(
        f"SELECT {_BATCH} FROM batches WHERE id = ? AND status <> 'validating'{of_key}",
        (id, *given),
    )
    if not found:
        return None
    return (yield from standing(_batch(found[0])))


def batches(key: str, after: str, most: int) -> Work[list[Batch]]:
    """Return a key's batches, the latest first, those after one of them.

    What is done in them is not counted: see `standing`.
    """
    found = yield from _page("batches", _BATCH, "status <> 'validating'", (), key, after, most)
    return [_batch(row) for row in found]


def _batch(row: Sequence[Any]) -> Batch:
    id, key, file, endpoint, window, metadata, status, errors, *rest = row
    told = (json.loads(metadata), status, json.loads(errors))
    return Batch(id, key, file, endpoint, window, *told, *rest)


def standing(batch: Batch) -> Work[Batch]:
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
    for one in results.values():
        yield from add_file(one, is_whole=True)


def empty_some(batch: str, most: int) -> Work[bool]:
    """Drop what so many lines asked that will not be asked; say whether there were any."""
    gone = yield Statement(
        "UPDATE batch_lines SET body = '' WHERE batch = ? AND place IN (SELECT place "
        "FROM batch_lines WHERE batch = ? AND status IS NULL AND body <> '' LIMIT ?) "
        "RETURNING place",
        (batch, batch, most),
    )
    return bool(gone)


def too_old(now: int) -> Work[tuple[list[tuple[str, str]], list[str]]]:
    """Return some files whose time is over, with their keys, and batches of which nothing is read.

    So are those that never became whole: whoever was to keep them has died.
    """
    died = now - _WHOLE_SECONDS
    files = yield Statement(
        "SELECT key, id FROM files WHERE expires <= ? OR (is_whole = 0 AND created < ?) LIMIT ?",
        (now, died, _AT_ONCE),
    )
    batches = yield Statement(
        "SELECT id FROM batches WHERE (status = 'validating' AND created < ?) "
        f"OR (status NOT IN ({_OPEN}, 'validating') AND ended < ? "
        "AND id NOT IN (SELECT batch FROM files)) LIMIT ?",
        (died, now - _KEPT, _AT_ONCE),
    )
    return [(key, id) for key, id in files], [id for (id,) in batches]


def drop_batch(id: str) -> Work[None]:
    """Forget a batch without lines."""
    yield Statement("DELETE FROM batches WHERE id = ?", (id,))


_KEPT = 30 * 86_400
"""Seconds for which a batch that is done can be seen."""
_WHOLE_SECONDS = 3_600
"""After which what is not whole will never be."""
_AT_ONCE = 50
