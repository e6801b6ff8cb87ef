"""Sweeps that share cells each pay for their own part, whoever is killed or finishes them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep_rig import PROBLEMS, Rig, figures
from workspan.data.types import Amount, Request
from workspan.lab.sweeping.cell import sweep_digest
from workspan.lab.sweeping.outcome import CellRow, spent
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter

BOTH = ("self_consistency(n=3, max_tokens=60)", "esc(max_tokens=60)")
OWN = {"a": "single(max_tokens=60)", "b": "self_refine(turns=1, max_tokens=60)"}
BUDGET = "150 work"


class Killed(BaseException):
    """Nothing of the process is left but what is on the disk."""


@dataclass
class Machine:
    """A disk with a store and journals, and an engine that knows who asked it."""

    folder: Path

    def rig(self, engine: ScriptedEngine) -> Rig:
        disk = self.folder / "disk"
        return Rig(engine, str(disk / "store.db"), disk / "calls", PROBLEMS[:4])

    def run(self, name: str, total: int, calls: int | None) -> tuple[list[CellRow], int]:
        """Sweep until the end, or until a kill in the middle of a call; return what was decoded."""
        asked, kept = 0, self.folder / "at the kill"

        def said(request: Request) -> str:
            nonlocal asked
            asked += 1
            if calls is not None and asked > calls:
                if not kept.exists():
                    shutil.copytree(self.folder / "disk", kept)
                raise Killed
            return chatter(request)

        engine = ScriptedEngine(said, lambda request: request.seed % 3)
        rows: list[CellRow] = []
        try:
            rows = anyio.run(
                lambda: self.rig(engine).sweep(
                    (*BOTH, OWN[name]), (BUDGET,), total=f"{total} work", name=name
                )
            )
        except Killed:
            shutil.rmtree(self.folder / "disk")
            kept.rename(self.folder / "disk")
        return rows, engine.billed.output_tokens

    def paid(self, names: Sequence[str]) -> tuple[dict[str, int], dict[str, list[Amount]]]:
        """Return what each sweep has spent in all, and on each cell what every sweep did."""

        async def main() -> tuple[dict[str, int], dict[str, list[Amount]]]:
            rig = self.rig(ScriptedEngine(chatter))
            async with rig.results() as results:
                ids = {
                    name: sweep_digest(
                        name, [p.cell for p in rig.points((*BOTH, OWN[name]), (BUDGET,))]
                    )
                    for name in names
                }
                of = {name: await results.paid_by(id) for name, id in ids.items()}
                cells = {row.id for row in await results.all_cells()}
                by_cell = {id: [*(await results.paid_for(id)).values()] for id in cells}
                sums = {name: sum(one.work for one in paid.values()) for name, paid in of.items()}
                shown = {one.name: one.spent_work for one in await results.sweeps()}
                assert sums == {name: shown[name] for name in names}
                return sums, by_cell

        return anyio.run(main)


Step = tuple[str, int | None]
STEPS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.one_of(st.none(), st.integers(0, 14))), max_size=5
)


@settings(max_examples=12, deadline=None)
@given(STEPS, st.integers(300, 1500), st.integers(300, 1500))
def test_two_sweeps_stay_within_their_totals_through_any_kills(
    steps: list[Step], first: int, second: int
) -> None:
    totals, billed = {"a": first, "b": second}, {"a": 0, "b": 0}
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        (machine.folder / "disk").mkdir()
        for name, calls in [*steps, ("a", None), ("b", None), ("a", None), ("b", None)]:
            rows, decoded = machine.run(name, totals[name], calls)
            billed[name] += decoded
            if rows:
                spent_by, of_cell = machine.paid([name])
                assert billed[name] <= spent_by[name] <= totals[name]
                for row in rows:
                    assert sum(one.work for one in of_cell[row.id]) == row.spent_work
                    assert _sum(of_cell[row.id]) == spent(row)
        for name in ("a", "b"):  # with enough of it, each comes to what it is alone
            rows, _ = machine.run(name, 100_000, None)
            assert {row.status for row in rows} == {"done"}
            alone = Machine(machine.folder / f"alone {name}")
            (alone.folder / "disk").mkdir(parents=True)
            expected, _ = alone.run(name, 100_000, None)
            assert [_told(row) for row in rows] == [_told(row) for row in expected]
            found = anyio.run(machine.rig(ScriptedEngine(chatter)).trials, rows)
            others = anyio.run(alone.rig(ScriptedEngine(chatter)).trials, rows)
            for row in rows:
                assert [figures(one) for one in found[row.id]] == [
                    figures(one) for one in others[row.id]
                ]


def _sum(amounts: Sequence[Amount]) -> Amount:
    total = Amount()
    for one in amounts:
        total = total.plus(one)
    return total


def _told(row: CellRow) -> CellRow:
    """Leave out what only a kill adds."""
    return replace(row, spent_calls=0, spent_work=0, spent_prefill=0, spent_cost=0, lost_work=0)


def test_a_cut_cell_that_another_sweep_finishes_stays_on_the_account_of_the_first(
    tmp_path: Path,
) -> None:
    """It went along with the cell once, so that a total could be spent again and again."""
    machine = Machine(tmp_path)
    (tmp_path / "disk").mkdir()
    first, decoded = machine.run("a", 600, None)
    assert "cut" in {row.status for row in first}
    machine.run("b", 50_000, None)
    again, more = machine.run("a", 600, None)
    sums, _ = machine.paid(["a", "b"])
    assert decoded + more <= sums["a"] <= 600
    assert {row.id: row.status for row in again}[first[0].id] == "done"
