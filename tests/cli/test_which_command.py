"""`workspan which` against a server on loopback whose simulated model is right by effort."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from real_servers import Counters, simulated, simulated_settled
from workspan.spec import parse_strategy
from workspan.strategies.adaptive.ladder import Ladder

PROBLEMS = 16
CALLS = 3 * 3 * PROBLEMS
STATED = ("-o", "effort_field=reasoning_effort")

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with simulated(tmp_path / "server.log", "--by-effort") as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"id": f"sum {i}", "question": f"What is {i + 11} + 3?", "answer": f"{i + 14}"}
        for i in range(PROBLEMS)
    ]
    lines = [json.dumps({**row, "kind": "number"}) for row in rows]
    (tmp_path / "sums.jsonl").write_text("\n".join(lines))
    return tmp_path


def command(server: str, folder: Path, *options: str) -> list[str]:
    model = [] if "-m" in options else ["-m", "simulated"]
    asked = [sys.executable, "-m", "workspan", "which", "-e", f"{server}/v1", *model]
    asked += ["--input", str(folder / "sums.jsonl"), "--price", "1/10", "--depth", "400"]
    return [*asked, "--journal", str(folder / "kept.jsonl"), *options]


def run(server: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "WORKSPAN_STATE": str(folder / "state")}
    asked = command(server, folder, *options)
    return subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=280)


def records(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def bill(server: str) -> Counters:
    return simulated_settled(server)


def cost(counted: Counters) -> float:
    return (counted.read + 10 * counted.decoded) / 1e6


def test_what_is_wrong_is_said_before_anything_is_asked(server: str, folder: Path) -> None:
    done = run(server, folder, "--pilot", "$1")
    assert done.returncode == 2, done.stderr
    assert "nobody knows what efforts 'simulated' takes" in " ".join(done.stderr.split())
    dry = run(server, folder, "--pilot", "$1", *STATED, "--dry-run", "--json")
    assert records(dry)[-1]["calls"]["high"] == CALLS
    known = ["-m", "gpt-5.1", "--efforts", "low,high"]  # by the table, nothing is stated
    dry = run(server, folder, "--pilot", "$1", *known, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "is not known" in dry.stderr
    assert "limit them" not in dry.stderr  # a pilot has no seconds
    assert bill(server) == Counters(0, 0, 0, is_busy=False)


def test_the_pilot_is_what_the_server_counts_and_the_profile_climbs(
    server: str, folder: Path
) -> None:
    options = ["--pilot", "$1", *STATED, "--to", str(folder / "lib.json"), "--json"]
    found = records(run(server, folder, *options))
    arms, policy = [one for one in found if one["kind"] == "arm"], found[-1]
    assert [(one["effort"], one["width"]) for one in arms] == [
        (effort, n) for effort in ("low", "medium", "high") for n in (1, 2, 3)
    ]
    assert policy["kind"] == "policy"
    for one in arms:  # as it is shown it can be typed
        typed = Ladder((one["effort"],), (one["width"],), max_tokens=one["depth"])
        assert parse_strategy(one["arm"]) == typed
    assert policy["pilot_spent"] == pytest.approx(cost(bill(server)))
    accuracy = {one["effort"]: one["accuracy"] for one in arms if one["width"] == 1}
    assert accuracy["low"] < accuracy["high"]
    assert all(one["reasoning"] > 0 and one["seconds"] > 0 for one in arms)
    asked = [sys.executable, "-m", "workspan", "solve", "What is 12 + 30?", "--kind", "number"]
    asked += ["-e", f"{server}/v1", "--model", "simulated", *STATED, "--budget", "2k work"]
    asked += ["-s", f"auto(profile='{folder / 'lib.json'}')", "--json"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["votes"]


def allow(server: str, answers: str) -> None:
    asked = urllib.request.Request(f"{server}/allow/{answers}", method="POST")
    with urllib.request.urlopen(asked, timeout=60) as reply:
        assert reply.status == 200


def samples(folder: Path) -> int:
    kept = folder / "kept.jsonl"
    return kept.read_bytes().count(b'"outcome":"sample"') if kept.exists() else 0


def test_a_killed_race_goes_on_and_pays_for_nothing_twice(server: str, folder: Path) -> None:
    allow(server, "20")  # the others stop half-way: it can't end before it is killed
    environment = {**os.environ, "WORKSPAN_STATE": str(folder / "state")}
    options = ["--pilot", "$1", *STATED, "--json"]
    process = subprocess.Popen(
        command(server, folder, *options), env=environment, stdout=subprocess.DEVNULL
    )
    while samples(folder) < 20:
        assert process.poll() is None, "it ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    allow(server, "all")
    kept = samples(folder)
    before = bill(server)
    found = records(run(server, folder, *options))
    after = bill(server)
    asked = after.since(before)
    assert found[-1]["problems"] == PROBLEMS
    assert samples(folder) == CALLS
    whole = cost(asked) + sum(_costs(folder)[:kept])
    assert found[-1]["pilot_spent"] >= whole * 0.999  # calls in flight are charged their bound
    again = records(run(server, folder, *options))
    assert again == found
    assert bill(server) == after


def _costs(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / "kept.jsonl").read_text().splitlines()[1:]]
    usages = [line["entry"]["usage"] for line in lines if line["entry"]["outcome"] == "sample"]
    return [float(one["cost"]) for one in usages]


def test_a_small_pilot_ends_the_race_and_a_higher_one_goes_on(server: str, folder: Path) -> None:
    small = run(server, folder, "--pilot", "$0.015", *STATED, "--json")
    spent = bill(server)
    assert small.returncode == 0, small.stderr
    assert cost(spent) <= 0.015
    assert "the pilot's limit on cost ended the race after" in small.stderr
    found = records(run(server, folder, "--pilot", "$1", *STATED, "--json"))
    assert found[-1]["problems"] == PROBLEMS
    assert found[-1]["pilot_spent"] == pytest.approx(cost(bill(server)))


def test_a_pilot_that_graded_nothing_says_what_it_cost(server: str, folder: Path) -> None:
    done = run(server, folder, "--pilot", "100 work", *STATED, "--json")
    spent = bill(server)
    assert (done.returncode, done.stdout) == (0, "")
    assert 0 < spent.decoded <= 100
    assert "spent all the same: " in done.stderr
    assert f" calls, {spent.decoded} work, $" in done.stderr
