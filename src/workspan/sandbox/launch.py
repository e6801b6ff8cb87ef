"""Start a program within the walls of one mechanism, and read how it ended."""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import anyio
from anyio.abc import ByteReceiveStream, Process

from workspan.errors import SandboxUnavailable
from workspan.sandbox.mechanisms import BOX, DEVICES, Mechanism, interpreter, links, shown

Reason = Literal["ok", "error", "time", "memory", "processes", "output"]
"""ok: ended with status 0; error: with another status; else the limit that ended it."""

_BROKEN: dict[str, Reason] = {"time": "time", "memory": "memory", "processes": "processes"}

OUTPUT_BYTES = 64 << 10
"""How much of each of stdout and stderr is kept; more than that ends the program."""
OPEN_FILES = 64
GRACE = 10.0
"""Seconds for building the walls on a busy machine, on top of the program's own."""
_MIB = 1 << 20
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended."""

    reason: Reason
    status: int | None
    """Exit status, negative for a signal; None where a limit ended it."""
    stdout: str
    stderr: str
    seconds: float
    """Wall time, with that for building the walls."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may take: see `workspan.sandbox.run_python`."""

    seconds: float = 5.0
    memory_mb: int = 512
    processes: int = 16
    disk_mb: int = 64
    output: int = OUTPUT_BYTES
    """Bytes of each of stdout and stderr."""
    open_files: int = OPEN_FILES
    limits_addresses: bool = True
    """Each process has no more address space than memory; else what is in memory alone counts, as
    for programs that reserve more than they use."""

    def each(self) -> dict[str, tuple[int, int]]:
        """Return the soft and hard limits of each process, by their names in setrlimit(2)."""
        cpu = math.ceil(self.seconds)
        both = {
            "AS": self.memory_mb * _MIB,
            "NPROC": self.processes,
            "FSIZE": self.disk_mb * _MIB,
            "NOFILE": self.open_files,
            "CORE": 0,
            "MSGQUEUE": 0,
            "MEMLOCK": 0,
        }
        if not self.limits_addresses:
            del both["AS"]
        # the soft limit sends a signal that tells it from other deaths, the hard one kills
        return {"CPU": (cpu, cpu + 1)} | {name: (value, value) for name, value in both.items()}


@dataclass(frozen=True, slots=True)
class Guest:
    """What runs in the program's process, and may run the program, instead of it alone."""

    text: str
    """Python that is handed to the interpreter; ``{channel}`` in it is the descriptor's number."""
    channel: socket.socket
    """To another process; closed here as soon as the program has it."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A command that runs in a copy of a folder, in place of a program."""

    argv: tuple[str, ...]
    archive: int
    """Descriptor of the folder as a tar file, read from its beginning."""
    within: str
    """Where in the folder it runs."""
    variables: Mapping[str, str]
    shown: tuple[str, ...]
    """Paths of the machine that it can read."""


async def run(
    mechanism: Mechanism,
    code: str,
    stdin: str,
    limits: Limits,
    guest: Guest | None = None,
    payload: Payload | None = None,
) -> Outcome:
    """Run a program; nothing of it is left when this returns, raises or is cancelled.

    Args:
        mechanism: what builds the walls.
        code: the program, which lies in the box as ``main.py``.
        stdin: what it can read.
        limits: what it may take.
        guest: what is run in its place; the program itself if None.
        payload: a command that is run in place of both.

    Raises:
        SandboxUnavailable: the walls could not be built, so that the program did not start.
    """
    program = shutil.which(mechanism.program)
    if program is None:
        raise SandboxUnavailable(f"no {mechanism.program} on PATH")
    began = time.monotonic()
    with _sealed(code) as source, _sealed(stdin) as given, _pipe() as (reports, report):
        seen = payload.shown if payload else shown()
        walls = mechanism.walls(program, limits.disk_mb * _MIB, seen)
        further = [guest.channel.fileno()] if guest else [payload.archive] if payload else []
        process = await anyio.open_process(
            [*walls, *_guard(mechanism, source, report, limits, guest, payload)],
            stdin=given,
            env={"HOME": BOX, "LANG": "C.UTF-8"},
            start_new_session=True,  # no terminal to write to
            pass_fds=(source, report, *further),
        )
        if guest:
            guest.channel.close()
        stdout, stderr, cut = await _finish(process, limits.seconds + GRACE, limits.output)
        try:
            said = os.read(reports, 4096).decode().split("\n")
        except BlockingIOError:
            said = [""]
    if said[0] != "ready" and cut is None:
        raise SandboxUnavailable(stderr.strip()[-500:] or f"{mechanism.program} failed")
    reason, status = _verdict(said[-1], cut, stderr)
    return Outcome(reason, status, stdout, stderr, time.monotonic() - began)


def _guard(
    mechanism: Mechanism,
    source: int,
    report: int,
    limits: Limits,
    guest: Guest | None,
    payload: Payload | None,
) -> list[str]:
    """Return the command for the first process within the walls."""
    plan = {
        "enclose": not mechanism.encloses,
        "python": interpreter(),
        "shown": payload.shown if payload else shown(),
        "devices": DEVICES,
        "links": links(payload.shown) if payload else {},
        "box": BOX,
        "disk": limits.disk_mb * _MIB,
        "inodes": 262_144 if payload else 4096,
        "code": source,
        "report": report,
        "guest": guest and guest.text.replace("{channel}", str(guest.channel.fileno())),
        "channel": guest and guest.channel.fileno(),
        "seconds": limits.seconds,
        "processes": limits.processes,
        "memory": limits.memory_mb * _MIB,
        "limits": limits.each(),
        "argv": payload and payload.argv,
        "archive": payload and payload.archive,
        "within": payload and payload.within,
        "variables": payload and dict(payload.variables),
    }
    inside = files("workspan.sandbox").joinpath("inside.py").read_text(encoding="utf-8")
    return [interpreter(), "-I", "-S", "-B", "-c", inside, json.dumps(plan)]


async def _finish(process: Process, seconds: float, most: int) -> tuple[str, str, Reason | None]:
    """Read to the end and reap; returns stdout, stderr and, if we cut the program, why."""
    kept = bytearray(), bytearray()
    cut: list[Reason] = []

    async def keep(stream: ByteReceiveStream | None, into: bytearray) -> None:
        assert stream is not None, "both streams are pipes"
        async for piece in stream:
            into += piece
            if len(into) > most:
                del into[most:]
                cut.append("output")
                process.kill()
                return

    # leaving the process, also by cancellation, kills it: with it dies the first process within,
    # and with that the kernel kills all others
    with anyio.move_on_after(seconds) as scope:
        async with process, anyio.create_task_group() as group:
            group.start_soon(keep, process.stdout, kept[0])
            group.start_soon(keep, process.stderr, kept[1])
            await process.wait()
    if scope.cancelled_caught:
        cut.append("time")
    stdout, stderr = (data.decode(errors="replace") for data in kept)
    return stdout, stderr, cut[0] if cut else None


def _verdict(said: str, cut: Reason | None, stderr: str) -> tuple[Reason, int | None]:
    """Name the end from the guard's report, which is missing if the guard itself was killed."""
    if cut is not None:
        return cut, None
    if said in _BROKEN:
        return _BROKEN[said], None
    if not said.startswith("exit "):
        return "error", None
    status = int(said.removeprefix("exit "))
    if status and stderr.rstrip().rpartition("\n")[2].startswith("MemoryError"):
        return "memory", None
    return ("error" if status else "ok"), status


@contextmanager
def _sealed(text: str) -> Iterator[int]:
    """Hold a text in memory as a file that nobody can change; yields its descriptor."""
    descriptor = os.memfd_create("workspan", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode(errors="surrogateescape"))
        file.flush()
        file.seek(0)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        yield descriptor


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Open a pipe; reading from it does not wait."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    try:
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)
