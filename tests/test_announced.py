"""What a kill is charged of a call that was never asked: nothing, and its bound once it was."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.entry import Entry, Header, RunId
from workspan.data.types import Problem, Usage
from workspan.engines.endpoint.client import Retries
from workspan.engines.endpoint.engine import Endpoint
from workspan.engines.pool.engine import Pool
from workspan.engines.pool.members import Member, Members
from workspan.errors import EngineUnavailable
from workspan.runner import run
from workspan.store.journals import JournalFile, held_by_now
from workspan.store.killed import resumed
from workspan.strategies.sequential.single import Single
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.server import Behaviour, SimulatedServer

HEADER = Header("endpoint m", 0, "m")
RUN = RunId("single", "p")
SLOW = Retries(attempts=9, seconds=1e6, wait_initial=1e5, wait_max=1e5)
PROBLEM = Problem.ask("What is 2 + 2?", kind="number", id="p")


async def entries_when(path: Path, engine: Endpoint | Pool, at: int) -> list[Entry]:
    """Return what is on disk when so many lines are, as a kill would leave it."""
    found: list[Entry] = []

    async def through(file: JournalFile) -> None:
        journal = file.journal(RUN)
        await run(Single(max_tokens=700), PROBLEM, engine, budget=Budget(), journal=journal)

    with JournalFile(path, HEADER) as file:
        async with anyio.create_task_group() as group:
            group.start_soon(through, file)
            while len(found) < at:
                await anyio.sleep(0.01)
                found = held_by_now(path, HEADER).get(RUN, [])
            group.cancel_scope.cancel()
    await engine.aclose()
    return found


def lost(path: Path, found: list[Entry]) -> int:
    """Return the work that a resumed sweep is charged for these lines."""
    with JournalFile(path, HEADER) as file:
        journal = file.journal(RUN)
        for entry in found:
            journal.append(entry)
    with JournalFile(path, HEADER) as file:
        return resumed(file, RUN).gone.output_tokens


@pytest.fixture(params=["endpoint", "pool"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def engine_at(url: str, kind: str) -> Endpoint | Pool:
    one = Endpoint(url, "m", retries=SLOW)
    return one if kind == "endpoint" else Pool({"a": one}, Members([Member("a")]))


def test_nothing_is_owed_while_it_waits_to_ask_again(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with SimulatedServer(Behaviour(fault="overloaded", retry_after="")).serve() as server:
            found = await entries_when(tmp_path / "j", engine_at(server.url, kind), 2)
            assert [entry.outcome for entry in found] == ["open", "open"]
            assert found[0].usage.output_tokens >= 700
            assert found[1].usage == Usage()
            assert lost(tmp_path / "k", found) == server.bill.completion_tokens == 0

    anyio.run(main)


def test_what_is_out_is_charged_at_its_bound(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with SimulatedServer(Behaviour(text="so " * 40), places=0).serve() as server:
            found = await entries_when(tmp_path / "j", engine_at(server.url, kind), 1)
            assert lost(tmp_path / "k", found) == 700 >= server.bill.completion_tokens

    anyio.run(main)


def test_what_was_refused_and_asked_again_is_charged(tmp_path: Path) -> None:
    async def main() -> None:
        behaviour = Behaviour(text="so " * 40, fault="overloaded", fault_times=1, retry_after="0")
        async with SimulatedServer(behaviour, places=0).serve() as server:
            engine = Endpoint(server.url, "m")
            found = await entries_when(tmp_path / "j", engine, 3)
            assert [bool(entry.usage.calls) for entry in found] == [True, False, True]
            assert lost(tmp_path / "k", found) == 700

    anyio.run(main)


def test_a_server_that_is_not_there_was_asked_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        with JournalFile(tmp_path / "j", HEADER) as file:
            engine = Endpoint("http://127.0.0.1:1/v1", "m", retries=Retries(attempts=1))
            with pytest.raises(EngineUnavailable):
                await run(Single(), PROBLEM, engine, journal=file.journal(RUN))
            await engine.aclose()
        (entry, *_) = held_by_now(tmp_path / "j", HEADER)[RUN]
        assert (entry.outcome, entry.usage.calls, entry.usage.output_tokens) == ("failed", 0, 0)

    anyio.run(main)


def test_an_engine_that_says_nothing_owes_from_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        with JournalFile(tmp_path / "j", HEADER) as file:
            await run(Single(), PROBLEM, ScriptedEngine("4"), journal=file.journal(RUN))
        first, *_ = held_by_now(tmp_path / "j", HEADER)[RUN]
        assert first.outcome == "open"
        assert first.usage.calls == 1

    anyio.run(main)
