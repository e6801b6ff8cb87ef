"""A plug-in of another distribution, built and installed, used in every way there is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import workspan as ws
from workspan.registry.table import table
from workspan.spec import parse_verifier, write
from workspan.spec.engines import open_engine
from workspan.tasks import open_tasks, read_tasks
from workspan.tasks.graders.own import own_grader
from workspan.testing.engine_suite import check_engine
from workspan.testing.grader_suite import check_grader
from workspan.testing.strategy_suite import check_account, check_cost, check_resume
from workspan.testing.task_suite import check_tasks
from workspan.testing.verifier_suite import check_verifier

pytestmark = pytest.mark.heavy  # it builds a wheel and starts the program a dozen times

PROJECT = Path(__file__).parent / "acme"
OFFLINE = ("--no-deps", "--no-build-isolation", "--no-index")
QUESTION = "What is 2 + 2? End with 'Answer: <number>'."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the project's wheel and install it into a folder, without a network."""
    folder = tmp_path_factory.mktemp("plugins")
    shutil.copytree(PROJECT, folder / "acme", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "-q", *OFFLINE, "-w", str(folder / "wheels"), str(folder / "acme")],
        check=True,
    )
    (wheel,) = (folder / "wheels").glob("acme_plugin-1.2-*.whl")
    to = folder / "site"
    subprocess.run([*pip, "install", "-q", *OFFLINE, "-t", str(to), str(wheel)], check=True)
    return to


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Put it on this process's search path."""
    monkeypatch.syspath_prepend(site)
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_plugin"]:
        del sys.modules[name]


def workspan(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a user has it: in a folder of theirs, the plug-in installed.

    As the installed script does: the folder that it starts in is not on its search path.
    """
    script = site.parent / "workspan_script.py"
    script.write_text("from workspan.cli.main import main\nmain()\n")
    paths = [str(site), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=env,
        check=False,
    )


def test_each_kind_is_used_on_the_command_line(site: Path, tmp_path: Path) -> None:
    asked = ["solve", QUESTION, "--kind", "number", "--json", "-b", "200 work"]
    engine = ["-e", "parrot(word='7')"]
    done = workspan(site, tmp_path, *asked, *engine, "-s", "best(longest(n=3), n=2)")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["answer"] == "7"
    assert record["strategy"] == "best(longest(n=3), n=2)"
    assert record["engine"] == "parrot"
    judged = ["-s", "best_of_n(n=2, verifier=shouting)", "-e", "parrot:7", "--model", "macaw"]
    done = workspan(site, tmp_path, *asked, *judged)
    record = json.loads(done.stdout)
    assert (record["answer"], record["model"], record["notices"]) == ("7", "macaw", [])
    problems = tmp_path / "problems.jsonl"
    problems.write_text('{"ask": "2 + 2?", "tell": 4}\n{"note": "nothing"}\n')
    compared = ["compare", "--input", str(problems), "--json", *engine, "-s", "longest"]
    compared += ["--reader", "pairs", "--journal", str(tmp_path / "journal.jsonl")]
    for grader, right in (("lenient", 0.0), ("lenient(by=3)", 1.0)):
        done = workspan(site, tmp_path, *compared, "--grader", grader)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[0])["accuracy"] == right
    done = workspan(site, tmp_path, "compare", "-t", "words(longest=1)", "-e", "parrot(word='1')")
    assert done.returncode == 0, done.stderr
    done = workspan(site, tmp_path, "acme-hello", "you", "--times", "2")
    assert (done.returncode, done.stdout) == (0, "hello you, hello you\n")


def test_lists_and_help_show_it_and_say_what_cant_be_used(site: Path, tmp_path: Path) -> None:
    done = workspan(site, tmp_path, "--help")
    assert "acme-hello" in done.stdout
    assert "From acme-plugin 1.2." in done.stdout
    done = workspan(site, tmp_path, "strategies", "--json")
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert rows["longest"]["source"] == "acme-plugin 1.2"
    assert "acme forgot its keys" in rows["broken"]["summary"]
    assert "'single' of acme-plugin 1.2 is left out" in done.stderr
    assert done.returncode == 0
    told = json.loads(workspan(site, tmp_path, "strategies", "longest", "--json").stdout)
    assert told["distribution"] == "acme-plugin 1.2"
    assert told["cost"]["work"] == "n * max_tokens"
    assert [item["name"] for item in told["parameters"]] == ["n", "max_tokens"]
    assert told["parameters"][0]["doc"] == "Chains drawn."
    done = workspan(site, tmp_path, "solve", "hi", "-e", "scripted", "-s", "broken")
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    assert "'broken' of acme-plugin 1.2 can't be imported: RuntimeError" in done.stderr


def test_the_same_from_files_of_the_users_own(site: Path, tmp_path: Path) -> None:
    package = PROJECT / "src" / "acme_plugin"
    for name in ("strategies", "engines", "verifiers", "graders", "readers", "tasks"):
        shutil.copy(package / f"{name}.py", tmp_path / f"my_{name}.py")
    (tmp_path / "problems.jsonl").write_text('{"ask": "2 + 2?", "tell": 5}\n')
    nothing = tmp_path / "empty" / "site"
    nothing.mkdir(parents=True)
    for head in ("my_{}.py:", "my_{}:"):
        strategy = head.format("strategies") + "Longest(n=3)"
        verifier = head.format("verifiers") + "shouting"
        done = workspan(
            nothing,
            tmp_path,
            *("compare", "--input", "problems.jsonl", "--json", "--journal", f"{len(head)}.jsonl"),
            *("-e", head.format("engines") + "Parrot(word='4')"),
            *("-s", f"{strategy},best_of_n(n=2, verifier={verifier})"),
            *("--reader", head.format("readers") + "pairs"),
            *("--grader", head.format("graders") + "Lenient(by=1)"),
        )
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        assert rows[0]["strategy"] == strategy
        assert [row["accuracy"] for row in rows] == [1.0, 1.0]
        done = workspan(
            nothing,
            tmp_path,
            *("compare", "-t", head.format("tasks") + "Words(longest=1)", "-s", strategy),
            *("-e", head.format("engines") + "Parrot(word='1')"),
        )
        assert done.returncode == 0, done.stderr


def test_each_kind_is_used_from_python_and_keeps_its_suite(installed: Path) -> None:
    strategy = ws.parse_strategy("longest(n=3, max_tokens=40)")
    assert write(strategy) == "longest(n=3, max_tokens=40)"
    check_cost(strategy)
    for budget in (ws.Budget(), ws.Budget(work=30), ws.Budget(calls=1)):
        check_account(strategy, budget, None, 0)
        check_resume(strategy, budget)
    check_verifier(parse_verifier("shouting"))
    graded = open_tasks("words").load(1)[0]

    async def main() -> None:
        await check_tasks(open_tasks("words(longest=4)"))
        await check_grader(own_grader("lenient(by=1)"), graded, graded.reference, "99")
        await check_engine(await open_engine("parrot(times=40)"))
        engine = await open_engine("parrot")
        result = await ws.run(strategy, ws.Problem.ask(QUESTION, kind="number"), engine)
        assert (result.answer.text, result.strategy) == ("4", "longest(n=3, max_tokens=40)")

    anyio.run(main)
    from acme_plugin.strategies import Longest  # type: ignore[import-not-found]

    assert write(Longest(n=5)) == "longest(n=5)"
    assert table("readers").find("pairs").load()({"ask": "a", "tell": 1})["answer"] == 1


def test_its_reader_reads_a_file(installed: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"ask": "2 + 2?", "tell": 4}\n')
    (task,) = read_tasks(path, "pairs")
    assert (task.reference, task.problem.kind) == ("4", "number")
