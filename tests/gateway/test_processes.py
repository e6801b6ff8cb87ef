"""The command itself: its first line, its workers, its end on a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families

from patience import RUN
from workspan.serve.keeping import add_key, key_usage
from workspan.serve.running import Revival
from workspan.testing.server import Behaviour, SimulatedServer

PATIENCE = 120
"""Seconds after which a process is taken to hang."""


@contextmanager
def upstream(behaviour: Behaviour) -> Iterator[SimulatedServer]:
    """Run a simulated server in a thread of its own."""
    server = SimulatedServer(behaviour)
    is_up, is_over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with server.serve():
            is_up.set()
            while not is_over.is_set():  # noqa: ASYNC110  # another thread says when
                await anyio.sleep(0.02)

    thread = threading.Thread(target=lambda: RUN(serve))
    thread.start()
    is_up.wait()
    try:
        yield server
    finally:
        is_over.set()
        thread.join()


@contextmanager
def heard() -> Iterator[None]:
    """Let what is started here hear a terminal's end, where nohup had it ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def command(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``workspan serve``; yield it with its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "workspan", "serve", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENAI_API_KEY": "sk-x"},
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline() or "{}")
        assert told.get("event") == "listening", process.communicate()
        yield process, told["url"]
    finally:
        process.kill()
        process.communicate()


def ask(url: str, **fields: Any) -> Any:
    turns = [{"role": "user", "content": "hi"}]
    body = json.dumps({"model": "simulated", "messages": turns, **fields}).encode()
    request = urllib.request.Request(f"{url}/chat/completions", body)
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        return json.load(reply)


def test_it_says_where_it_listens_answers_and_ends_well() -> None:
    with (
        upstream(Behaviour()) as up,
        command("-e", up.url, "--model", "simulated", "--budget", "500 work") as (process, url),
    ):
        assert ask(url)["workspan"]["work"] == 4
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode in (0, -signal.SIGTERM)
        (line,) = [json.loads(one) for one in said.splitlines()]
        assert (line["status"], line["work"], line["route"]) == (200, 4, "/v1/chat/completions")
        assert "hi" not in line.values()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_that_runs_ends_before_the_process_does(sign: signal.Signals) -> None:
    """A terminal that is closed says SIGHUP."""
    behaviour = Behaviour(text="one two three four five six", delay_seconds=0.2)
    with (
        heard(),
        upstream(behaviour) as up,
        command("-e", up.url, "--model", "simulated") as (process, url),
    ):
        turns = [{"role": "user", "content": "hi"}]
        body = json.dumps({"model": "simulated", "messages": turns, "stream": True}).encode()
        request = urllib.request.Request(f"{url}/chat/completions", body)
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            first = reply.readline()
            process.send_signal(sign)
            whole = first + reply.read()
        assert whole.endswith(b"data: [DONE]\n\n")
        assert whole.count(b"data: {") == 7
        process.communicate(timeout=PATIENCE)
        with pytest.raises(urllib.error.URLError):
            ask(url)
        assert up.bill.calls == 1


SLOW = Behaviour(text="one two three four five six", delay_seconds=0.2)
TURNS = [{"role": "user", "content": "hi"}]
STREAM = json.dumps({"model": "simulated", "messages": TURNS, "stream": True}).encode()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_that_reaches_a_worker_twice_at_once_is_one(workers: str) -> None:
    """As of a terminal's Ctrl-C, or of a service's end: to all processes, and by their parent."""
    with (
        upstream(SLOW) as up,
        command("-e", up.url, "--model", "simulated", "--workers", workers) as (process, url),
        urllib.request.urlopen(
            urllib.request.Request(f"{url}/chat/completions", STREAM), timeout=PATIENCE
        ) as reply,
    ):
        whole = reply.readline()
        for one in (process.pid, *_children(process.pid)):
            os.kill(one, signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        whole += reply.read()
        assert whole.endswith(b"data: [DONE]\n\n")
        process.communicate(timeout=PATIENCE)


def test_a_second_signal_ends_what_runs_and_its_account_is_settled(tmp_path: Path) -> None:
    path = tmp_path / "keys.db"
    endless = Behaviour(text="word " * 10_000, delay_seconds=0.2)
    added = anyio.run(partial(add_key, str(path), "test", budget="9k work/total"))
    with (
        upstream(endless) as up,
        command("-e", up.url, "--model", "simulated", "--store", str(path)) as (process, url),
    ):
        headers = {"Authorization": f"Bearer {added.text}"}
        request = urllib.request.Request(f"{url}/chat/completions", STREAM, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            whole = reply.readline()
            process.send_signal(signal.SIGTERM)
            time.sleep(1.2)  # later than what counts as the same signal
            process.send_signal(signal.SIGTERM)
            whole += reply.read()
        assert json.loads(whole.split(b"data: ")[-1])["error"]["code"] == "draining"
        process.communicate(timeout=PATIENCE)
    [used] = anyio.run(key_usage, str(path), added.key.id)
    [work] = used.spendings
    assert work.held == 0
    assert 0 < work.spent == used.totals.work < 1_000


def test_one_look_at_the_figures_shows_all_workers() -> None:
    with (
        upstream(Behaviour()) as up,
        command("-e", up.url, "--model", "simulated", "--workers", "2") as (process, url),
    ):
        for _ in range(6):
            ask(url)
        counted: dict[str, float] = {}
        while sum(counted.values()) != 6:
            time.sleep(0.2)  # each tells the others once a second, and its log fills a pipe
            text = urllib.request.urlopen(f"{url.removesuffix('/v1')}/metrics").read().decode()
            counted = {
                one.labels["worker"]: one.value
                for family in text_string_to_metric_families(text)
                for one in family.samples
                if one.name == "workspan_calls_total"
            }
            assert sum(counted.values()) <= 6
            assert text.count("# TYPE workspan_calls_total ") == 1
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def test_workers_share_one_address_and_a_dead_one_is_replaced() -> None:
    with (
        upstream(Behaviour()) as up,
        command("-e", up.url, "--model", "simulated", "--workers", "2") as (process, url),
    ):
        for _ in range(8):
            assert ask(url)["workspan"]["work"] == 4
        children = _children(process.pid)
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)
        _until_children(process.pid, 2, without=children[0])
        for _ in range(8):
            assert ask(url)["workspan"]["work"] == 4
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        lines = [json.loads(one) for one in said.splitlines()]
        [died] = [one for one in lines if one["event"] == "worker_died"]
        assert (died["worker"], died["exit"]) in (("1", -signal.SIGKILL), ("2", -signal.SIGKILL))
        assert died["anew_in"] <= 0.5


def test_workers_whose_parent_was_killed_end_too() -> None:
    """Else they would hold the address and spend, and nobody would start them anew."""
    with (
        upstream(Behaviour()) as up,
        command("-e", up.url, "--model", "simulated", "--workers", "2") as (process, url),
    ):
        children = _children(process.pid)
        assert ask(url)["workspan"]["work"] == 4
        process.kill()
        process.communicate(timeout=PATIENCE)
        _until_gone(children)


def _until_gone(processes: list[int]) -> None:
    """Wait for processes that are no children of ours; one that nobody waited for is gone, too."""
    for one in processes:
        while Path(f"/proc/{one}").exists():
            with suppress(OSError):
                if ") Z " in Path(f"/proc/{one}/stat").read_text():
                    break
            time.sleep(0.05)


def test_a_worker_that_dies_as_it_begins_is_begun_anew_later_each_time() -> None:
    revival, now, pauses = Revival(0.0), 0.0, []
    for _ in range(9):
        assert revival.died(now)
        assert not revival.died(now)  # once
        assert not revival.is_due(now)
        pauses.append(revival.pause)
        now += revival.pause
        assert revival.is_due(now)
        assert not revival.is_due(now)
        now += 0.1
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert revival.died(now + 60)  # it had served for a while
    assert revival.pause == 0.5


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(one) for one in file.read().split()]


def _until_children(pid: int, count: int, without: int) -> None:
    while True:
        found = _children(pid)
        if len(found) == count and without not in found:
            return


def test_what_can_t_work_is_said_on_one_line() -> None:
    for options, said in (
        ((), "name an engine"),
        (("-e", "http://127.0.0.1:9/v1"), "name its model"),
        (("-e", "http://127.0.0.1:9/v1", "--model", "m", "--failover"), "second engine"),
        (("-e", "ftp://x", "--model", "m"), "engine"),
        (("-e", "http://127.0.0.1:9/v1", "--model", "m", "-s", "nosuch"), "nosuch"),
        (("-e", "http://127.0.0.1:9/v1", "--model", "m", "--host", "203.0.113.1"), "listened"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "workspan", "serve", "--port", "0", *options],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode != 0
        assert said in done.stderr, (options, done.stderr)
        assert "Traceback" not in done.stderr
