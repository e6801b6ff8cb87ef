"""Unmodified servers as processes on loopback, and their own counters."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from workspan.engines import models

_STILL = 4
"""Looks in a row at which a server is idle and its counters stand: a proxy may be on its way."""


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def process(
    command: Sequence[str],
    log: Path,
    *,
    door: str = "",
    first_line: str = "",
    variables: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run a server until the block is left; yield its address.

    It is ready when `door` answers with status 200, or has said a line that begins so. It and all
    that it started end with the block.
    """
    kept = {name: value for name, value in os.environ.items() if not _is_ours(name)}
    with (
        log.open("w") as out,
        subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**kept, "PYTHONUNBUFFERED": "1", **(variables or {})},
            start_new_session=True,
        ) as server,
    ):
        try:
            while not (address := _said(log, first_line) if first_line else _answers(door)):
                if server.poll() is not None:
                    raise RuntimeError(f"{command[0]} ended: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield address
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def _is_ours(name: str) -> bool:
    """Say whether a variable must not reach another project's server: a key, or our sources."""
    return name.endswith("_API_KEY") or name.startswith(("PYTEST", "PYTHON", "WORKSPAN"))


def _said(log: Path, start: str) -> str:
    lines = log.read_text(errors="replace").splitlines(keepends=True)
    return next((line.strip() for line in lines if line.startswith(start) and "\n" in line), "")


def _answers(door: str) -> str:
    try:
        with urllib.request.urlopen(door, timeout=5) as response:
            return door if response.status == 200 else ""
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return ""


@contextmanager
def llama_server(log: Path, *options: str) -> Iterator[str]:
    """Serve the project's small model by llama.cpp's own server, with its metrics."""
    model = str(models.fetch(models.DEFAULT).path)
    command = [sys.executable, "-m", "workspan.testing.llama_server", model, *options]
    kept = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    with process(command, log, first_line="http", variables=kept) as address:
        yield address


@dataclass(frozen=True, slots=True)
class Counters:
    """What a llama.cpp server says that it has done since it started."""

    decoded: int
    """Tokens, those of answers that were cut included."""
    read: int
    """Prompt tokens that no cache served."""
    cached: int
    is_busy: bool

    def since(self, earlier: Counters) -> Counters:
        """Count from another look on."""
        return Counters(
            self.decoded - earlier.decoded,
            self.read - earlier.read,
            self.cached - earlier.cached,
            self.is_busy,
        )


def look(address: str) -> Counters:
    """Read `/metrics` once."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=60) as response:
        text = response.read().decode()
    found = {
        name: int(float(value))
        for name, value in re.findall(r"^llamacpp:(\w+) (\S+)$", text, re.MULTILINE)
    }
    return Counters(
        found["tokens_predicted_total"],
        found["prompt_tokens_total"],
        found["prompt_tokens_cached_total"],
        found["requests_processing"] + found["requests_deferred"] > 0,
    )


def settled(address: str) -> Counters:
    """Read `/metrics` when all that was asked for is done with, cut or not."""
    looks: list[Counters] = []
    while len(looks) < _STILL or looks[-1].is_busy or len(set(looks[-_STILL:])) > 1:
        looks.append(look(address))
        time.sleep(0.1)
    return looks[-1]


@contextmanager
def simulated(log: Path, *options: str) -> Iterator[str]:
    """Serve scripted answers by our own simulated server, which counts what it sends."""
    command = [sys.executable, "-m", "workspan.testing.server", *options]
    kept = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command += ["--port", str(port)]
    with process(command, log, door=f"{address}/v1/models", variables=kept):
        yield address


def simulated_settled(address: str) -> Counters:
    """Read the simulated server's own bill when it stands."""
    looks: list[Counters] = []
    while len(looks) < _STILL or len(set(looks[-_STILL:])) > 1:
        with urllib.request.urlopen(f"{address}/bill", timeout=60) as response:
            bill = json.load(response)
        looks.append(Counters(bill["completion_tokens"], bill["prompt_tokens"], 0, is_busy=False))
        time.sleep(0.1)
    return looks[-1]
