"""Trajectories in the store: accounts below a key, which no secret opens, and how they are found.

A trajectory with a budget is a row of `keys` with a parent: its limits, windows and leases are what
those of keys are, and nothing of a worker's exchange knows of a difference. What one has spent that
makes room for others is kept for as long as anything finds it: it goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from workspan.errors import Refused
from workspan.serve.store.limits import Limit, in_order
from workspan.store.statement import LOCK, Rows, Statement, Work

MOST_OF_KEY = 10_000
"""Trajectories with a budget that one key has in the store at a time."""
KEPT_SECONDS = 30 * 86_400.0
"""After which one is forgotten that no request was of: its name then begins another."""
PREFIXES_KEPT_SECONDS = 86_400.0
"""Of what turns left behind: a row each."""
MOST_ALIKE = 64
"""Trajectories that were told the same so far and are kept apart."""
_SPENDINGS_KEPT_SECONDS = 2 * PREFIXES_KEPT_SECONDS
"""After one that nobody named was dropped: by then nothing finds it."""
_UNHELD = (
    "NOT EXISTS (SELECT 1 FROM windows JOIN leases ON leases.window_id = windows.id "
    "WHERE windows.key = keys.id)"
)
_LAST = "COALESCE((SELECT at FROM trajectory_turns WHERE id = keys.id), created)"
"""When a trajectory's last turn began."""
_AT_ONCE = 500
"""Forgotten in one transaction, at most."""


@dataclass(frozen=True, slots=True)
class StoredTrajectory:
    """The account of one trajectory, as all workers know it."""

    id: str
    key: str
    """Whose it is."""
    name: str
    limits: tuple[Limit, ...]
    created: int
    """In seconds of UTC's epoch."""
    is_found: bool = False
    """Nobody named it: where there are too many, it makes room."""
    turns: int = 0
    """That were begun, by all workers."""


def begin(one: StoredTrajectory, *, is_stated: bool = False) -> Work[StoredTrajectory]:
    """Begin a turn: keep its trajectory, unless it is there, and return it as it was begun.

    One without limits is looked for, and its turns are counted alone.

    Args:
        one: as the turn would begin it; `created` is now.
        is_stated: its client states the limits. Where it was begun with others the turn is none.

    Raises:
        Refused: the key has too many.
    """
    there = yield from _begun(one)
    if is_stated and there.limits != one.limits:
        return there
    [(turns,)] = yield Statement(
        "INSERT INTO trajectory_turns (id, turns, at, is_found) VALUES (?, 1, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET turns = trajectory_turns.turns + 1, at = excluded.at "
        "RETURNING turns",
        (one.id, one.created, int(one.is_found)),
    )
    return replace(there, turns=int(turns))


def _begun(one: StoredTrajectory) -> Work[StoredTrajectory]:
    if (there := (yield from _found(one))) is not None or not one.limits:
        return there or one
    [(count,)] = yield Statement("SELECT COUNT(*) FROM keys WHERE parent = ?", (one.key,))
    if count >= MOST_OF_KEY and not (yield from _make_room(one.key, one.created)):
        said = f"the key has {MOST_OF_KEY} trajectories with a budget already: name one of them"
        raise Refused(said, code="too_many_trajectories", limit="trajectories", retry_after=None)
    made = yield Statement(
        "INSERT INTO keys (id, name, hash, models, created, expires, revoked, parent, is_found) "
        "VALUES (?, ?, '', '[]', ?, NULL, NULL, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id",
        (one.id, one.name, one.created, one.key, int(one.is_found)),
    )
    if made:
        yield Statement(
            "INSERT INTO limits (key, quantity, period, most) VALUES (?, ?, ?, ?)",
            [(one.id, limit.quantity, limit.period, limit.most) for limit in one.limits],
            is_many=True,
        )
    there = yield from _found(one)
    assert there is not None  # this transaction made it, or waited for the one that did
    return there


def _found(one: StoredTrajectory) -> Work[StoredTrajectory | None]:
    rows = yield Statement(
        "SELECT name, created, is_found FROM keys WHERE id = ? AND parent = ?", (one.id, one.key)
    )
    if not rows:
        return None
    [(name, created, is_found)] = rows
    limits = yield Statement("SELECT quantity, period, most FROM limits WHERE key = ?", (one.id,))
    held = in_order(Limit(*row) for row in limits)
    return StoredTrajectory(one.id, one.key, name, held, created, bool(is_found))


def forget(now: float) -> Work[bool]:
    """Drop some trajectories that no turn was of in long, and of what is kept beside them.

    Returns:
        Whether more of it may be left.
    """
    of_prefixes = yield from _few("endings", now - PREFIXES_KEPT_SECONDS)
    of_spendings = yield from _few("trajectory_spendings", now - _SPENDINGS_KEPT_SECONDS)
    is_more = of_prefixes or of_spendings
    for is_found, kept in ((0, KEPT_SECONDS), (1, PREFIXES_KEPT_SECONDS)):
        before = now - kept
        old = yield Statement(
            f"SELECT id FROM keys WHERE parent IS NOT NULL AND is_found = ? AND {_LAST} < ? "
            f"AND created < ? AND {_UNHELD} LIMIT {_AT_ONCE}",
            (is_found, before, before),
        )
        yield from _drop(old, now if is_found else None)
        turns = yield from _few("trajectory_turns", before, f" AND is_found = {is_found}")
        is_more = is_more or turns or len(old) == _AT_ONCE
    return is_more


def _few(table: str, before: float, which: str = "") -> Work[bool]:
    """Drop some rows that are too old; say if others may be left."""
    found = f"SELECT id FROM {table} WHERE at < ?{which} LIMIT {_AT_ONCE}"
    gone = yield Statement(
        f"DELETE FROM {table} WHERE id IN ({found}) AND at < ?{which} RETURNING id",
        (before, before),
    )
    return len(gone) >= _AT_ONCE


def _make_room(key: str, now: float) -> Work[bool]:
    """Drop what nobody named and was not gone on with for longest; False where there is none."""
    old = yield Statement(
        f"SELECT id FROM keys WHERE parent = ? AND is_found = 1 AND {_UNHELD} "
        f"ORDER BY {_LAST}, id LIMIT {_AT_ONCE}",
        (key,),
    )
    yield from _drop(old, now)
    return bool(old)


def _drop(old: Rows, now: float | None) -> Work[None]:
    """Drop trajectories; what they have spent is kept where something may find them yet."""
    if not old:
        return
    if now is not None:
        yield Statement(
            "INSERT INTO trajectory_spendings (id, quantity, spent, at) "
            "SELECT key, quantity, spent, ? FROM windows WHERE key = ? AND spent > 0 "
            "ON CONFLICT (id, quantity) DO UPDATE SET spent = excluded.spent, at = excluded.at",
            [(now, *one) for one in old],
            is_many=True,
        )
    for text in (
        "DELETE FROM windows WHERE key = ?",
        "DELETE FROM limits WHERE key = ?",
        "DELETE FROM keys WHERE id = ?",
    ):
        yield Statement(text, old, is_many=True)


def remember(prefixes: Sequence[str], trajectory: str, now: float) -> Work[None]:
    """Keep what a turn left behind: whatever goes on from it is of the same trajectory.

    Others may have come to the same words: each is kept, so many of them at a time.
    """
    yield Statement(
        "INSERT INTO endings (id, trajectory, at, taken) VALUES (?, ?, ?, 0) "
        "ON CONFLICT (id, trajectory) DO UPDATE SET at = excluded.at",
        [(one, trajectory, now) for one in prefixes],
        is_many=True,
    )
    yield Statement(
        "DELETE FROM endings WHERE id = ? AND trajectory IN (SELECT trajectory FROM endings "
        "WHERE id = ? ORDER BY taken, at DESC, trajectory LIMIT 1000 OFFSET ?)",
        [(one, one, MOST_ALIKE) for one in prefixes],
        is_many=True,
    )


def follow(prefixes: Sequence[str], *, in_pairs: bool = False) -> Work[str | None]:
    """Return the trajectory of the first of some prefixes that is known; None where none is.

    Where they come `in_pairs` (see `prefix.apart`), it is gone on with in both of its pair.

    Of several that stand there the one is taken that was gone on with least, and longest ago: so
    two that were told the same to the letter stay two.
    """
    some = list(prefixes)[:_AT_ONCE]
    if not some:
        return None
    marks = ", ".join("?" * len(some))
    rows = yield Statement(
        f"SELECT id, taken, at, trajectory FROM endings WHERE id IN ({marks}) "
        f"ORDER BY id, trajectory{LOCK}",
        tuple(some),
    )
    known: dict[str, list[tuple[Any, ...]]] = {}
    for id, *rest in rows:
        known.setdefault(id, []).append(tuple(rest))
    first = next((one for one in some if one in known), None)
    if first is None:
        return None
    *_, found = min(known[first])
    pair = some.index(first) // 2 * 2
    both = some[pair : pair + 2] if in_pairs else [first]
    yield Statement(
        "UPDATE endings SET taken = taken + 1 WHERE id = ? AND trajectory = ?",
        [(one, found) for one in both],
        is_many=True,
    )
    return str(found)
