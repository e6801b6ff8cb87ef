"""Run model-written Python without trust: no network, no files, no secrets, bounded resources.

The walls are Linux namespaces, built by bubblewrap or by util-linux's unshare. Before any untrusted
code runs, a probe tries from within to reach out; a mechanism that lets it is not used. Where there
is none nothing runs. What stays open is the kernel itself: system calls are not filtered.
"""

from __future__ import annotations

import functools
import os
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.lowlevel import RunVar

from workspan.errors import SandboxUnavailable, at_least
from workspan.sandbox.launch import Limits, Outcome, Payload, Reason, run
from workspan.sandbox.mechanisms import BOX, preferred, shown_to_commands
from workspan.sandbox.probe import prove
from workspan.sandbox.trial import Trial, trial

__all__ = ["Outcome", "Reason", "Trial", "available", "run_command", "run_python", "run_tests"]

_running: RunVar[anyio.CapacityLimiter] = RunVar("workspan.sandbox")  # one to each event loop


async def run_python(
    code: str,
    *,
    stdin: str = "",
    seconds: float = 5.0,
    memory_mb: int = 512,
    processes: int = 16,
    disk_mb: int = 64,
) -> Outcome:
    """Run untrusted Python to its end, and end with it all that it started.

    As many run at once as there are processors: more would take time and memory from each other.
    It sees the standard library, what is installed beside it, and an empty folder to write to.

    Args:
        code: the program; an error in it is an outcome like any other.
        stdin: what it can read.
        seconds: wall time for all, and CPU time for each process (rounded up to whole seconds).
        memory_mb: MiB of address space for each process, and of all that they hold together: memory
            of their own and shared, files in the box, files without a name, segments. It is looked
            at every few milliseconds, so that it can be passed for a moment; what the kernel itself
            holds for them (page tables, pipes and sockets) is limited by their numbers only.
        processes: processes and threads at once.
        disk_mb: MiB of files in the box, and of each file without a name.

    Raises:
        SandboxUnavailable: no mechanism holds on this machine, or it failed.
    """
    at_least(0, seconds=seconds)
    at_least(1, memory_mb=memory_mb, processes=processes, disk_mb=disk_mb)
    name = await anyio.to_thread.run_sync(available)
    mechanism = next(m for m in preferred() if m.name == name)
    async with _places():
        return await run(mechanism, code, stdin, Limits(seconds, memory_mb, processes, disk_mb))


async def run_tests(
    program: str,
    tests: Sequence[str],
    *,
    helpers: str = "",
    seconds: float = 5.0,
    memory_mb: int = 512,
) -> Trial:
    """Run untrusted Python and, out of its reach, tests of it, until one fails.

    See `workspan.sandbox.trial` for what a test can do, and what a program can't.

    Args:
        program: the program under test.
        tests: Python statements, each of which raises where the program is wrong.
        helpers: definitions for the tests alone; they stand before the program's of that name.
        seconds: wall and CPU time of the program, for all tests together; the tests themselves
            have one second more.
        memory_mb: MiB for the program, and as much again for the tests.

    Raises:
        SandboxUnavailable: no mechanism holds on this machine, or it failed.
    """
    at_least(0, seconds=seconds)
    at_least(1, memory_mb=memory_mb)
    name = await anyio.to_thread.run_sync(available)
    mechanism = next(m for m in preferred() if m.name == name)
    async with _places():
        limits = Limits(seconds, memory_mb)
        return await trial(mechanism, program, tuple(tests), helpers, limits)


async def run_command(
    command: str,
    folder: Path,
    *,
    within: str = "",
    variables: Mapping[str, str] | None = None,
    show: Sequence[str] = (),
    seconds: float = 300.0,
    memory_mb: int = 2048,
    processes: int = 256,
    disk_mb: int = 1024,
) -> Outcome:
    """Run a shell command of the user's in a copy of a folder that is not to be trusted.

    It sees the programs and libraries of the system, the active virtual environment and what is to
    be shown, all read-only; of the user's other files, of the network and of the environment but
    for PATH it sees nothing. What it writes is gone with it.

    Args:
        command: for `sh -c`.
        folder: copied whole; files in the copy count as memory.
        within: where in the folder it runs.
        variables: further ones of its environment.
        show: further paths that it may read.
        seconds: wall time for all, and CPU time for each process.
        memory_mb: MiB that all its processes and files hold together; address space alone does not
            count.
        processes: processes and threads at once.
        disk_mb: MiB of files.

    Raises:
        SandboxUnavailable: no mechanism holds on this machine, or it failed.
        OSError: the folder can't be read.
    """
    at_least(0, seconds=seconds)
    at_least(1, memory_mb=memory_mb, processes=processes, disk_mb=disk_mb)
    name = await anyio.to_thread.run_sync(available)
    mechanism = next(m for m in preferred() if m.name == name)
    seen = shown_to_commands(show)
    limits = Limits(
        seconds, memory_mb, processes, disk_mb, _COMMANDS_OUTPUT, 1024, limits_addresses=False
    )
    told = {"PATH": os.environ.get("PATH", os.defpath), "HOME": f"{BOX}/home", "LANG": "C.UTF-8"}
    told |= {"TMPDIR": f"{BOX}/tmp", **(variables or {})}
    async with _places():
        archive = await anyio.to_thread.run_sync(_packed, folder)
        try:
            argv = ("/bin/sh", "-c", command)
            payload = Payload(argv, archive, within, told, seen)
            return await run(mechanism, "", "", limits, payload=payload)
        finally:
            os.close(archive)


_COMMANDS_OUTPUT = 4 << 20
"""Bytes that a command may write, on each of stdout and stderr."""


def _packed(folder: Path) -> int:
    """Pack a folder into a file without a name; everyone may write what it holds."""
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w|", dereference=False) as tar:
            tar.add(folder, arcname=".", filter=_opened)
        file.seek(0)
        return os.dup(file.fileno())


def _opened(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return None
    member.mode |= 0o777 if member.isdir() else 0o666
    return member


def _places() -> anyio.CapacityLimiter:
    try:
        return _running.get()
    except LookupError:
        _running.set(anyio.CapacityLimiter(os.cpu_count() or 1))
        return _running.get()


@functools.cache
def available() -> str:
    """Name the mechanism that holds untrusted code on this machine; tried once per process.

    Raises:
        SandboxUnavailable: there is none; says what was tried and what to install.
    """
    failures = []
    for mechanism in preferred():
        try:
            with anyio.from_thread.start_blocking_portal() as portal:
                portal.call(prove, mechanism)
            return mechanism.name
        except SandboxUnavailable as error:
            failures.append(f"{mechanism.name}: {error}")
    raise SandboxUnavailable(
        "model-written code can't be run safely here: it needs Linux 5.14 or later, user "
        "namespaces, and bubblewrap (apt install bubblewrap) or util-linux; " + "; ".join(failures)
    )
