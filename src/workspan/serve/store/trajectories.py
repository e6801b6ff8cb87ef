"""Trajectories in the store: accounts below a key, which no secret opens, and how they are found.

A trajectory with a budget is a row of `keys` with a parent: its limits, windows and leases are what
those of keys are, and nothing of a worker's exchange knows of a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workspan.errors import Refused
from workspan.serve.store.limits import Limit, in_order
from workspan.store.statement import Rows, Statement, Work

MOST_OF_KEY = 10_000
"""Trajectories with a budget that one key has in the store at a time."""
KEPT_SECONDS = 30 * 86_400.0
"""After which one is forgotten that no request was of: its name then begins another."""
_PREFIXES_KEPT_SECONDS = 86_400.0
"""Of what turns left behind: a row each."""
_UNHELD = (
    "NOT EXISTS (SELECT 1 FROM windows JOIN leases ON leases.window_id = windows.id "
    "WHERE windows.key = keys.id)"
)
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


def begin(one: StoredTrajectory) -> Work[StoredTrajectory]:
    """Keep a trajectory, unless it is there, and return it as it was begun.

    One without limits is looked for, and not kept.

    Raises:
        Refused: the key has too many.
    """
    if (there := (yield from _found(one))) is not None or not one.limits:
        return there or one
    [(count,)] = yield Statement("SELECT COUNT(*) FROM keys WHERE parent = ?", (one.key,))
    if count >= MOST_OF_KEY and not (yield from _make_room(one.key)):
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


def forget(now: float) -> Work[None]:
    """Drop trajectories that no request has asked for in long, and old prefixes."""
    yield Statement("DELETE FROM prefixes WHERE at < ?", (now - _PREFIXES_KEPT_SECONDS,))
    for is_found, kept in ((0, KEPT_SECONDS), (1, _PREFIXES_KEPT_SECONDS)):
        before = now - kept
        old = yield Statement(
            "SELECT id FROM keys WHERE parent IS NOT NULL AND is_found = ? AND created < ? "
            "AND NOT EXISTS (SELECT 1 FROM requests WHERE trajectory = keys.id AND at >= ?) "
            f"AND {_UNHELD} LIMIT {_AT_ONCE}",
            (is_found, before, before),
        )
        yield from _drop(old)


def _make_room(key: str) -> Work[bool]:
    """Drop what nobody named and was not gone on with for longest; False where there is none."""
    old = yield Statement(
        f"SELECT id FROM keys WHERE parent = ? AND is_found = 1 AND {_UNHELD} ORDER BY COALESCE("
        "(SELECT MAX(at) FROM requests WHERE trajectory = keys.id), created), id "
        f"LIMIT {_AT_ONCE}",
        (key,),
    )
    yield from _drop(old)
    return bool(old)


def _drop(old: Rows) -> Work[None]:
    for text in (
        "DELETE FROM windows WHERE key = ?",
        "DELETE FROM limits WHERE key = ?",
        "DELETE FROM keys WHERE id = ?",
    ):
        if old:
            yield Statement(text, old, is_many=True)


def remember(prefix: str, trajectory: str, now: float) -> Work[None]:
    """Keep what a turn left behind: whatever goes on from it is of the same trajectory."""
    yield Statement(
        "INSERT INTO prefixes (id, trajectory, at) VALUES (?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET at = excluded.at",
        (prefix, trajectory, now),
    )


def follow(prefixes: Sequence[str]) -> Work[str | None]:
    """Return the trajectory of the first of some prefixes that is known; None where none is."""
    some = list(prefixes)[:_AT_ONCE]
    if not some:
        return None
    marks = ", ".join("?" * len(some))
    rows = yield Statement(
        f"SELECT id, trajectory FROM prefixes WHERE id IN ({marks})", tuple(some)
    )
    known: dict[str, str] = dict(rows)
    return next((known[one] for one in some if one in known), None)
