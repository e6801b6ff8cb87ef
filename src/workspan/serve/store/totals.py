"""What a key's requests came to in all: of the rows that are kept, and of those that were dropped.

A row is added to the totals in the transaction that drops it. Sums are kept and made in two parts,
so that none passes 64 bits, whatever an engine bills.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workspan.serve.store.base import Totals
from workspan.store.statement import LOCK, Statement, Work

_PART = 10**6
_SUMMED: Mapping[str, str] = {
    "requests": "1",
    "failed": "CASE WHEN status >= 400 THEN 1 ELSE 0 END",
    "work": "work",
    "calls": "calls",
    "prefill": "prefill",
    "cached": "cached",
    "cost": "cost",
    "unpriced": "CASE WHEN cost IS NULL THEN 1 ELSE 0 END",
}
"""What is added up, by its name, of each row."""
_SUMS = ", ".join(
    f"COALESCE(SUM(({what}) / {_PART}), 0), COALESCE(SUM(({what}) % {_PART}), 0)"
    for what in _SUMMED.values()
)


def totals(key: str) -> Work[Totals]:
    """Return what all requests of a key came to, those that were dropped among them."""
    [row] = yield Statement(f"SELECT {_SUMS} FROM requests WHERE key = ?", (key,))
    past = yield Statement(
        "SELECT quantity, large, small FROM request_totals WHERE key = ?", (key,)
    )
    found = dict(zip(_SUMMED, _whole(row), strict=True))
    for quantity, large, small in past:
        found[quantity] += int(large) * _PART + int(small)
    return Totals(**found)


def drop_requests(before: float, most: int) -> Work[bool]:
    """Drop the oldest rows, at most so many, that came before a moment; say if some may be left."""
    old = yield Statement(
        f"SELECT id FROM requests WHERE at < ? ORDER BY at, id LIMIT ?{LOCK}", (before, most)
    )
    if not old:
        return False
    ids = tuple(id for (id,) in old)
    marks = ", ".join("?" * len(ids))
    sums = yield Statement(
        f"SELECT key, {_SUMS} FROM requests WHERE id IN ({marks}) GROUP BY key ORDER BY key", ids
    )
    yield Statement(
        "INSERT INTO request_totals (key, quantity, large, small) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (key, quantity) DO UPDATE SET "
        "large = request_totals.large + excluded.large, "
        "small = request_totals.small + excluded.small",
        [
            (key, quantity, amount // _PART, amount % _PART)
            for key, *row in sums
            for quantity, amount in zip(_SUMMED, _whole(row), strict=True)
        ],
        is_many=True,
    )
    yield Statement(f"DELETE FROM requests WHERE id IN ({marks})", ids)
    return len(ids) == most


def _whole(row: Iterable[Any]) -> list[int]:
    """Put sums together that were made in two parts."""
    parts = [int(one) for one in row]
    return [large * _PART + small for large, small in zip(parts[::2], parts[1::2], strict=True)]
