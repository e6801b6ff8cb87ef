"""What a store of keys does, as statements that each driver runs (`workspan.store.statement`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from msgspec import structs

from workspan.lab.advising.kept import drop_old as drop_shadowed
from workspan.serve.store.base import (
    Ask,
    Batch,
    KeyUsage,
    Row,
    Spending,
    Standing,
)
from workspan.serve.store.keys import Key, StoredKey
from workspan.serve.store.leasing import Position
from workspan.serve.store.limits import Limit, in_order, window_start
from workspan.serve.store.totals import drop_requests, totals
from workspan.serve.store.trajectories import forget as forget_trajectories
from workspan.store.statement import LOCK, Rows, Statement, Work

Spendings: TypeAlias = tuple[Spending, ...]
_LARGEST = 2**63 - 1
"""That a column takes."""
_AT_ONCE = 500
"""Parameters of one list."""


def add(stored: StoredKey) -> Work[None]:
    """Keep a key with its limits."""
    key = stored.key
    yield Statement(
        "INSERT INTO keys (id, name, hash, models, created, expires, revoked) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key.id, key.name, stored.hash, json.dumps(key.models), key.created, key.expires, None),
    )
    yield from _many(
        "INSERT INTO limits (key, quantity, period, most) VALUES (?, ?, ?, ?)",
        [(key.id, one.quantity, one.period, one.most) for one in key.limits],
    )


def find(id: str | None) -> Work[list[StoredKey]]:
    """Return one key, or all of them; a trajectory is none."""
    of_one, given = (" AND keys.id = ?", (id,)) if id is not None else ("", ())
    keys = yield Statement(
        "SELECT id, name, hash, models, created, expires, revoked FROM keys "
        f"WHERE parent IS NULL{of_one} ORDER BY created, id",
        given,
    )
    limits = yield Statement(
        "SELECT key, quantity, period, most FROM limits JOIN keys ON keys.id = limits.key "
        f"WHERE parent IS NULL{of_one}",
        given,
    )
    held: dict[str, list[Limit]] = {}
    for of, quantity, period, most in limits:
        held.setdefault(of, []).append(Limit(quantity, period, most))
    return [_stored(row, held.get(row[0], ())) for row in keys]


def _stored(row: tuple[Any, ...], limits: Iterable[Limit]) -> StoredKey:
    id, name, hash, models, created, expires, revoked = row
    scope = tuple(json.loads(models))
    return StoredKey(Key(id, name, in_order(limits), scope, created, expires, revoked), hash)


def revoke(id: str, now: int) -> Work[bool]:
    """End a key now, unless it was ended before."""
    found = yield Statement(
        "UPDATE keys SET revoked = COALESCE(revoked, ?) "
        "WHERE id = ? AND parent IS NULL RETURNING id",
        (now, id),
    )
    return bool(found)


def exchange(batch: Batch) -> Work[list[Standing]]:
    """Charge, take back, grant and keep what one batch says.

    Rows are locked in one order by all: the worker's, then windows by their ids, new ones last.
    """
    is_told = yield from _present(batch)
    asks = sorted(batch.asks, key=lambda ask: ask.window.id)
    ids = [ask.window.id for ask in asks]
    before = yield from _positions(batch.worker, ids)
    if new := [ask for ask in asks if ask.window.id not in before]:
        yield from _begin(new, int(batch.now))
        before |= yield from _positions(batch.worker, [ask.window.id for ask in new])
    after = _decided(batch, asks, before, is_told=is_told)
    yield from _write(batch.worker, before, after)
    if not is_told:
        yield from _keep(batch.rows)
    yield Statement(
        "UPDATE workers SET beat = ?, batch = ? WHERE id = ?",
        (batch.now, batch.number, batch.worker),
    )
    wanted = {id: batch.now < one.wanted_until for id, one in before.items()}
    return [
        Standing(id, one.granted, one.spent, one.leased, one.most, wanted[id])
        for id, one in after.items()
    ] + [Standing(id, 0, 0, 0, 0, is_wanted=False) for id in ids if id not in after]


def _decided(
    batch: Batch, asks: Sequence[Ask], before: dict[str, Position], *, is_told: bool
) -> dict[str, Position]:
    """Return how windows stand after a batch; while one of a key's is busy, none of them gives."""
    asks = [ask for ask in asks if ask.window.id in before]
    told = {
        id: before[id] if is_told else before[id].told(ask)
        for id, ask in ((ask.window.id, ask) for ask in asks)
    }
    busy = {ask.window.owner for ask in asks if told[ask.window.id].is_busy(ask)}
    return {
        ask.window.id: told[ask.window.id].granting(
            ask, batch.now, is_held_back=ask.window.owner in busy
        )
        for ask in asks
    }


def _present(batch: Batch) -> Work[bool]:
    """Find or enter the worker; say whether this batch was done before."""
    query = Statement(
        f"SELECT batch, is_lost FROM workers WHERE id = ?{LOCK}",
        (batch.worker,),
    )
    found = yield query
    if not found:
        yield Statement("INSERT INTO workers (id, beat) VALUES (?, ?)", (batch.worker, batch.now))
        return False
    [(done, is_lost)] = found
    if is_lost:
        yield from _revive(batch.worker)
    return bool(done >= batch.number)


def _begin(asks: Sequence[Ask], now: int) -> Work[None]:
    """Make rows of windows that no worker has asked for yet.

    A trajectory that was dropped meanwhile is entered again, with what it had spent where that was
    kept. A limit that is gone has no window: one that could not be made would keep all others from
    being told.
    """
    own = [(ask.window, ask.most) for ask in asks if ask.window.parent]
    yield from _many(
        "INSERT INTO keys (id, name, hash, models, created, parent, is_found) "
        "VALUES (?, '', '', '[]', ?, ?, COALESCE("
        "(SELECT is_found FROM trajectory_turns WHERE id = ?), 0)) ON CONFLICT (id) DO NOTHING",
        [(one.key, now, one.parent, one.key) for one, _ in own],
    )
    yield from _many(
        "INSERT INTO limits (key, quantity, period, most) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (key, quantity, period) DO NOTHING",
        [(one.key, one.quantity, one.period, most) for one, most in own],
    )
    yield from _many(
        "INSERT INTO windows (id, key, quantity, period, began, spent) "
        "SELECT ?, key, quantity, period, ?, COALESCE((SELECT spent FROM trajectory_spendings "
        "WHERE id = limits.key AND quantity = limits.quantity), 0) FROM limits "
        "WHERE key = ? AND quantity = ? AND period = ? ON CONFLICT (id) DO NOTHING",
        [(x.id, x.start, x.key, x.quantity, x.period) for x in (ask.window for ask in asks)],
    )


def _positions(worker: str, ids: Sequence[str]) -> Work[dict[str, Position]]:
    """Lock windows, and read them with a worker's leases.

    First they are locked, then what was locked is read: a row that another worker made in between
    is none of them.
    """
    found: dict[str, Position] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        locked = yield Statement(
            f"SELECT id FROM windows WHERE id IN ({marks}) ORDER BY id{LOCK}", tuple(some)
        )
        if not locked:
            continue
        marks = ", ".join("?" * len(locked))
        rows = yield Statement(
            "SELECT windows.id, spent, leased, most, wanted_until, COALESCE(granted, 0) "
            "FROM windows JOIN limits ON limits.key = windows.key "
            "AND limits.quantity = windows.quantity AND limits.period = windows.period "
            "LEFT JOIN leases ON leases.window_id = windows.id AND leases.worker = ? "
            f"WHERE windows.id IN ({marks})",
            (worker, *(id for (id,) in locked)),
        )
        found |= {id: Position(*rest) for id, *rest in rows}
    return found


def _write(worker: str, before: dict[str, Position], after: dict[str, Position]) -> Work[None]:
    changed = {id: one for id, one in after.items() if one != before[id]}
    yield from _many(
        "UPDATE windows SET spent = ?, leased = ?, wanted_until = ? WHERE id = ?",
        [(one.spent, one.leased, one.wanted_until, id) for id, one in changed.items()],
    )
    yield from _many(
        "INSERT INTO leases (worker, window_id, granted) VALUES (?, ?, ?) "
        "ON CONFLICT (worker, window_id) DO UPDATE SET granted = excluded.granted",
        [(worker, id, one.granted) for id, one in changed.items() if one.granted],
    )
    yield from _many(
        "DELETE FROM leases WHERE worker = ? AND window_id = ?",
        [(worker, id) for id, one in changed.items() if not one.granted],
    )


_COLUMNS = Row.__struct_fields__
_SELECTED = ", ".join(_COLUMNS)


def _keep(rows: Iterable[Row]) -> Work[None]:
    marks = ", ".join("?" * len(_COLUMNS))
    yield from _many(
        f"INSERT INTO requests ({_SELECTED}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING",
        [tuple(map(_bounded, structs.astuple(row))) for row in rows],
    )


def _bounded(value: Any) -> Any:
    """Hold a count to what a database takes: an engine may bill anything."""
    return min(value, _LARGEST) if isinstance(value, int) else value


def rows(since: float, most: int) -> Work[list[Row]]:
    """Return the latest requests."""
    found = yield Statement(
        f"SELECT {_SELECTED} FROM requests WHERE at > ? ORDER BY at DESC LIMIT ?", (since, most)
    )
    return [Row(*row) for row in found]


def reap(now: float, silent_since: float) -> Work[int]:
    """Charge in full what silent workers hold: what they had leased bounds what they used.

    The leases stay, so that a worker that was only cut off takes the charge back when it returns.
    """
    silent = yield Statement(
        f"SELECT id FROM workers WHERE is_lost = 0 AND beat < ? ORDER BY id{LOCK}", (silent_since,)
    )
    yield from _prune(now - _KEPT_SECONDS)
    for (worker,) in silent:
        held = yield from _leases(worker)
        yield from _charge(held, sign=1)
        yield from _keep(_lost_rows(worker, held, now))
        yield Statement("UPDATE workers SET is_lost = 1 WHERE id = ?", (worker,))
    return len(silent)


_KEPT_SECONDS = 86_400


def _prune(before: float) -> Work[None]:
    """Drop windows of minutes and hours that are over and hold nothing, and workers lost long ago.

    What these had leased stays charged: the row of a request that says so may be dropped, too.
    """
    yield Statement(
        "DELETE FROM leases WHERE worker IN "
        "(SELECT id FROM workers WHERE is_lost = 1 AND beat < ?)",
        (before,),
    )
    yield Statement(
        "DELETE FROM windows WHERE period IN ('minute', 'hour') AND began < ? AND leased = 0 "
        "AND id NOT IN (SELECT window_id FROM leases)",
        (before,),
    )
    yield Statement(
        "DELETE FROM workers WHERE is_lost = 1 AND beat < ? "
        "AND id NOT IN (SELECT worker FROM leases)",
        (before,),
    )


def _revive(worker: str) -> Work[None]:
    """Take back what was charged for a worker that had only been cut off: it knows what it used."""
    held = yield from _leases(worker)
    yield from _charge(held, sign=-1)
    yield from _many(
        "DELETE FROM requests WHERE id = ?", [(row.id,) for row in _lost_rows(worker, held, 0)]
    )
    yield Statement("UPDATE workers SET is_lost = 0 WHERE id = ?", (worker,))


def _leases(worker: str) -> Work[Rows]:
    """Lock a worker's windows, and return them with what it holds."""
    ids = yield Statement(
        "SELECT id FROM windows WHERE id IN "
        f"(SELECT window_id FROM leases WHERE worker = ?) ORDER BY id{LOCK}",
        (worker,),
    )
    if not ids:
        return []
    return (
        yield Statement(
            "SELECT window_id, COALESCE(parent, key), quantity, granted FROM leases "
            "JOIN windows ON windows.id = leases.window_id JOIN keys ON keys.id = windows.key "
            "WHERE worker = ? ORDER BY window_id",
            (worker,),
        )
    )


def _charge(held: Rows, *, sign: int) -> Work[None]:
    yield from _many(
        "UPDATE windows SET spent = spent + ?, leased = leased - ? WHERE id = ?",
        [(sign * granted, sign * granted, id) for id, _, _, granted in held],
    )


def _lost_rows(worker: str, held: Rows, now: float) -> list[Row]:
    """Say for each key what was charged for calls that nobody will settle."""
    most: dict[str, dict[str, int]] = {}
    for _, key, quantity, granted in held:
        of_key = most.setdefault(key, {})
        of_key[quantity] = max(of_key.get(quantity, 0), granted)
    return [
        Row(
            f"lost/{worker}/{key}",
            now,
            key,
            "lost",
            status=500,
            work=of_key.get("work", 0),
            calls=of_key.get("calls", 0),
            prefill=of_key.get("prefill", 0),
            cost=of_key.get("cost"),
            source="estimated",
        )
        for key, of_key in most.items()
    ]


def usage(now: float, key: str | None) -> Work[list[KeyUsage]]:
    """Return what each key has spent in its present windows, and in all."""
    found = []
    for one, spendings in (yield from standings(now, key)):
        summed = yield from totals(one.key.id)
        found.append(KeyUsage(one, spendings, summed))
    return found


def standings(now: float, key: str | None = None) -> Work[list[tuple[StoredKey, Spendings]]]:
    """Return how each key's limits stand: read often, so that no request is looked at."""
    stored = yield from find(key)
    found = []
    for one in stored:
        spendings = yield from _spendings(one.key, now)
        found.append((one, spendings))
    return found


def forget(now: float, before: float) -> Work[bool]:
    """Drop some of what is too old, requests from before a moment; say if more may be left."""
    is_more = yield from drop_requests(before, _FORGOTTEN)
    is_more = (yield from drop_shadowed(now)) or is_more
    return (yield from forget_trajectories(now)) or is_more


_FORGOTTEN = 200
"""Rows that are dropped at once: whoever waits for the store waits for no more."""


def _spendings(key: Key, now: float) -> Work[Spendings]:
    spendings = []
    for limit in key.limits:
        start = window_start(limit.period, now)
        rows = yield Statement(
            "SELECT spent, leased FROM windows "
            "WHERE key = ? AND quantity = ? AND period = ? AND began = ?",
            (key.id, limit.quantity, limit.period, start),
        )
        spent, leased = rows[0] if rows else (0, 0)
        spendings.append(Spending(limit, start, spent, leased))
    return tuple(spendings)


def _many(text: str, rows: Sequence[tuple[Any, ...]]) -> Work[None]:
    if rows:
        yield Statement(text, rows, is_many=True)
