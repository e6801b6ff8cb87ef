"""``workspan compare`` as scripts and people meet it: real processes, exit codes, two streams."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from workspan.cli.main import main
from workspan.spec import STRATEGIES as STRATEGIES_TABLE
from workspan.spec import split_list

pytestmark = pytest.mark.slow

STRATEGIES = "single,grid(breadth=4, depth=64),self_consistency(n=4)"


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    path = tmp_path / "problems.jsonl"
    rows = [
        {"id": f"sum {i}", "question": f"What is {i} + 1?", "answer": "4", "kind": "number"}
        for i in range(12)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[str]
    address: str

    def go_on(self) -> None:
        """Let all answers come to their end."""
        place = self.address.removesuffix("/v1").removeprefix("http://")
        connection = http.client.HTTPConnection(place, timeout=60)
        connection.request("POST", "/allow/all")
        assert connection.getresponse().status == 200
        connection.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server in a process of its own that ends three answers and stops in the midst of others."""
    command = [sys.executable, "-m", "workspan.testing.server", "--delay", "0.001", "--seeded"]
    command += ["--allow", "3"]
    command += ["--text", "so " * 40 + "Answer: 4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Server(process, f"http://127.0.0.1:{int(process.stdout.readline())}/v1")
        process.kill()


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "workspan", "compare", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "120"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def compare(*arguments: str | Path) -> tuple[int, str, str]:
    process = start(*arguments)
    out, said = process.communicate(timeout=250)
    return process.returncode, out, " ".join(said.split())


def scripted(problems: Path, *more: str | Path) -> tuple[int, str, str]:
    return compare("--engine", "scripted", "--input", problems, "--strategies", STRATEGIES, *more)


def test_json_is_one_record_a_strategy_and_nothing_else(problems: Path) -> None:
    code, out, said = scripted(problems, "--json", "--budget", "500 work")
    assert code == 0
    found = [json.loads(line) for line in out.splitlines()]
    names = ["single", "grid(depth=64)", "self_consistency(n=4)"]
    assert [record["strategy"] for record in found] == names
    for record in found:
        assert record["problems"] == 12
        assert 0 <= record["low"] <= record["accuracy"] <= record["high"] <= 1
        assert 0 < record["span"] <= record["work"] <= 500
        assert (record["budget"], record["over_budget"]) == ("500 work", 0)
    assert [record["calls"] for record in found] == [1, 4, 4]
    assert "simulated: no language model" in said


def test_the_table_runs_from_sequential_to_parallel_and_the_chart_comes_on_demand(
    problems: Path,
) -> None:
    reverse = ",".join(split_list(STRATEGIES)[::-1])
    code, out, _ = scripted(problems, "--chart", "--strategies", reverse)
    assert code == 0
    rows = [line[:2] for line in out.splitlines() if re.match(r"[A-C]  ", line)]
    assert rows[0] == "C "  # single
    assert sorted(rows) == ["A ", "B ", "C "]
    assert "span (tokens, log)" in out
    assert "span (tokens, log)" not in scripted(problems)[1]


def test_all_stands_for_every_strategy_that_can_run_here(problems: Path) -> None:
    code, out, said = compare(
        *("--engine", "scripted", "--input", problems, "--limit", "2", "--json"),
        *("--strategies", "single(max_tokens=9),all", "--budget", "300 work"),
    )
    assert code == 0
    found = [json.loads(line) for line in out.splitlines()]
    ran = {record["strategy"].split("(")[0] for record in found}
    assert ran == {name for name, known in STRATEGIES_TABLE.items() if not known.card.extra} - {
        "retrieve"
    }
    assert found[0]["strategy"] == "single(max_tokens=9)"
    assert all(record["over_budget"] == record["failed_runs"] == 0 for record in found)
    assert all(record["work"] <= 300 for record in found)
    assert "retrieve" in said
    assert "give a corpus to search" in said


def test_the_same_command_again_asks_nothing_and_says_the_same(problems: Path) -> None:
    first, second = scripted(problems, "--json"), scripted(problems, "--json")
    assert first == second
    folder = Path(os.environ["WORKSPAN_STATE"])
    (journal,) = folder.iterdir()
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert first[1]


def test_a_report_is_written_and_private(problems: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert scripted(problems, "--report", path)[0] == 0
    assert "3 strategies on 12 problems" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_dry_run_says_what_it_takes_and_spends_nothing(problems: Path) -> None:
    code, out, said = scripted(problems, "--dry-run", "--json", "--budget", "500 work")
    assert code == 0
    found = [json.loads(line) for line in out.splitlines()]
    assert [record["strategy"] for record in found][-1] == "all"
    assert found[0]["calls"] == {"low": 12.0, "high": 12.0}
    assert found[1]["work"]["high"] == 12 * 4 * 64
    assert "by 12 problems nobody can tell" in said
    assert not Path(os.environ["WORKSPAN_STATE"]).exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "demo", "--strategies", "singel"], "did you mean 'single'?"),
        (["--task", "demo", "--budget", "8k wrok"], "did you mean 'work'?"),
        (["--task", "demo", "--engine", "embeded"], "did you mean 'embedded'?"),
        (["--task", "chain_sun"], "did you mean 'chain_sum'?"),
        (["--strategies", "single"], "say which problems"),
        (["--input", "missing.jsonl"], "missing.jsonl"),
        (["--task", "demo", "--report", "nowhere/report.html"], "nowhere does not exist"),
        (["--task", "demo", "--strategies", "single,single"], "given twice"),
    ],
)
def test_bad_input_ends_with_2_and_says_what_would_be_right(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = [] if "--engine" in arguments else ["--engine", "scripted"]
    with pytest.raises(SystemExit) as ended:
        main(["compare", *engine, *arguments])
    out, errors = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert said in " ".join(errors.split())
    assert "Traceback" not in errors


def test_a_broken_line_is_named(problems: Path) -> None:
    problems.write_text(problems.read_text() + "{broken\n")
    code, _, said = scripted(problems)
    assert code == 2
    assert "problems.jsonl:13" in said.replace(" ", "")


SOON = ["--set", "retries.attempts=2"]
"""A dead server is not waited for."""


def test_a_dry_run_needs_no_server_where_its_model_is_named(problems: Path) -> None:
    away = ["--engine", "http://127.0.0.1:9/v1", "--input", str(problems), *SOON]
    away += ["-s", "single", "--dry-run"]
    code, out, err = compare(*away, "--model", "m", "--json")
    assert code == 0, err
    assert json.loads(out.splitlines()[0])["calls"]["high"] == 12
    assert "m is taken at your word" in err
    code, _, err = compare(*away)
    assert code == 3
    assert "with its model named" in err


def test_a_server_that_is_not_there_ends_with_3(problems: Path) -> None:
    code, out, said = compare(*served("http://127.0.0.1:9/v1", problems), *SOON)
    assert (code, out) == (3, "")
    assert "http://127.0.0.1:9/v1 can't be reached" in said


def test_a_server_that_dies_ends_with_3_and_keeps_what_is_finished(
    problems: Path, server: Server, tmp_path: Path
) -> None:
    process = start(*served(server.address, problems), *SOON, "--journal", tmp_path / "journal")
    wait_for_a_run(process, tmp_path / "journal")
    server.process.kill()
    out, said = process.communicate(timeout=250)
    assert (process.returncode, out) == (3, "")
    assert re.search(r"stopped: [1-9]\d* of 12 runs finished", said)
    assert re.search(r"the engine is gone after [1-9]\d* of 12 runs", said)


def test_an_interrupted_comparison_keeps_what_is_finished(
    problems: Path, server: Server, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    arguments = [*served(server.address, problems), "--journal", str(journal)]
    process = start(*arguments)
    wait_for_a_run(process, journal)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=250)
    assert (process.returncode, out) == (130, "")
    assert re.search(r"stopped: [1-9]\d* of 12 runs finished", said)
    assert 1 <= journal.read_bytes().count(b'"outcome":"sample"') < 12
    server.go_on()
    code, out, _ = compare(*arguments)
    assert code == 0
    assert json.loads(out)["problems"] == 12
    assert journal.read_bytes().count(b'"outcome":"sample"') == 12


def served(address: str, problems: Path) -> list[str]:
    named = ["--engine", address, "--model", "m", "--input", str(problems)]
    return [*named, "--strategies", "single", "--parallel", "2", "--json"]


def wait_for_a_run(process: subprocess.Popen[str], journal: Path) -> None:
    while not journal.exists() or b'"outcome":"end"' not in journal.read_bytes():
        assert process.poll() is None, "it ended before it could be stopped"
        time.sleep(0.01)
