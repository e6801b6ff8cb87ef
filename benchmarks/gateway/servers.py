"""The servers that are compared: started alike, pinned to one core, measured from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class System:
    """One proxy."""

    name: str
    command: Sequence[str]
    """With {upstream} and {port}."""
    model: str = "m"
    door: str = "/health"
    """Answers once it serves; only where it does not say its address by itself."""
    files: dict[str, str] = field(default_factory=dict)
    """Written beside it, such as its configuration."""
    is_ours: bool = True
    """It runs in this environment; others must not see our sources."""
    dialect: str = "chat"
    """In which it is asked."""
    is_keyed: bool = False
    """It keeps keys in {folder}/NAME.db, and is asked what can be run beside."""


@dataclass(slots=True)
class Running:
    """One that runs."""

    url: str
    start_seconds: float
    pid: int

    def cpu(self) -> float:
        """Return the processor time taken so far, in seconds, children included."""
        return sum(_cpu(pid) for pid in [self.pid, *_children(self.pid)])

    def memory(self) -> tuple[float, float]:
        """Return RSS and PSS in megabytes, children included."""
        found = [_memory(pid) for pid in [self.pid, *_children(self.pid)]]
        return sum(rss for rss, _ in found), sum(pss for _, pss in found)


@contextmanager
def running(system: System, upstream: str, port: int, core: int, folder: Path) -> Iterator[Running]:
    """Start it on one core; it ends with the block."""
    for name, text in system.files.items():
        (folder / name).write_text(text.replace("{upstream}", upstream))
    told = {"upstream": upstream, "port": str(port), "folder": str(folder)}
    command = [part.format(**told) for part in system.command]
    began = time.perf_counter()
    log = (folder / f"{system.name}.log").open("w+")
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        stdout=log,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env={**_kept(system), "PYTHONUNBUFFERED": "1", "OPENAI_API_KEY": "sk-none"},
    )
    try:
        url = _wait(process, folder / f"{system.name}.log", port, system.door)
        yield Running(url, time.perf_counter() - began, process.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def _kept(system: System) -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if system.is_ours or not name.startswith("PYTHON")
    }


def _wait(process: subprocess.Popen[bytes], log: Path, port: int, door: str) -> str:
    """Return the address once it serves."""
    end = time.perf_counter() + 180
    while time.perf_counter() < end:
        said = log.read_text(errors="replace")
        if f"http://127.0.0.1:{port}/v1" in said:  # others' logs name the upstream, too
            return f"http://127.0.0.1:{port}/v1"
        if process.poll() is not None:
            raise RuntimeError(f"it ended: {said[-2000:]}")
        if _answers(port, door):
            return f"http://127.0.0.1:{port}/v1"
        time.sleep(0.01)
    raise RuntimeError("it did not start in three minutes")


def _answers(port: int, door: str) -> bool:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{door}", timeout=1) as reply:
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _memory(pid: int) -> tuple[float, float]:
    try:
        rolled = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # not allowed, or gone
        rolled = ""
    if not rolled:
        with suppress(OSError):
            found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
            return (int(found[1]) / 1024, float("nan")) if found else (0.0, 0.0)
    told = {
        name: int(value) / 1024
        for name, value in re.findall(r"^(Rss|Pss):\s+(\d+) kB", rolled, re.MULTILINE)
    }
    return told.get("Rss", 0.0), told.get("Pss", 0.0)


def _cpu(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    own = [int(one) for one in text.split()]
    return [*own, *(below for one in own for below in _children(one))]


def python(*module: str) -> list[str]:
    """Return the command of a module of ours."""
    return [sys.executable, "-m", *module]
