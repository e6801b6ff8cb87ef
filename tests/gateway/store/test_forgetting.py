"""What is too old is dropped a little at a time; what keys spent in all stays to the last token."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import patience
from gateway.rig import Scripted, gate, replies, until, whole
from gateway.test_keys_http import bearing, key_for
from store_rig import NOON, rig, run
from workspan.errors import InputError, StoreGone
from workspan.serve.config import Config
from workspan.serve.forgetting import Forgetting
from workspan.serve.options import configured
from workspan.serve.store import statements, totals
from workspan.serve.store.base import Ask, Batch, Row, Totals, Window
from workspan.serve.store.trajectories import KEPT_SECONDS
from workspan.serve.trajectories.book import Book
from workspan.serve.trajectories.named import Named
from workspan.serve.trajectories.rules import TrajectoryRules
from workspan.serve.wishes import read_budget

DAY = 86_400.0
COUNT = st.integers(0, 10**6) | st.sampled_from([0, 2**62, 2**63 - 1])
ROWS = st.lists(
    st.builds(
        Row,
        id=st.uuids().map(str),
        at=st.integers(0, 9).map(lambda days: NOON - days * DAY),
        key=st.sampled_from("ab"),
        status=st.sampled_from([200, 400, 499]),
        work=COUNT,
        calls=st.integers(0, 9),
        prefill=COUNT,
        cached=COUNT,
        cost=st.none() | COUNT,
    ),
    max_size=30,
    unique_by=lambda row: row.id,
)


def summed(rows: list[Row], key: str) -> Totals:
    mine = [row for row in rows if row.key == key]
    return Totals(
        len(mine),
        sum(row.status >= 400 for row in mine),
        sum(row.work for row in mine),
        sum(row.calls for row in mine),
        sum(row.prefill for row in mine),
        sum(row.cached for row in mine),
        sum(row.cost or 0 for row in mine),
        sum(row.cost is None for row in mine),
    )


async def check_totals(address: str, rows: list[Row], part: int) -> None:
    async with rig(address, "") as one:
        database: Any = one.store.database  # type: ignore[attr-defined]
        for number, row in enumerate(rows, 1):
            await one.store.exchange(Batch("w", number, NOON, rows=[row]))

        async def told() -> dict[str, Totals]:
            return {
                key: await database.transact(lambda key=key: totals.totals(key)) for key in "ab"
            }

        first = {key: summed(rows, key) for key in "ab"}
        assert await told() == first
        before = NOON - 4.5 * DAY
        old = sum(row.at < before for row in rows)
        parts = 0
        while await database.transact(lambda: totals.drop_requests(before, part)):
            assert await told() == first  # at every moment
            parts += 1
        assert parts == old // part
        assert {row.id for row in await one.store.rows(0, 99)} == {
            row.id for row in rows if row.at >= before
        }
        assert await told() == first


@settings(max_examples=25, deadline=None, derandomize=True)
@given(ROWS, st.integers(1, 7))
def test_totals_are_the_same_whatever_was_dropped(rows: list[Row], part: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(lambda: check_totals(str(Path(folder) / "store.db"), rows, part))


def test_totals_are_the_same_in_either_store(address: str) -> None:
    rows = [
        Row(f"r{at}", NOON - at * DAY, "ab"[at % 2], work=2**62, cost=2**63 - 1, status=200 + at)
        for at in range(9)
    ]
    run(lambda: check_totals(address, rows, 2))


def test_a_run_of_which_rows_were_dropped_is_not_forgotten_for_it(address: str) -> None:
    """It was begun long ago, and gone on with a few days ago: its budget still holds."""

    async def main() -> None:
        async with rig(address, "10k work") as one:
            budget = read_budget("90 work")
            book = Book(one.store, TrajectoryRules(), one.utc)
            await book.join(Named("a"), one.key, "m", budget)
            one.utc.turn(KEPT_SECONDS)
            await book.join(Named("a"), one.key, "m", budget)
            one.utc.turn(5 * DAY)
            while await one.store.forget(one.utc(), one.utc() - 2 * DAY):
                pass
            other = Book(one.store, TrajectoryRules(), one.utc)
            free = read_budget("unlimited")
            assert (await other.join(Named("a"), one.key, "m", free)).within.limits
            one.utc.turn(KEPT_SECONDS + 1)
            while await one.store.forget(one.utc(), one.utc() - 2 * DAY):
                pass
            other = Book(one.store, TrajectoryRules(), one.utc)
            assert (await other.join(Named("a"), one.key, "m", free)).within.limits == ()

    run(main)


def test_what_a_worker_held_that_is_long_dead_stays_charged(address: str) -> None:
    """Its row may be dropped by then: nothing takes it back."""

    async def main() -> None:
        async with rig(address, "1000 work") as one:
            window = Window(one.key.id, "work", "total", 0)
            await one.store.exchange(Batch("a", 1, NOON, [Ask(window, need=300, least=300)]))
            assert await one.store.reap(NOON + 60, NOON + 1) == 1
            later = NOON + 3 * DAY
            await one.store.reap(later, later - 20)
            while await one.store.forget(later, later - 2 * DAY):
                pass
            assert await one.store.rows(0, 9) == []
            told = Batch("a", 2, later, [Ask(window, used=120, returned=180)])
            [standing] = await one.store.exchange(told)
            assert (standing.spent, standing.leased) == (420, 0)  # never less than was used
            [usage] = await one.store.usage(later)
            assert usage.totals.work == 300

    run(main)


class Failing:
    """A store whose first looks fail in some way."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[tuple[float, float]]()

    async def forget(self, now: float, before: float) -> bool:
        self.asked.append((now, before))
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)


def test_a_look_that_fails_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        store: Any = Failing(True, StoreGone("gone"), ZeroDivisionError(), True, False)
        task = Forgetting(store, 7, lambda: NOON)
        task.start()
        await until(lambda: len(store.asked) == 6)
        await task.aclose()
        assert set(store.asked) == {(NOON, NOON - 7 * DAY)}

    with caplog.at_level(logging.ERROR, "workspan.serve"):
        patience.patiently(main)
    assert [record.getMessage() for record in caplog.records] == ["old rows could not be dropped"]


def test_a_gateway_drops_what_is_older_than_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "_FORGOTTEN", 3)
    monkeypatch.setattr("workspan.serve.forgetting._LOOK", 0.05)

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(path), keep_requests=2) as gw,
        ):
            store = gw.serving.gateway.store
            assert store is not None
            now = gw.serving.gateway.accounts.utc()
            id = key.split("-")[1]
            rows = [Row(f"r{at}", now - 3 * DAY, id, work=5) for at in range(20)]
            await store.exchange(Batch("w", 1, now, rows=rows))
            body = {"model": "m", "messages": [{"role": "user", "content": "4"}]}
            assert (await gw.post(body, headers=bearing(key))).status == 200
            while True:
                left = await store.rows(0, 99)
                if len(left) == 1 and left[0].route:
                    break
                await asyncio.sleep(0.01)
            [usage] = await store.usage(now)
            assert (usage.totals.requests, usage.totals.work) == (21, 101)

    asyncio.run(main())


def test_how_long_requests_are_kept_is_checked() -> None:
    told = configured(["http://127.0.0.1:1/v1"], ["m"], keep_requests=7)
    assert isinstance(told, Config)
    assert told.keep_requests == 7
    with pytest.raises(InputError, match="2 days at least"):
        configured(["http://127.0.0.1:1/v1"], ["m"], keep_requests=1)
