"""What tests inside other tools share: environments with a tool and this checkout, and servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from peers.conftest import Install

PROJECT = Path(__file__).parents[3]
SIDE = Path(__file__).parent / "side"


@dataclass(frozen=True)
class Simulated:
    """A simulated server in a process of its own."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def bill(self) -> dict[str, int]:
        """What it has really taken in and sent."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/bill") as reply:
            found: dict[str, int] = json.load(reply)
        return found


Serve: TypeAlias = Callable[..., Simulated]
Inside: TypeAlias = Callable[..., Path]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start simulated servers, which end with the test."""
    started: list[subprocess.Popen[str]] = []

    def one(*words: str) -> Simulated:
        command = [sys.executable, "-m", "workspan.testing.server", "--port", "0", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return Simulated(int(process.stdout.readline()))

    yield one
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def inside(installed: Install) -> Inside:
    """Give the interpreter of an environment with a tool and this checkout."""

    def one(name: str, *packages: str) -> Path:
        return installed(f"inside-{name}", [*packages, "-e", str(PROJECT)])

    return one


def run_side(command: list[object], folder: Path, **variables: str) -> Any:
    """Run a program that prints JSON on its last line; nothing of ours is in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=kept | {"HOME": str(folder), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return json.loads(done.stdout.strip().rpartition("\n")[2])
