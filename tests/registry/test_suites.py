"""Every row's example keeps the suite of its kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
import typer

from workspan.cli.commands import Commands
from workspan.cli.main import app
from workspan.data.types import Message, Problem
from workspan.errors import SandboxUnavailable
from workspan.registry.table import first_line, table
from workspan.sandbox import available
from workspan.spec import parse_verifier
from workspan.spec.engines import open_engine
from workspan.tasks import open_tasks
from workspan.tasks.benchmarks import FOLDER
from workspan.tasks.graders.own import own_grader
from workspan.tasks.rows import read_row
from workspan.testing.engine_suite import check_engine
from workspan.testing.grader_suite import check_grader
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.server import Behaviour, SimulatedServer
from workspan.testing.task_suite import check_tasks
from workspan.testing.verifier_suite import check_verifier

ASKED = (Message("user", "Write twice(x)."),)
PROBLEMS = {
    "public_tests": Problem("twice", ASKED, "code", tests=("assert twice(2) == 4",)),
    "plan_check": open_tasks("trip_planning(cities=3)").load(1)[0].problem,
}
"""For verifiers that judge one kind of problem."""


@pytest.mark.parametrize("name", table("verifiers").ours)
def test_every_verifier_keeps_its_suite(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = table("verifiers").ours[name]
    if name in ("public_tests", "patch_tests"):
        _need_a_sandbox()
        monkeypatch.chdir(tmp_path)  # the folder that diffs are of
    prm = {"prm": ScriptedEngine(lambda _: "[0.25,0.5]")} if name == "process_reward" else {}
    verifier = parse_verifier(row.example, imports=True)
    if name == "process_reward":  # its reply is read, not decoded: a scripted one is a word long
        object.__setattr__(verifier, "card", None)
    problem = PROBLEMS.get(name)
    if problem is None:
        check_verifier(verifier, engines=prm)
    else:
        check_verifier(verifier, problem)


@pytest.mark.parametrize(
    "text",
    [
        "sh:cat > /dev/null; echo 0.5",
        "sh:grep -q 4 && echo 1 || echo 0",
        "sh:exit 3",
        "sh:echo null",
        "sh:yes",
    ],
)
def test_commands_keep_the_verifiers_suite(text: str) -> None:
    check_verifier(parse_verifier(text, imports=True))


GRADED: dict[str, tuple[dict[str, Any], str, str]] = {
    "equivalence": ({"question": "2 + 3?", "answer": "5"}, "5.0", "6"),
    "exact_match": ({"question": "Who?", "answer": "The Baker"}, "baker!", "the miller"),
    "f1": ({"question": "Who?", "answer": "the old baker"}, "old baker", "miller"),
    "code": (
        {"question": "Write twice.", "kind": "code", "tests": ["assert twice(2) == 4"]},
        "def twice(x):\n    return 2 * x",
        "def twice(x):\n    return x",
    ),
}


GRADERS = [
    pytest.param(name, marks=[pytest.mark.slow] if name == "code" else [])  # two sandboxes each
    for name in table("graders").ours
]


@pytest.mark.parametrize("name", GRADERS)
def test_every_grader_keeps_its_suite(name: str) -> None:
    fields, right, wrong = GRADED[name]
    if name == "code":
        _need_a_sandbox()
    task = read_row(fields, "1")
    anyio.run(check_grader, own_grader(table("graders").ours[name].example), task, right, wrong)


SETS = [
    pytest.param(name, marks=[pytest.mark.slow] if name == "demo" else [])  # reasoning-gym's
    for name in table("tasks").ours
]
ROWS = (
    "id,question,answer\n1,What is 1 + 1?,2\n2,What is 2 + 1?,3\n3,What is 3 + 1?,4\n"
    "4,What is 4 + 1?,5\n5,What is 5 + 1?,6\n"
)
"""Of a benchmark that is read from a file of the user's own: none is shipped or fetched here."""


@pytest.mark.parametrize("name", SETS)
def test_every_task_set_keeps_its_suite(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "benchmarks" in table("tasks").ours[name].path:
        (tmp_path / f"{name}.csv").write_text(ROWS)
        monkeypatch.setenv(FOLDER, str(tmp_path))
    anyio.run(check_tasks, open_tasks(table("tasks").ours[name].example))


async def _scripted() -> None:
    await check_engine(await open_engine("scripted"))


async def _http() -> None:
    server = SimulatedServer(Behaviour(text="one two three four five " * 9, is_numbered=True))
    async with server.serve():
        engine = await open_engine(server.url, "simulated")
        try:
            assert engine.info.model == "simulated"
        finally:
            await engine.aclose()


async def _reward(name: str) -> None:
    engine = await open_engine(table("engines").ours[name].example)
    try:
        assert engine.info.name
    finally:
        await engine.aclose()


@pytest.mark.parametrize("name", table("engines").ours)
def test_every_engines_example_opens(name: str) -> None:
    """Those with a model or a server keep the suite in `tests/engines`."""
    if name == "scripted":
        anyio.run(_scripted)
    elif name == "http":
        anyio.run(_http)
    elif name in ("reward", "classify", "rerank"):
        anyio.run(_reward, name)
    else:
        row = table("engines").ours[name]
        assert row.example.partition("(")[0] == name
        assert first_line(row.load())


def test_what_the_list_of_commands_says_is_what_they_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    group: Any = typer.main.get_command(app)
    assert isinstance(group, Commands)
    for name, row in table("commands").ours.items():
        listed = group.get_command(None, name).short_help
        made = row.load()
        said = made.info.help if isinstance(made, typer.Typer) else first_line(made)
        assert listed == said, name
        loaded = group.resolve_command(typer.Context(group), [name])[1]
        assert loaded.name == name


def test_a_record_of_one_row_holds_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    from workspan.cli.main import main

    for group, name in (
        ("strategies", "best_of_n"),
        ("verifiers", "judge"),
        ("engines", "http"),
        ("graders", "code"),
        ("tasks", "hops"),
        ("tasks", "chain_sum"),
    ):
        with pytest.raises(SystemExit) as ended:
            main([group, name, "--json"])
        assert ended.value.code == 0
        told = json.loads(capsys.readouterr().out)
        assert told["name"] == name
        assert told["summary"]
        assert told["example"]
        assert told["distribution"]
        assert isinstance(told["parameters"], list)


def _need_a_sandbox() -> None:
    try:
        available()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
