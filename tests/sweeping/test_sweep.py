"""A sweep keeps each cell once, with an exact account, within its total, whatever fails."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from sweep_rig import PROBLEMS, Rig
from workspan.core.engine import Price
from workspan.data.entry import Header
from workspan.data.types import Request, Usage
from workspan.errors import EngineUnavailable, InputError
from workspan.lab.sweeping.nested import families
from workspan.lab.sweeping.outcome import CellRow
from workspan.store.journals import JournalFile
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter

STRATEGIES = ("single(max_tokens=60)", "self_consistency(n=4, max_tokens=60)", "esc(max_tokens=60)")
BUDGETS = ("2k work", "150 work")


def rig(tmp_path: Path, engine: ScriptedEngine | None = None, **more: object) -> Rig:
    engine = engine or ScriptedEngine(chatter, lambda request: request.seed % 3)
    return Rig(engine, str(tmp_path / "store.db"), tmp_path / "calls", **more)  # type: ignore[arg-type]


def billed(rows: list[CellRow]) -> tuple[int, int, int]:
    return (
        sum(row.spent_calls for row in rows),
        sum(row.spent_work for row in rows),
        sum(row.spent_prefill for row in rows),
    )


def test_the_accounts_are_the_engines_own_bill(tmp_path: Path) -> None:
    engine = ScriptedEngine(chatter, lambda request: request.seed % 3)
    one = rig(tmp_path, engine)
    rows = anyio.run(lambda: one.sweep(STRATEGIES, BUDGETS, (0, 1)))
    assert [row.status for row in rows] == ["done"] * 12
    bill = engine.billed
    assert billed(rows) == (bill.calls, bill.output_tokens, bill.prefill)
    for row in rows:
        assert row.problems == row.graded == len(PROBLEMS)
        assert row.low <= (row.accuracy or 0) <= row.high
        assert row.span <= row.work
        assert (row.random or 0) <= (row.coverage or 0)


def test_a_total_that_runs_out_leaves_the_first_cells_whole(tmp_path: Path) -> None:
    """Whoever came last took what was given back: each cell had a part, and none was measured."""
    engine = ScriptedEngine(chatter, latency=lambda request: 1 + request.seed % 3)
    one = rig(tmp_path, engine)
    rows = anyio.run(lambda: one.sweep(STRATEGIES, ("150 work",), (0, 1), total="600 work"))
    statuses = [row.status for row in rows]
    assert statuses == sorted(statuses, key=("done", "cut").index)
    assert {*statuses} == {"done", "cut"}
    assert engine.billed.output_tokens <= 600


def test_the_same_again_asks_nothing_and_finds_the_same(tmp_path: Path) -> None:
    engine = ScriptedEngine(chatter)
    one = rig(tmp_path, engine)
    first = anyio.run(lambda: one.sweep(STRATEGIES, BUDGETS))
    before = len(engine.requests)
    assert anyio.run(lambda: one.sweep(STRATEGIES, BUDGETS)) == first
    assert len(engine.requests) == before


def test_a_cell_is_run_once_whichever_sweep_has_it(tmp_path: Path) -> None:
    engine = ScriptedEngine(chatter)
    one = rig(tmp_path, engine)

    async def main() -> None:
        await one.sweep(STRATEGIES[:1], name="first")
        before = len(engine.requests)
        rows = await one.sweep(STRATEGIES[:2], name="second")
        assert len(engine.requests) - before == 4 * len(PROBLEMS)
        async with one.results() as results:
            found = {sweep.name: sweep for sweep in await results.sweeps()}
            second = await results.paid_by(found["second"].id)
        assert [*second] == [rows[1].id]
        assert found["second"].spent_work == rows[1].spent_work
        assert (found["first"].cells, found["second"].done) == (1, 2)

    anyio.run(main)


def test_the_total_is_never_passed_and_what_it_cuts_is_no_measurement(tmp_path: Path) -> None:
    engine = ScriptedEngine(chatter, lambda request: request.seed % 3)
    one = rig(tmp_path, engine)
    total = 900

    async def main() -> None:
        rows = await one.sweep(STRATEGIES, ("150 work",), total=f"{total} work")
        assert engine.billed.output_tokens <= total
        assert billed(rows)[1] == engine.billed.output_tokens
        statuses = [row.status for row in rows]
        assert statuses[0] == "done"
        assert "cut" in statuses
        # with more of it the same sweep goes on, and asks nothing twice
        spent = engine.billed.output_tokens
        whole = await one.sweep(STRATEGIES, ("150 work",), total="50k work")
        assert [row.status for row in whole] == ["done"] * 3
        assert billed(whole)[1] == engine.billed.output_tokens > spent
        alone = Rig(ScriptedEngine(chatter), str(tmp_path / "b.db"), tmp_path / "b")
        others = await alone.sweep(STRATEGIES, ("150 work",))
        assert [row.accuracy for row in others] == [row.accuracy for row in whole]
        assert billed(others) == billed(whole)

    anyio.run(main)


def test_a_sweep_that_was_cut_loses_nothing_when_it_is_tried_again(tmp_path: Path) -> None:
    """Runs that ended need nothing held; of those that were begun no account is forgotten."""
    engine = ScriptedEngine(chatter, lambda request: request.seed % 3)
    one = rig(tmp_path, engine)

    async def main() -> None:
        first = await one.sweep(STRATEGIES, ("150 work",), total="600 work")
        assert sum(0 < row.graded < row.problems for row in first) > 0
        asked = len(engine.requests)
        for total in ("600 work", "500 work", "600 work"):
            again = await one.sweep(STRATEGIES, ("150 work",), total=total)
            assert again == first
            assert len(engine.requests) == asked
        assert billed(first)[1] == engine.billed.output_tokens

    anyio.run(main)


def test_a_run_that_was_killed_and_does_not_fit_any_more_stays_on_the_account(
    tmp_path: Path,
) -> None:
    one = rig(tmp_path, ScriptedEngine(chatter))

    async def main() -> None:
        first = await one.sweep(STRATEGIES[1:2], ("150 work",))
        for path in (tmp_path / "calls").rglob("*.jsonl"):  # as a kill leaves it, in mid-run
            lines = path.read_text().splitlines(keepends=True)
            kept = next(i for i, line in enumerate(lines) if '"outcome":"sample"' in line)
            path.write_text("".join(lines[: kept + 1]))
        (tmp_path / "store.db").unlink()
        cell = one.points(STRATEGIES[1:2], ("150 work",))[0].cell
        with JournalFile(path, Header(cell.identity, cell.seed, cell.model)) as file:
            spent = sum((file.journal(run).usage() for run in file.runs), Usage())
        rows = await one.sweep(STRATEGIES[1:2], ("150 work",), total="150 work")
        assert first[0].status == "done"
        assert rows[0].status == "cut"
        assert billed(rows) == (spent.calls, spent.output_tokens, spent.prefill)
        assert rows[0].lost_work > 0

    anyio.run(main)


def test_money_is_held_by_the_price(tmp_path: Path) -> None:
    engine = ScriptedEngine(chatter, price=Price(Decimal(0), Decimal(1000)))
    one = rig(tmp_path, engine)
    rows = anyio.run(
        lambda: one.sweep(STRATEGIES[:2], ("150 work, 1k prefill",), total="$0.3, 3k work")
    )
    assert sum(row.spent_cost for row in rows) == engine.billed.output_tokens * 10**9 <= 3 * 10**11
    assert rows[-1].status == "cut"


@pytest.mark.parametrize(
    ("budget", "total", "said"),
    [
        ("unlimited", "9k work", "total limits work.*'unlimited, 1k work'|limit it"),
        ("1k work", "9 calls", "total limits calls"),
        ("1k work", "$5", "no price is known"),
    ],
)
def test_a_total_that_nothing_could_be_held_of_is_refused(
    tmp_path: Path, budget: str, total: str, said: str
) -> None:
    engine = ScriptedEngine(chatter, price=None)
    with pytest.raises(InputError, match=said):
        anyio.run(lambda: rig(tmp_path, engine).sweep(STRATEGIES[:1], (budget,), total=total))
    assert not engine.requests


def failing(request: Request) -> str:
    if "1 + 2" in request.prompt[-1].text:
        raise EngineUnavailable("the server is busy", status=503)
    return chatter(request)


def test_any_store_keeps_the_same(tmp_path: Path, address: str) -> None:
    async def main() -> None:
        engine = ScriptedEngine(failing)
        one = Rig(engine, address, tmp_path / "calls", name="odd \u2028 name\x00"[:10])
        rows = await one.sweep(STRATEGIES, BUDGETS, total="90k work")
        async with one.results() as results:
            [sweep] = await results.sweeps()
            assert await results.of_sweep(sweep.id) == rows
            assert await results.find("test") == sweep
            assert {row.id for row in await results.all_cells()} == {row.id for row in rows}
            assert sorted(await results.prune([sweep.id])) == sorted(row.id for row in rows)
            assert await results.sweeps() == []
            assert await results.all_cells() == []
            assert await results.trials([rows[0].id]) == {rows[0].id: []}
            with pytest.raises(InputError, match="no sweep 'test'"):
                await results.find("test")

    anyio.run(main)


def test_a_failed_run_is_kept_with_its_error_and_tried_again(tmp_path: Path) -> None:
    one = rig(tmp_path, ScriptedEngine(failing))

    async def main() -> None:
        rows = await one.sweep(STRATEGIES[:2])
        assert [(row.status, row.graded) for row in rows] == [("partial", 5)] * 2
        assert "the server is busy" in rows[0].error
        [row] = [row for row in (await one.trials(rows))[rows[0].id] if row.correct is None]
        assert (row.problem, row.stop) == ("sum 1", "failed")
        well = rig(tmp_path)
        again = await well.sweep(STRATEGIES[:2])
        assert [(row.status, row.error) for row in again] == [("done", "")] * 2
        untouched = await rig(tmp_path / "other").sweep(STRATEGIES[:2])
        assert [row.accuracy for row in again] == [row.accuracy for row in untouched]

    anyio.run(main)


def test_an_engine_that_is_gone_ends_its_own_cells_alone(tmp_path: Path) -> None:
    def gone(_: Request) -> str:
        raise EngineUnavailable("nobody is there")

    engine = ScriptedEngine(gone)
    rows = anyio.run(lambda: rig(tmp_path, engine).sweep(STRATEGIES, BUDGETS))
    assert {row.status for row in rows} == {"failed"}
    assert all("nobody is there" in row.error for row in rows)
    assert len(engine.requests) < 40  # not once for each of 36 runs and more


def test_a_key_says_all_that_decides_a_cell_and_no_name(tmp_path: Path) -> None:
    from dataclasses import replace

    one = rig(tmp_path)
    cell = one.points(STRATEGIES[:1], ("2k work",))[0].cell
    assert replace(cell, engine="another", task="another").id == cell.id
    others = {
        replace(cell, identity="x").id,
        replace(cell, problems="x").id,
        replace(cell, strategy="esc").id,
        replace(cell, budget="1 work").id,
        replace(cell, effort="high").id,
        replace(cell, seed=1).id,
    }
    assert len(others - {cell.id}) == 6
    longer = Rig(one.engine, one.store, one.folder, PROBLEMS[:5])
    assert longer.points(STRATEGIES[:1], ("2k work",))[0].cell.id != cell.id


def test_families_are_of_one_strategy_that_differs_in_its_chains(tmp_path: Path) -> None:
    strategies = [f"self_consistency(n={n})" for n in (2, 8, 4)]
    strategies += ["self_consistency(n=8, max_tokens=9)", "single", "esc(n=8)", "esc(n=4)"]
    points = rig(tmp_path).points(strategies, ("2k work", "2k work, 9s"))
    found = families(point.cell for point in points)
    sizes = [[cell.strategy for cell in one.cells] for one in found]
    assert sizes[0] == ["self_consistency", "self_consistency(n=4)", "self_consistency(n=2)"]
    assert sum(map(len, sizes)) == 14
    assert sum(len(one) > 1 for one in sizes) == 1  # time is not shared
