"""What a caller from Python is told: of what was written, in words, and of nothing else."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

import workspan as ws
from workspan import sync
from workspan.engines.endpoint.engine import Endpoint
from workspan.errors import EngineUnavailable, WorkspanError
from workspan.registry.table import written
from workspan.spec import parse_strategy, write
from workspan.testing.server import Behaviour, SimulatedServer

MINE = '''
from dataclasses import dataclass
from typing import ClassVar
import workspan as ws

@dataclass(frozen=True)
class Majority:
    """Draw n chains and take the most common answer."""

    n: int = 8
    requires: ClassVar[frozenset[ws.Capability]] = frozenset()

    async def __call__(self, problem: ws.Problem, session: ws.Session) -> ws.Answer:
        samples = await session.samples(ws.Request(problem.prompt), self.n)
        return await session.vote(ws.read(problem, samples), problem.kind)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("mine.py", "my file.py"):
        (tmp_path / name).write_text(MINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "text", ["my file.py:Majority(n=2)", "then(single, my file.py:Majority(n=2))"]
)
@pytest.mark.usefixtures("folder")
def test_a_file_may_have_a_space_in_its_name(text: str) -> None:
    strategy: Any = parse_strategy(text, imports=True)
    assert "my file.py:Majority(n=2)" in write(strategy)
    assert parse_strategy(write(strategy), imports=True) == strategy
    assert written(type(parse_strategy("mine.py:Majority", imports=True))) == "mine.py:Majority"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine.py:Majority.x", "mine.py has no 'Majority.x'"),
        ("mine.py:Nothing(n=2)", "mine.py has no 'Nothing'"),
        ("mine.py", "a file is written with what it holds, such as mine.py:Name"),
        ("mine.Majority", "did you mean mine:Majority?"),
        ("mine.py:a.b.c.d.e.f.g", "a path is written module:Name or file.py:Name"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_path_that_names_nothing_is_told_in_its_own_words(text: str, said: str) -> None:
    with pytest.raises(WorkspanError) as caught:
        parse_strategy(text, imports=True)
    assert said in str(caught.value)
    assert "___" not in str(caught.value)


CALLS: dict[str, Callable[[], object]] = {
    "replay, strategies": lambda: sync.replay("x.parquet", ""),
    "replay, budgets": lambda: sync.replay("x.parquet", budgets=""),
    "replay, by": lambda: sync.replay("x.parquet", by="x"),
    "replay, kind": lambda: sync.replay("x.parquet", kind="x"),
    "pooled": lambda: sync.solve_many(
        ["?"], strategy="auto", budget="2k work", pooled=True, parallel=2, engine="scripted"
    ),
    "calibrate": lambda: sync.calibrate(["?"], strategy="single", engine="scripted"),
    "estimate, strategies": lambda: sync.estimate(["?"], "", engine="scripted"),
    "estimate, limit": lambda: sync.estimate(["?"], "single", limit=0, engine="scripted"),
}


@pytest.mark.parametrize("name", CALLS)
def test_python_is_not_told_of_flags(name: str) -> None:
    with pytest.raises(WorkspanError) as caught:
        CALLS[name]()
    assert "--" not in str(caught.value)


def test_nobody_there_is_said_in_the_system_s_words() -> None:
    with pytest.raises(EngineUnavailable) as caught:
        sync.solve("2 + 2?", engine="http://127.0.0.1:9/v1", budget="2k work")
    told = str(caught.value)
    assert told == "http://127.0.0.1:9/v1 can't be reached or hung up: Connection refused"


ROWS: list[dict[str, object]] = [
    {"question": np.str_("1 + 1?"), "answer": np.int64(2), "id": np.int64(4)},
    {"question": "1 + 1?", "answer": np.float32(0.5), "task": None, "meta": {"x": np.int8(1)}},
    {"question": "Which?", "choices": np.array(["a", "b"]), "answer": np.str_("b")},
    {"question": "Which?", "answer": np.array(["2", "two"]), "kind": "text"},
    {"question": "1 + 1?", "answer": float("nan")},
]
REFERENCES = ["2", "0.5", "B", "2", ""]


@pytest.mark.parametrize(("row", "reference"), [*zip(ROWS, REFERENCES, strict=True)])
def test_rows_may_hold_what_numpy_makes(row: dict[str, object], reference: str) -> None:
    solved = sync.solve_many([row], engine="scripted", strategy="single", budget="2k work")
    compared = sync.compare([row], "single", engine="scripted", budget="2k work")
    for done in (solved.done, compared.done):
        assert [task.reference for task in done.tasks] == [reference]
        assert type(done.tasks[0].problem.id) is str


def test_questions_in_an_array_are_questions() -> None:
    done = sync.solve_many(np.array(["1 + 1?", "2 + 2?"]), engine="scripted", budget="2k work")
    asked = [task.problem.prompt[0].text for task in done.done.tasks]
    assert [text.partition("\n")[0] for text in asked] == ["1 + 1?", "2 + 2?"]
    assert {type(text) for text in asked} == {str}


async def _asked(url: str) -> Endpoint:
    engine = Endpoint(url, "m", api_key="")
    done = await ws.run(parse_strategy("single"), ws.Problem.ask("2 + 2?"), engine)
    assert done.usage.calls == 1
    return engine


async def _forgotten(url: str) -> object:
    return await _asked(url)


async def _dropped(url: str) -> object:
    await _asked(url)
    gc.collect()  # an engine lies in circles
    await anyio.wait_all_tasks_blocked()
    return None


async def _closed_twice(url: str) -> object:
    engine = await _asked(url)
    await engine.aclose()
    await engine.aclose()
    return engine


@pytest.mark.parametrize("use", [_forgotten, _dropped, _closed_twice])
def test_an_engine_that_nobody_closed_leaves_nothing_open(
    use: Callable[[str], Awaitable[object]], caplog: pytest.LogCaptureFixture
) -> None:
    """Warnings are errors here, those of objects that are collected, too."""

    async def main() -> object:
        async with SimulatedServer(Behaviour()).serve() as server:
            return await use(server.url)

    kept = anyio.run(main)
    gc.collect()
    assert [record.message for record in caplog.records] == []
    del kept
    gc.collect()
    assert [record.message for record in caplog.records] == []


def test_an_engine_outlives_its_loops() -> None:
    """Each loop has a client of its own, and the one before leaves nothing behind."""
    engines: list[Endpoint] = []

    async def main() -> int:
        async with SimulatedServer(Behaviour()).serve(port) as server:
            if not engines:
                engines.append(Endpoint(server.url, "m", api_key=""))
            problem = ws.Problem.ask("2 + 2?")
            return (await ws.run(parse_strategy("single"), problem, engines[0])).usage.calls

    port = 0
    assert anyio.run(main) == 1
    port = int(engines[0].url.rpartition(":")[2].partition("/")[0])
    assert anyio.run(main) == 1
    gc.collect()


def test_retries_write_nothing_to_the_standard_error() -> None:
    code = """
        import anyio, workspan as ws
        from workspan.engines.endpoint.client import Retries
        from workspan.engines.endpoint.engine import Endpoint
        from workspan.testing.server import Behaviour, SimulatedServer

        async def main():
            refusing = Behaviour(fault="rate_limited", fault_times=2)
            async with SimulatedServer(refusing).serve() as server:
                engine = Endpoint(server.url, "m", api_key="", retries=Retries(wait_initial=0.01))
                problem = ws.Problem.ask("2 + 2?")
                print((await ws.run(ws.parse_strategy("single"), problem, engine)).stop)

        anyio.run(main)
    """
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
