"""How the limits of keys stand, by all workers together: read while somebody watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workspan.errors import StoreError
from workspan.serve.store.base import Spending, Store
from workspan.serve.store.keys import Key
from workspan.serve.store.limits import amount_of

MOST = 200
"""Keys that are shown."""


async def standings(store: Store, now: float) -> list[dict[str, Any]] | None:
    """Return each limited key with its limits; None where the store can't be asked now."""
    try:
        found = await store.standings(now)
    except StoreError:
        return None
    return [_of_key(one.key, spendings) for one, spendings in found if spendings][:MOST]


def _of_key(key: Key, spendings: Sequence[Spending]) -> dict[str, Any]:
    return {
        "key": key.id,
        "name": key.name,
        "revoked": key.revoked is not None,
        "limits": _limits(spendings),
    }


def _limits(spendings: Sequence[Spending]) -> list[dict[str, Any]]:
    return [
        {
            "limit": str(one.limit),
            "most": float(amount_of(one.limit.quantity, one.limit.most)),
            "spent": float(amount_of(one.limit.quantity, one.spent)),
            "held": float(amount_of(one.limit.quantity, one.held)),
        }
        for one in spendings
    ]
