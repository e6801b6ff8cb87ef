"""What callers get wrong, or may do twice: nothing is paid twice, mixed up or lost."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

import workspan as ws
from workspan import sync
from workspan.core.engine import Bill, Capability, EngineInfo
from workspan.data.entry import Header
from workspan.data.types import Chunk, Message, Request
from workspan.errors import DataError, EngineError, InputError, ReplayMismatch, SpecError
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter


@dataclass
class Odd:
    """A scripted engine, one call at a time, that may refuse the first problem or to close."""

    is_down: bool = False
    closes: bool = True
    decoded: int = 0

    def __post_init__(self) -> None:
        self.own = ScriptedEngine(chatter)

    @property
    def info(self) -> EngineInfo:
        return replace(self.own.info, concurrency=1)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        if self.is_down and request.prompt[0].text.startswith("0?"):
            raise EngineError("down")
        async for chunk in self.own.stream(request, bill):
            yield chunk
        self.decoded += bill.usage.output_tokens

    async def count(self, request: Request) -> int:
        return await self.own.count(request)

    async def aclose(self) -> None:
        if not self.closes:
            raise RuntimeError("close boom")


def test_problems_of_one_id_keep_their_own_answers() -> None:
    asked = [ws.Problem.ask("a: 1+1?"), ws.Problem.ask("b: 2+2?")]
    found = sync.solve_many(asked, engine="scripted", strategy="single", budget="2k work")
    assert [record["answer"] for record in found.records] == found.texts
    assert sum(record["work"] for record in found.records) == found.usage.work


def test_a_pooled_budget_holds_over_a_resumed_run(tmp_path: Path) -> None:
    rows = [{"id": str(i), "prompt": f"{i}?"} for i in range(20)]
    engine = Odd(is_down=True)

    def ask() -> ws.Answers:
        return sync.solve_many(
            rows,
            engine=engine,
            strategy="auto",
            budget="3000 work",
            pooled=True,
            journal=tmp_path / "pool",
        )

    assert ask().failed == 1
    engine.is_down = False
    assert ask().usage.work <= 3000
    assert engine.decoded <= 3000


def test_an_open_journal_is_not_paid_twice_nor_taken_for_anothers(tmp_path: Path) -> None:
    def ask(journal: Any) -> ws.Answers:
        return sync.solve_many(["1?"], engine="scripted", strategy="single", journal=journal)

    path, model = tmp_path / "j", "simulated (no model)"
    with ws.JournalFile(path, Header(f"scripted {model}", 0, model)) as journal:
        first = ask(journal)
        with pytest.raises(InputError, match="was opened already"):
            ask(journal)
    assert ask(path).texts == first.texts
    with (
        ws.JournalFile(tmp_path / "k", Header("endpoint gpt", 7, "gpt")) as other,
        pytest.raises(ReplayMismatch, match="was written with engine"),
    ):
        ask(other)


def test_calls_side_by_side_leave_the_process_as_it_was(tmp_path: Path) -> None:
    before = os.umask(0o022)

    async def one(name: str, n: int) -> None:
        await ws.solve_many(
            [f"{i}?" for i in range(n)],
            engine="scripted",
            strategy="single",
            journal=tmp_path / name,
        )

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(one, "one", 2)
            group.start_soon(one, "two", 20)

    try:
        anyio.run(main)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("one", "two")} == {0o600}


def test_an_engine_that_can_not_be_closed_takes_no_answer_away() -> None:
    with pytest.warns(RuntimeWarning, match="could not be closed: close boom"):
        found = ws.run_sync(ws.Single(), ws.Problem.ask("1?"), Odd(closes=False))
    assert found.answer.best is not None


@pytest.mark.parametrize(
    ("problems", "more", "said"),
    [
        ({"prompt": "1?"}, {}, "not one of type dict"),
        (None, {}, "not one of type NoneType"),
        (5, {}, "not one of type int"),
        (ws.Problem.ask("1?"), {}, "not one of type Problem"),
        ([], {}, "no problem to solve"),
        (["1?"], {"parallel": 0}, "parallel is 0"),
        (["1?"], {"parallel": "2"}, "parallel is '2'"),
        (["1?"], {"limit": 1.5}, "limit is 1.5"),
        (["1?"], {"seed": None}, "seed is None"),
        (["1?"], {"seed": 0.0}, "seed is 0.0"),
        (["1?"], {"journal": 5}, "a journal is a file's path"),
        (["1?"], {"journal": "a\0b"}, "a journal is a file's path"),
        (["1?"], {"pooled": True, "parallel": 2, "strategy": "auto"}, "pooled budget"),
    ],
)
def test_odd_arguments_are_refused_before_anything_is_asked(
    problems: Any, more: dict[str, Any], said: str
) -> None:
    engine = ScriptedEngine(chatter)
    with pytest.raises(InputError, match=said):
        sync.solve_many(problems, engine=engine, **more)
    assert engine.requests == []


class Rows:
    """A frame that is asked otherwise, or gives no rows."""

    def __init__(self, rows: object) -> None:
        self.rows = rows

    def to_dict(self, as_series: bool = True) -> None:  # theirs
        """As polars has it."""

    def to_dicts(self) -> object:
        return self.rows


def test_frames_of_other_makers_are_read_or_refused() -> None:
    rows = [{"prompt": "1?"}, {"prompt": "2?"}]
    frame: Any = Rows(rows)
    assert len(sync.solve_many(frame, engine="scripted", strategy="single")) == 2
    frame.rows = None
    with pytest.raises(InputError, match="gives no list of rows"):
        sync.solve_many(frame, engine="scripted")


@dataclass(frozen=True)
class Returns:
    """A strategy with a fault."""

    fault: str
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: ws.Problem, session: ws.Session) -> Any:
        if self.fault == "engine":
            return await session.sample(Request(problem.prompt, engine="strong"))
        if self.fault == "not awaited":
            return session.sample(Request(problem.prompt))
        return {"nothing": None, "text": "4"}[self.fault]


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ("nothing", InputError, "returned NoneType, not an Answer"),
        ("text", InputError, "returned str, not an Answer"),
        ("not awaited", InputError, "returned coroutine, not an Answer"),
        ("engine", SpecError, "unknown engine 'strong'"),
    ],
)
def test_a_strategys_fault_is_named_as_its_own(
    fault: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        sync.solve("1?", strategy=Returns(fault), engine="scripted")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Request((Message("user", "x"),), max_tokens=12.5),  # type: ignore[arg-type]
        lambda: Request("x"),  # type: ignore[arg-type]
        lambda: Request((), stop=["x"]),  # type: ignore[arg-type]
        lambda: ws.Problem("q", "What is 2 + 2?"),  # type: ignore[arg-type]
        lambda: ws.Problem("q", [{"role": "user"}]),  # type: ignore[arg-type]
        lambda: Message("user", 5),  # type: ignore[arg-type]
        lambda: Message("user", ({"type": "text"},)),  # type: ignore[arg-type]
    ],
)
def test_data_of_another_type_is_refused_where_it_is_made(make: Any) -> None:
    with pytest.raises(InputError, match=r"(is|are) "):
        make()


@pytest.mark.parametrize("name", ["none.jsonl", "none.parquet"])
def test_a_recording_that_is_not_there_is_said_to_be_so(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{name}: can't be read: No such file or directory$"):
        sync.replay(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("localhost:8000/v1", "'http://localhost:8000/v1'"),
        ("gpu-box:8000", "'http://gpu-box:8000'"),
        ("HTTPS://api.example.org/v1", "'https://api.example.org/v1'"),
        ("nope", "(or an http address)"),
    ],
)
def test_an_address_without_its_scheme_is_written_out(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=re.escape(said)):
        sync.solve("2 + 2?", engine=text)
