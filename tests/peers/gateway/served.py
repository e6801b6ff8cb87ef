"""The gateway as its users start it: `workspan serve` in a process of its own, and what it logs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers.gateway.simulated_upstream import BEHAVIOURS, SECRET, Upstream
from real_servers import process

KEY = "sk-client-abcdefghijklmnopqrstuv"
"""What clients show the gateway; it must go no further."""
NAMED = ("careful=self_consistency(n=3)",)


@dataclass(slots=True)
class Served:
    """A gateway that runs."""

    url: str
    """With `/v1`."""
    log: Path
    _read: int = 0
    """Lines of the log that are forgotten."""

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def lines(self) -> list[dict[str, Any]]:
        """Return its log so far, a line a request."""
        told = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, told) if line["event"] == "request"]

    def forget(self) -> None:
        """Let `wait_for_next` begin with the next request.

        A line is written after its reply: one more request is made, and its line comes after those
        of all before it.
        """
        with urllib.request.urlopen(f"{self.root}/readyz") as reply:
            last = reply.headers["x-request-id"]
        while last not in (line["id"] for line in self.lines()):
            time.sleep(0.02)
        self._read = len(self.lines())

    def wait_for_next(self, count: int) -> list[dict[str, Any]]:
        """Return the lines since `forget` once there are so many: a line is written last."""
        while len(found := self.lines()[self._read :]) < count:
            time.sleep(0.02)
        return found


@contextmanager
def served(
    folder: Path, *options: str, variables: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Run `workspan serve` until the block is left."""
    command = [sys.executable, "-m", "workspan", "serve", "--json", "--port", "0", *options]
    kept = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    told = {**kept, "WORKSPAN_STATE": str(folder / "state"), **(variables or {})}
    log = folder / "gateway.log"
    with process(command, log, first_line='{"event":"listening"', variables=told) as line:
        yield Served(json.loads(line)["url"], log)


def engines(upstream: Upstream) -> Sequence[str]:
    """Write the options that name an engine for each behaviour; its model is called the same."""
    found: list[str] = []
    for name in BEHAVIOURS:
        found += ["-e", f"{name}={upstream.url(name)}", "--model", f"{name}={name}"]
        found += ["--api-key-env", f"{name}=SIMULATED_KEY"]
    for one in NAMED:
        found += ["--name", one]
    return found


@contextmanager
def served_simulated(folder: Path, upstream: Upstream, *options: str) -> Iterator[Served]:
    """Run the gateway before the simulated upstream."""
    variables = {"SIMULATED_KEY": SECRET}
    with served(folder, *engines(upstream), *options, variables=variables) as gateway:
        yield gateway


def add_key(store: Path, budget: str) -> str:
    """Make a key by the command line, as an operator does; return its text."""
    command = [sys.executable, "-m", "workspan", "keys", "add", "tests", "--budget", budget]
    command += ["--store", str(store), "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    key: str = json.loads(told)["key"]
    return key
