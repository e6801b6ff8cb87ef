"""A store of before, in which a cell said alone who had paid for it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import anyio
import pytest

from workspan.data.types import Amount
from workspan.lab.sweeping.outcome import spent
from workspan.lab.sweeping.results import Results
from workspan.store import migrating
from workspan.store.database import database_at
from workspan.store.statement import Statement, Work

OLD = (
    "INSERT INTO cells (id, engine, identity, model, task, problems_digest, strategy, budget, "
    "effort, seed, status, error, draws, paid_by, problems, graded, low, high, work, span, "
    "prefill, calls, spent_calls, spent_work, spent_prefill, spent_cost, lost_work) VALUES "
    "('c', 'e', 'i', 'm', 't', 'd', 's', 'b', '', 0, 'cut', '', 'c', 'first', 2, 1, 0, 1, 5, 5, "
    "5, 1, 3, 70, 9, 1500000, 0)"
)


def test_no_two_files_are_of_one_version() -> None:
    names = [path.name for path in (files("workspan.store") / "migrations").iterdir()]
    numbers = sorted(int(name[:4]) for name in names if name.endswith(".sql"))
    assert numbers == [*range(1, len(numbers) + 1)] == [*migrating.migrations()]


def test_what_was_paid_stays_with_who_paid_it(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrating.migrations()

    def older() -> dict[int, list[str]]:
        return {number: known[number] for number in (1, 2)}

    async def main() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(migrating, "migrations", older)
            database = database_at(address)
            await database.open()

            def written() -> Work[None]:
                yield Statement(OLD)

            await database.transact(written)
            await database.aclose()
        database = database_at(address)
        await database.open()
        results = Results(database)
        paid = await results.paid_by("first")
        assert [*paid] == ["c"]
        assert paid["c"][:3] == Amount(3, 70, 9)[:3]
        [row] = await results.all_cells()
        assert spent(row) == paid["c"]
        assert await results.paid_for("c") == {"first": paid["c"]}
        await database.aclose()

    anyio.run(main)
