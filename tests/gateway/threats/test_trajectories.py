"""Names of agents' runs are clients': bounded, hashed, of one key, nowhere a label or a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.rig import ASK, Scripted, gate, replies, run, whole
from store_rig import rig
from workspan.data.budget import Budget
from workspan.errors import InputError, Refused
from workspan.serve.store.keys import make_key
from workspan.serve.trajectories import book as rooms
from workspan.serve.trajectories.book import Book
from workspan.serve.trajectories.named import Named, id_of
from workspan.serve.trajectories.rules import TrajectoryRules

ODD = ["../../etc/passwd", "'; DROP TABLE keys; --", "a/b?c=d#e", "{__class__}", "x" * 128, "%00"]


def test_odd_names_are_names_and_no_label_path_or_query(tmp_path: Path) -> None:
    async def main() -> None:
        address = str(tmp_path / "store.db")
        async with rig(address, "10k work") as one:
            stored, text = make_key("k", (), now=one.utc())
            await one.store.add(stored)
            async with Scripted(replies(whole())).serve() as up, gate(up.url, store=address) as gw:
                for name in ODD:
                    headers = {
                        "Authorization": f"Bearer {text}",
                        "Workspan-Trajectory": name,
                        "Workspan-Trajectory-Budget": "9 work",
                    }
                    got = await gw.post({**ASK, "max_tokens": 1}, headers=headers)
                    assert got.status == 200
                    assert name not in str(got.headers)
                    assert not any(name.encode() in str(seen.headers).encode() for seen in up.seen)
                figures = (await gw.get("/metrics")).body
                assert not any(name.encode() in figures for name in ODD)
                assert b"trj-" not in figures
                lines = [record.line for record in gw.log.records]
                assert {line.trajectory for line in lines if line.trajectory} == {
                    id_of(stored.key.id, name) for name in ODD
                }
            assert {row.trajectory[:4] for row in await one.store.rows(0, 99)} == {"trj-"}

    run(main)
    assert {path.name.partition(".")[0] for path in tmp_path.iterdir()} == {"store"}


def test_several_workers_without_a_store_keep_no_budget_each() -> None:
    async def main() -> None:
        book = Book(None, TrajectoryRules(), workers=2)
        await book.join(Named("a"), None, "m", Budget())
        with pytest.raises(InputError, match="need a store"):
            await book.join(Named("a"), None, "m", Budget(work=5))

    run(main)


def test_a_trajectory_s_id_opens_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(str(tmp_path / "store.db"), "10k work") as one:
            joined = await Book(one.store, TrajectoryRules()).join(
                Named("a"), one.key, "m", Budget(work=5)
            )
            assert await one.store.find(joined.within.id) is None
            assert not await one.store.revoke(joined.within.id, 1)
            assert [stored.key.id for stored in await one.store.keys()] == [one.key.id]

    run(main)


def test_without_a_store_their_number_is_bounded_and_no_budget_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        monkeypatch.setattr(rooms, "_MOST", 20)
        monkeypatch.setattr(rooms, "_REMEMBERED", 5)
        now = [0.0]
        book = Book(None, TrajectoryRules(), lambda: now[0])
        for place in range(20):
            turn = await book.join(Named(f"n{place}"), None, "m", Budget(work=5))
            turn.end("r", turn.trajectory.spent, 200)
        with pytest.raises(Refused, match="20 trajectories") as refused:
            await book.join(Named("more"), None, "m", Budget(work=5))
        assert refused.value.code == "too_many_trajectories"
        free = Book(None, TrajectoryRules(), lambda: now[0])
        found = Book(None, TrajectoryRules(), lambda: now[0])
        for place in range(50):  # without a budget nothing is lost with them
            turn = await free.join(Named(f"n{place}"), None, "m", Budget())
            turn.end("r", turn.trajectory.spent, 200)
        assert len(free.value()) <= 5
        open_ = await free.join(Named("long"), None, "m", Budget())
        for place in range(50):  # one that runs for long keeps no other from being forgotten
            turn = await free.join(Named(f"m{place}"), None, "m", Budget())
            turn.end("r", turn.trajectory.spent, 200)
        assert (await free.join(Named("long"), None, "m", Budget())).number == 2
        open_.end("r", open_.trajectory.spent, 200)
        for place in range(50):  # what nobody named makes room
            named = Named(f"f{place}", is_found=True)
            turn = await found.join(named, None, "m", Budget(work=5))
            turn.end("r", turn.trajectory.spent, 200)
        now[0] += 3601.0
        await book.join(Named("more"), None, "m", Budget(work=5))

    run(main)
