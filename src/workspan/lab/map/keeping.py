"""Verdicts in the store: one row a measurement, the latest in the place of those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from workspan.lab.map.rows import Part, Row, sound
from workspan.legible import legible
from workspan.store.database import Database
from workspan.store.statement import Statement, Work

_COLUMNS = tuple(item.name for item in fields(Row) if item.name != "parts")
_KEEP = (
    f"INSERT INTO verdicts (id, {', '.join(_COLUMNS)}) "
    f"VALUES ({', '.join('?' * (1 + len(_COLUMNS)))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in _COLUMNS)}"
)
_KEEP_PART = (
    "INSERT INTO verdict_parts (verdict, place, what, found, low, high) VALUES (?, ?, ?, ?, ?, ?)"
)
_LONGEST = 4_000
"""Characters of one text."""


class Verdicts:
    """What was measured, in a database that is open."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, rows: Sequence[Row]) -> None:
        """Keep rows in one transaction; the same measurement made again replaces the former."""
        await self._database.transact(lambda: _keep(rows))

    async def all(self) -> list[Row]:
        """Return all that was kept, the oldest first."""
        return await self._database.transact(_all)


def _keep(rows: Sequence[Row]) -> Work[None]:
    for row in rows:
        told = tuple(_told(getattr(row, name)) for name in _COLUMNS)
        yield Statement("DELETE FROM verdict_parts WHERE verdict = ?", (row.id,))
        yield Statement(_KEEP, (row.id, *told))
        parts = [
            (row.id, place, _told(part.what), part.found, part.low, part.high)
            for place, part in enumerate(row.parts)
            if None not in (sound(part.found), sound(part.low), sound(part.high))
        ]
        if parts:
            yield Statement(_KEEP_PART, parts, is_many=True)


def _all() -> Work[list[Row]]:
    parts: dict[str, list[Part]] = {}
    found = yield Statement(
        "SELECT verdict, what, found, low, high FROM verdict_parts ORDER BY verdict, place"
    )
    for verdict, *told in found:
        parts.setdefault(verdict, []).append(Part(*told))
    rows = yield Statement(
        f"SELECT id, {', '.join(_COLUMNS)} FROM verdicts ORDER BY measured, name, model, id"
    )
    return [
        Row(**dict(zip(_COLUMNS, told, strict=True)), parts=(*parts.get(id, ()),))
        for id, *told in rows
    ]


def _told(value: Any) -> Any:
    """Return a value that both databases take: texts legible and not endless, figures finite."""
    if isinstance(value, str):
        text = legible(value)
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return sound(value) if isinstance(value, float) else value
