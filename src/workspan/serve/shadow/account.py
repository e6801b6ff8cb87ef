"""The account of shadow calls: a key that nobody can show, with limits of its own in the store."""

from __future__ import annotations

import time
from collections.abc import Sequence

from workspan.serve.store.keys import Key
from workspan.serve.store.limits import Limit
from workspan.store.statement import Statement, Work

ID = "shadow"
"""No key's text names it: an id has twelve letters, and nothing hashes to an empty text."""


def shadow_key(limits: Sequence[Limit]) -> Key:
    """Return the key that shadow calls are charged to."""
    return Key(ID, ID, tuple(limits), created=int(time.time()))


def enter(key: Key) -> Work[None]:
    """Make the key's rows, or set its limits to what is stated now; what was spent stays."""
    yield Statement(
        "INSERT INTO keys (id, name, hash, models, created, expires, revoked) "
        "VALUES (?, ?, '', '[]', ?, NULL, NULL) ON CONFLICT (id) DO NOTHING",
        (key.id, key.name, key.created),
    )
    yield Statement(
        "INSERT INTO limits (key, quantity, period, most) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (key, quantity, period) DO UPDATE SET most = excluded.most",
        [(key.id, one.quantity, one.period, one.most) for one in key.limits],
        is_many=True,
    )
    yield Statement(  # of limits that are no longer stated, those that nothing was spent on
        "DELETE FROM limits WHERE key = ? AND NOT EXISTS (SELECT 1 FROM windows "
        "WHERE windows.key = limits.key AND windows.quantity = limits.quantity "
        "AND windows.period = limits.period) "
        + "".join("AND NOT (quantity = ? AND period = ?) " for _ in key.limits),
        (key.id, *(part for one in key.limits for part in (one.quantity, one.period))),
    )
