"""A batch that is killed or stopped goes on where it was: real processes, a real server's bill."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from workspan.core.journal import Journal
from workspan.data.entry import Entry, RunId
from workspan.data.types import Usage
from workspan.testing.server import ServerBill

PROBLEMS = 20
SAMPLES = 3
CALLS = PROBLEMS * SAMPLES

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    """A simulated server in a process of its own; equal requests get equal answers."""

    port: int

    def bill(self) -> ServerBill:
        """Ask what it has taken in and sent, once that no longer changes."""
        before, bill = None, self._bill()
        while bill != before:
            time.sleep(0.1)
            before, bill = bill, self._bill()
        return bill

    def allow(self, answers: int | str) -> None:
        """Let so many more answers come to their end, or "all"; others stop half-way."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", f"/allow/{answers}")
        assert connection.getresponse().status == 200
        connection.close()

    def _bill(self) -> ServerBill:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/bill")
        bill = msgspec.json.decode(connection.getresponse().read(), type=ServerBill)
        connection.close()
        return bill


@dataclass(frozen=True)
class Batch:
    """One `workspan solve` over a file of problems, in its own folder."""

    folder: Path
    server: Server

    @property
    def output(self) -> Path:
        return self.folder / "answers.jsonl"

    @property
    def journal(self) -> Path:
        return self.folder / "answers.jsonl.journal"

    def start(self) -> subprocess.Popen[str]:
        source = self.folder / "problems.jsonl"
        rows = [
            {"id": f"sum {i}", "question": f"What is {i} + 1?", "kind": "number"}
            for i in range(PROBLEMS)
        ]
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        command = [sys.executable, "-m", "workspan", "solve", "--input", str(source)]
        command += ["--output", str(self.output), "--strategy", f"self_consistency(n={SAMPLES})"]
        command += ["--engine", f"http://127.0.0.1:{self.server.port}/v1", "--model", "simulated"]
        environment = {**os.environ, "WORKSPAN_STATE": str(self.folder / "state")}
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def finish(self) -> None:
        """Run to the end."""
        process = self.start()
        _, said = process.communicate(timeout=250)
        assert process.returncode == 0, said
        assert f"{PROBLEMS} answered, 0 without an answer, 0 failed" in " ".join(said.split())

    def stop(self, with_signal: signal.Signals, *, after: int) -> int:
        """Send the signal when so many calls have finished; return the exit code."""
        self.server.allow(after)  # the others wait: it can't end before it is stopped
        process = self.start()
        while self.finished() < after:
            assert process.poll() is None, "it ended before it could be stopped"
            time.sleep(0.01)
        process.send_signal(with_signal)
        process.communicate(timeout=250)
        self.server.allow("all")
        return process.returncode

    def runs(self) -> dict[RunId, Journal]:
        """Read the journal of each run; a last line that was cut short is none."""
        entries: dict[RunId, list[Entry]] = {}
        if self.journal.exists():
            *lines, _ = self.journal.read_bytes().split(b"\n")
            for line in map(msgspec.json.decode, lines[1:]):
                entry = msgspec.convert(line["entry"], Entry)
                entries.setdefault(msgspec.convert(line["run"], RunId), []).append(entry)
        return {run: Journal(found) for run, found in entries.items()}

    def finished(self) -> int:
        return sum(e.outcome == "sample" for run in self.runs().values() for e in run.entries)

    def unfinished(self) -> dict[str, list[Entry]]:
        """Return, for each problem, the calls that were asked and gave no sample."""
        calls: dict[str, list[Entry]] = {}
        for name, run in self.runs().items():
            latest = {entry.key: entry for entry in run.entries}
            calls[name.problem] = [e for e in latest.values() if e.outcome in ("open", "cut")]
        return calls

    def account(self) -> Usage:
        return sum((run.usage() for run in self.runs().values()), Usage())

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text().splitlines()]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    command = [sys.executable, "-m", "workspan.testing.server", "--seeded", "--delay", "0.02"]
    command += ["--text", "Let me think."]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()))
        process.kill()


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """A batch that nobody disturbed."""
    before = server.bill()
    batch = Batch(tmp_path_factory.mktemp("whole"), server)
    batch.finish()
    assert server.bill().calls - before.calls == CALLS
    return batch


@pytest.mark.parametrize(
    ("with_signal", "after"),
    [
        (signal.SIGKILL, 1),
        (signal.SIGKILL, CALLS // 3),
        (signal.SIGKILL, CALLS * 3 // 4),
        (signal.SIGINT, CALLS // 4),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_stopped_batch_goes_on_and_repeats_no_finished_call(
    with_signal: signal.Signals, after: int, server: Server, whole: Batch, tmp_path: Path
) -> None:
    batch = Batch(tmp_path, server)
    at_first = server.bill()
    code = batch.stop(with_signal, after=after)
    assert code == (130 if with_signal == signal.SIGINT else -signal.SIGKILL)
    _check_files(batch)
    at_stop = server.bill()
    kept, lost = batch.finished(), batch.unfinished()
    assert after <= kept < CALLS
    assert _answered(batch).items() <= _answered(whole).items()
    _check_account(batch, at_first, at_stop)

    batch.finish()
    assert server.bill().calls - at_stop.calls == CALLS - kept
    assert batch.finished() == CALLS
    assert batch.account().calls == CALLS + sum(map(len, lost.values()))
    _check_account(batch, at_first, server.bill())
    _check_answers(batch, whole, lost)

    at_end = server.bill()
    batch.finish()  # a batch that is done asks nothing
    assert server.bill() == at_end
    _check_answers(batch, whole, lost)
    _check_files(batch)


def _answered(batch: Batch) -> dict[str, str]:
    return {answer["problem"]: answer["answer"] for answer in batch.answers()}


def _check_files(batch: Batch) -> None:
    """Nobody else can read them."""
    for path in (batch.output, batch.journal):
        assert path.stat().st_mode & 0o777 == 0o600


def _check_account(batch: Batch, before: ServerBill, now: ServerBill) -> None:
    """What the server did is in the account, and what nobody saw is there as a bound."""
    account = batch.account()
    assert account.calls >= now.calls - before.calls
    assert account.amount.work >= now.completion_tokens - before.completion_tokens
    assert account.prefill >= now.prompt_tokens - before.prompt_tokens
    lost = [call for calls in batch.unfinished().values() for call in calls]
    assert lost
    assert {call.usage.source for call in lost} == {"estimated"}
    assert account.source == "estimated"


def _check_answers(batch: Batch, whole: Batch, lost: dict[str, list[Entry]]) -> None:
    """The same answers in the same order; only an interrupted run has cost more."""
    for mine, theirs in zip(batch.answers(), whole.answers(), strict=True):
        for field in ("problem", "answer", "text", "votes", "tied", "strategy", "stop"):
            assert mine[field] == theirs[field]
        extra = lost.get(mine["problem"], [])
        assert mine["calls"] == SAMPLES + len(extra)
        assert mine["work"] == theirs["work"] + sum(call.usage.work for call in extra)
        assert mine["source"] == ("estimated" if extra else theirs["source"])
