"""Verdicts in either database: kept whole, replaced by the same measurement, harmless."""

from __future__ import annotations

from dataclasses import replace

import anyio

from map_rig import HELD, HOSTILE
from workspan.app.mapping import evidence_map, keep_verdicts
from workspan.lab.map.rows import Row


def kept(address: str, *batches: list[Row]) -> list[Row]:
    """Keep rows in several goes, and read what is there."""

    async def main() -> list[Row]:
        for rows in batches:
            await keep_verdicts(address, rows)
        found = await evidence_map(address)
        return [row for row in found.rows if row.verdict != "not measured"]

    return anyio.run(main)


def test_a_row_comes_back_as_it_was_with_its_parts(address: str) -> None:
    other = replace(HELD, model="another", low=None, high=None, found=None, measured=None, parts=())
    assert {row.id: row for row in kept(address, [HELD, other])} == {
        HELD.id: HELD,
        other.id: other,
    }


def test_a_measurement_that_is_made_again_takes_the_place_of_the_first(address: str) -> None:
    again = replace(HELD, verdict="undecided", low=-0.1, parts=HELD.parts[:1])
    assert kept(address, [HELD], [again]) == [again]


def test_nothing_is_kept_of_a_batch_that_fails(address: str) -> None:
    broken = replace(HELD, name="broken", problems="many")  # type: ignore[arg-type]

    async def main() -> list[Row]:
        try:
            await keep_verdicts(address, [HELD, replace(broken, verdict=None)])  # type: ignore[arg-type]
        except Exception:  # noqa: BLE001  # which one is the driver's
            pass
        else:
            raise AssertionError
        return [row for row in (await evidence_map(address)).rows if row.measured is not None]

    assert anyio.run(main) == []


def test_texts_that_no_database_takes_and_figures_that_are_none_are_made_sound(
    address: str,
) -> None:
    [row] = kept(address, [HOSTILE])
    assert row.found is None
    assert row.low is None
    assert "\0" not in row.claim
    assert "\u202e" not in row.claim
    assert row.parts == HOSTILE.parts
