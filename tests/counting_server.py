"""A simulated server in a process of its own, which keeps its own bill."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

import msgspec

from workspan.testing.server import ServerBill


@dataclass(frozen=True)
class CountingServer:
    """Where it listens, and what it has decoded."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def bill(self) -> ServerBill:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/bill")
        found = msgspec.json.decode(connection.getresponse().read(), type=ServerBill)
        connection.close()
        return found


@contextmanager
def serving(*options: str) -> Iterator[CountingServer]:
    """Run a server for as long as the block runs; equal requests get equal answers."""
    command = [sys.executable, "-m", "workspan.testing.server", "--seeded", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield CountingServer(int(process.stdout.readline()))
        finally:
            process.kill()
