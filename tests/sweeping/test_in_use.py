"""A cell that another sweep is running is left for the end, and nobody pays for it twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from sweep_rig import PROBLEMS, Rig
from workspan.core.engine import Bill
from workspan.data.entry import Header
from workspan.data.types import Chunk, Request
from workspan.lab.sweeping.cell import Cell, sweep_digest
from workspan.lab.sweeping.driving import Progress
from workspan.lab.sweeping.here import Here, journal_path
from workspan.store.journals import JournalFile
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter

FAMILY = ("self_consistency(n=3, max_tokens=60)", "self_consistency(n=2, max_tokens=60)")
OWN = ("single(max_tokens=60)", "esc(max_tokens=60)")


def rig(folder: Path, engine: ScriptedEngine) -> Rig:
    return Rig(engine, str(folder / "store.db"), folder / "calls", PROBLEMS[:3])


def scripted() -> ScriptedEngine:
    return ScriptedEngine(chatter, lambda request: request.seed % 3)


def held(one: Rig, cell: Cell) -> JournalFile:
    """Hold a cell as another process does."""
    header = Header(cell.identity, cell.seed, cell.model)
    return JournalFile(journal_path(one.folder, cell.id), header)


@pytest.mark.parametrize("which", range(4))
def test_the_others_are_run_and_it_is_once_nobody_holds_it(tmp_path: Path, which: int) -> None:
    one = rig(tmp_path, scripted())
    strategies, seen = (*FAMILY, *OWN), []
    files = [held(one, one.points(strategies, ("2k work",))[which].cell)]

    def tell(far: Progress) -> None:
        if far.waits_for and files:
            seen.append(far)
            files.pop().close()  # its holder was killed

    rows = anyio.run(lambda: one.sweep(strategies, on_progress=tell))
    assert [row.status for row in rows] == ["done"] * 4
    (far,) = seen
    assert far.cells == 4 - far.waits_for
    assert far.waits_for == (2 if which < 2 else 1)  # a family is run as one
    alone = rig(tmp_path / "alone", scripted())
    assert anyio.run(lambda: alone.sweep(strategies)) == rows
    assert one.engine.billed == alone.engine.billed  # type: ignore[attr-defined]


class Gated(ScriptedEngine):
    """Answers when it may; until then its callers hold their cells."""

    def __init__(self) -> None:
        super().__init__(chatter, lambda request: request.seed % 3)
        self.is_asked, self.may = anyio.Event(), anyio.Event()

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        self.is_asked.set()
        await self.may.wait()
        async for chunk in super().stream(request, bill):
            yield chunk


def paid(one: Rig, name: str, strategies: tuple[str, ...]) -> int:
    """Return what a sweep has spent."""
    cells = [point.cell for point in one.points(strategies, ("2k work",))]

    async def main() -> int:
        async with one.results() as results:
            return sum(x.work for x in (await results.paid_by(sweep_digest(name, cells))).values())

    return anyio.run(main)


@pytest.mark.parametrize("is_stopped", [False, True])
def test_two_sweeps_at_once_share_cells_to_the_token(tmp_path: Path, is_stopped: bool) -> None:
    """The holder finishes the cell, or is stopped in it: the other takes it from there."""
    mine, theirs = (*FAMILY, OWN[0]), (*FAMILY, OWN[1])
    second = scripted()

    async def main() -> Gated:
        first = Gated()

        def tell(far: Progress) -> None:
            if not far.waits_for:
                return
            if is_stopped:
                scope.cancel()
            else:
                first.may.set()

        async def hold() -> None:
            with scope:
                rows = await rig(tmp_path, first).sweep(mine, name="mine")
                assert {row.status for row in rows} == {"done"}

        scope = anyio.CancelScope()
        async with anyio.create_task_group() as group:
            group.start_soon(hold)
            await first.is_asked.wait()
            rows = await rig(tmp_path, second).sweep(theirs, name="theirs", on_progress=tell)
            assert {row.status for row in rows} == {"done"}
        return first

    first = anyio.run(main)
    one = rig(tmp_path, second)
    assert paid(one, "theirs", theirs) == second.billed.output_tokens
    if not is_stopped:
        assert paid(one, "mine", mine) == first.billed.output_tokens
        alone = scripted()
        anyio.run(lambda: rig(tmp_path / "alone", alone).sweep((*mine, OWN[1])))
        both = first.billed.output_tokens + second.billed.output_tokens
        assert both == alone.billed.output_tokens  # no call was made twice


def test_what_another_process_writes_is_read_and_left_alone(tmp_path: Path) -> None:
    """What was spent is known while another process writes: a total counts it from the start."""
    engine = scripted()
    one = rig(tmp_path, engine)
    (point,) = one.points(OWN[:1], ("2k work",))
    holder = Here({("engine", ""): one.lane}, one.folder)

    async def main() -> None:
        measured = await holder.measure(point.cell, 0, "theirs")
        assert measured.row is not None
        other = Here({("engine", ""): one.lane}, one.folder)
        before = {path: path.read_bytes() for path in one.folder.rglob("*.jsonl")}
        (known,) = (await other.recorded(point.cell)).values()
        assert known.paid["theirs"].work == measured.row.work == engine.billed.output_tokens
        assert before == {path: path.read_bytes() for path in one.folder.rglob("*.jsonl")}
        holder.aclose()

    anyio.run(main)
