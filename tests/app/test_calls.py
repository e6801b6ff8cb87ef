"""The application's calls: texts everywhere, one account, nothing spent on what is wrong."""

from __future__ import annotations

import doctest
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

import workspan as ws
from workspan import sync
from workspan.batch.trials import Trial
from workspan.core.context import Delta, Event
from workspan.errors import InputError, MissingDependency, SpecError
from workspan.tasks.files import read_tasks
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter

ROWS = [
    {"id": f"p{i}", "prompt": f"{i} + 1?", "answer": str(i + 1), "kind": "number"} for i in range(6)
]
MODULES = ("solving", "comparing", "calibrating", "engines")


@dataclass
class Closing(ScriptedEngine):
    closed: list[str] = field(default_factory=list)

    async def aclose(self) -> None:
        self.closed.append("closed")


class Frame:
    """As pandas has it, without pandas."""

    def to_dict(self, orient: str) -> list[dict[str, str]]:
        assert orient == "records"
        return ROWS


@pytest.mark.parametrize("name", [f"workspan.app.{name}" for name in MODULES] + ["workspan.sync"])
def test_the_examples_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
    assert found.attempted or name.endswith("calibrating")


def test_a_text_and_an_object_are_the_same_run() -> None:
    texts = sync.solve("2 + 2?", kind="number", strategy="self_consistency(n=3)", engine="scripted")
    made = ws.run_sync(
        ws.SelfConsistency(n=3),
        ws.Problem.ask(
            "2 + 2?\n\nThink step by step. End with a line of the form: Answer: <answer>",
            kind="number",
        ),
        ScriptedEngine(chatter),
        budget=ws.Budget.parse("8k work"),
    )
    assert (texts.answer, texts.usage, texts.span) == (made.answer, made.usage, made.span)


def test_an_engine_that_is_open_is_left_open() -> None:
    engine = Closing(chatter)
    sync.solve("2 + 2?", engine=engine)
    sync.solve_many(["1?", "2?"], engine=engine, strategy="single")
    assert engine.closed == []


def test_an_engine_that_a_text_names_is_closed() -> None:
    async def main() -> list[str]:
        async with ws.open_engine("tests_closing:open_closing") as engine:
            return engine.closed  # type: ignore[attr-defined, no-any-return]

    import sys
    import types

    module = types.ModuleType("tests_closing")
    module.open_closing = lambda: Closing(chatter)  # type: ignore[attr-defined]
    sys.modules["tests_closing"] = module
    try:
        assert anyio.run(main) == ["closed"]
    finally:
        del sys.modules["tests_closing"]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"budget": 5}, InputError, "a budget is a text"),
        ({"budget": "5 wrok"}, SpecError, "did you mean 'work'"),
        ({"strategy": "singel"}, SpecError, "did you mean 'single'"),
        ({"strategy": ws.SelfConsistency}, InputError, "not the class SelfConsistency"),
        ({"strategy": 7}, InputError, "not of type int"),
        ({"engine": ws.Endpoint}, InputError, "Endpoint is neither"),
        ({"engine": "scriptid"}, SpecError, "did you mean 'scripted'"),
        ({"kind": "nmber"}, SpecError, "did you mean 'number'"),
        ({"question": ""}, InputError, "the question is empty"),
        ({"question": 5}, InputError, "a question is a text"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_spent(
    arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    engine = ScriptedEngine(chatter)
    given = {"question": "2 + 2?", "engine": engine, **arguments}
    with pytest.raises(error, match=said):
        sync.solve(given.pop("question"), **given)
    assert engine.requests == []


@pytest.mark.parametrize("name", ["strategy", "problem", "engine", "budget"])
def test_run_says_what_takes_texts(name: str) -> None:
    given: dict[str, Any] = {
        "strategy": ws.Single(),
        "problem": ws.Problem.ask("2?"),
        "engine": ScriptedEngine(chatter),
        "budget": ws.Budget(),
    }
    given[name] = "a text"
    budget = given.pop("budget")
    with pytest.raises(InputError, match=f"the {name} is a text: run takes"):
        anyio.run(lambda: ws.run(*given.values(), budget=budget))


def test_where_a_loop_runs_the_blocking_form_says_await() -> None:
    async def main() -> None:
        with pytest.raises(InputError, match=r"write `await workspan\.solve\(…\)` instead"):
            sync.solve("2?", engine="scripted")
        with pytest.raises(InputError, match=r"await workspan\.run\("):
            ws.run_sync(ws.Single(), ws.Problem.ask("2?"), ScriptedEngine(chatter))
        assert (await ws.solve("2?", engine="scripted")).usage.calls == 8

    anyio.run(main)


def test_a_run_streams_its_events() -> None:
    seen: list[Event] = []
    found = sync.solve("2?", engine="scripted", strategy="single", stream=seen.append)
    text = "".join(event.chunk.text for event in seen if isinstance(event, Delta))
    assert found.answer.best is not None
    assert text == found.answer.best.text


@pytest.mark.parametrize(
    "problems", [ROWS, Frame(), "file", Path("file")], ids=["rows", "frame", "text", "path"]
)
def test_problems_come_as_rows_frames_or_files(problems: Any, tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(f'{{"prompt":"{r["prompt"]}","answer":"1"}}\n' for r in ROWS))
    if problems in ("file", Path("file")):
        problems = type(problems)(path)
    found = sync.solve_many(problems, engine="scripted", strategy="single")
    assert len(found) == len(found.records) == 6
    assert [record["answer"] for record in found.records] == found.texts
    assert found.failed == 0
    assert found.usage.calls == 6


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(("limit", "n"), [(None, 47), (3, 3), (30, 30)])
def test_a_file_is_read_whole_however_it_is_named(
    kind: type[Any], limit: int | None, n: int, tmp_path: Path
) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(f'{{"id":"p{i}","prompt":"{i}?","answer":"1"}}\n' for i in range(47)))
    found = sync.solve_many(kind(path), engine="scripted", strategy="single", limit=limit)
    assert [record["problem"] for record in found.records] == [f"p{i}" for i in range(n)]


def test_many_answers_resume_from_their_journal(tmp_path: Path) -> None:
    journal, engine = tmp_path / "journal", ScriptedEngine(chatter)
    seen: list[tuple[Trial, Mapping[str, object]]] = []

    def ask(limit: int) -> ws.Answers:
        return sync.solve_many(
            ROWS,
            engine=engine,
            journal=journal,
            limit=limit,
            on_answer=lambda trial, record: seen.append((trial, record)),
        )

    first = ask(2)
    asked = len(engine.requests)
    assert (len(first), asked) == (2, 16)
    whole = ask(6)
    assert len(engine.requests) == 6 * 8
    assert whole.records[:2] == first.records
    assert len(seen) == 8
    assert journal.stat().st_mode & 0o077 == 0


def test_one_budget_over_many_problems_is_hard() -> None:
    found = sync.solve_many(
        ROWS, engine=ScriptedEngine(chatter), strategy="auto", budget="500 work", pooled=True
    )
    assert found.usage.work + found.usage.unseen_tokens <= 500


def test_a_comparison_is_a_table_in_a_notebook_and_markup_is_text() -> None:
    rows = [{"prompt": "2?", "answer": "1", "id": "<script>x</script>"}]
    shown = sync.solve_many(rows, engine="scripted", strategy="single")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    compared = sync.compare(ROWS, ["single", ws.SelfConsistency(n=2)], engine="scripted")
    assert [record.strategy for record in compared.records] == [
        "single",
        "self_consistency(n=2)",
    ]
    assert "<td>self_consistency(n=2)</td>" in compared._repr_html_()
    assert "<th>answer</th>" in sync.solve("2?", engine="scripted")._repr_html_()


def test_a_frame_needs_pandas_or_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = sync.solve_many(ROWS, engine="scripted", strategy="single")
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingDependency, match="pandas"):
        found.frame()
    monkeypatch.undo()
    pandas = pytest.importorskip("pandas")
    assert isinstance(found.frame(), pandas.DataFrame)
    assert len(found.frame()) == 6


def test_a_kind_is_of_rows_that_name_none(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt":"2?","answer":"1"}\n{"prompt":"3?","answer":"b","kind":"text"}\n')
    assert [task.problem.kind for task in read_tasks(path, kind="math")] == ["math", "text"]


def test_an_estimate_spends_nothing() -> None:
    engine = ScriptedEngine(chatter)
    plan = sync.estimate(ROWS, "single,self_consistency(n=4)", engine=engine, budget="100 work")
    assert [need.calls.high for need in plan.needs] == [6, 24]
    assert plan.total.work.high <= 2 * 6 * 100


@pytest.mark.slow
def test_a_profile_and_a_replay_come_from_python_too(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    profile = sync.calibrate(
        ROWS, engine="scripted", budget="1k work", chains=3, block=32, to=tmp_path / "profile.json"
    )
    assert len(profile.problems) == 6
    assert (tmp_path / "profile.json").stat().st_mode & 0o077 == 0
    sync.compare(ROWS, "self_consistency(n=4)", engine="scripted", journal=journal)
    problems = tmp_path / "problems.jsonl"
    problems.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in ROWS))
    replayed = sync.replay(journal, "single,oracle", "64,unlimited", problems=problems, seeds=1)
    assert [record.strategy for record in replayed] == ["single", "single", "oracle", "oracle"]
    assert {record.problems for record in replayed} == {6}
