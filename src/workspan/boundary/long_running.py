"""A long command of the user's own, such as a coding agent, of which nothing outlives its end.

It is bounded in time and in what it may write. Whether it ends, is stopped or its caller is killed:
a keeper beside it (`workspan.boundary.keeper`) ends every process that it started.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

Cut = Literal["", "seconds", "output", "halted"]
"""What ended it: nothing but itself; its time; too much output; its caller, by what it wrote."""

LAST = 64 << 10
"""Bytes that are kept of the end of what it writes."""
_PATIENCE = 15.0
"""Seconds for the keeper to end all; then it is killed itself."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    status: int
    """Of the shell: 128 and more for a signal."""
    out: bytes
    """The end of what it wrote on standard output."""
    err: bytes
    """The end of what it wrote on standard error."""
    cut: Cut = ""


@dataclass(slots=True)
class _Told:
    """What has come from a command so far."""

    out: bytearray
    err: bytearray
    count: int = 0
    cut: Cut = ""


async def run_long(
    command: str,
    *,
    folder: Path,
    variables: Mapping[str, str],
    given: bytes,
    seconds: float,
    most: int,
    seen: Callable[[bytes], bool] | None = None,
) -> Ran:
    """Run a shell command to its end; when this returns, raises or is cancelled it is gone.

    Args:
        command: for `sh -c`.
        folder: where it runs.
        variables: its environment.
        given: its standard input; it need not read it.
        seconds: that it may take.
        most: bytes that it may write.
        seen: is shown what comes on standard output, and stops the command by returning True.
    """
    held, lifeline = os.pipe()
    with anyio.CancelScope(shield=True):  # stopped while it begins, it would be nobody's to end
        try:
            process = await _begin(command, held, folder, variables)
        except BaseException:
            os.close(lifeline)
            raise
        finally:
            os.close(held)
    told = _Told(bytearray(), bytearray())
    try:
        with anyio.move_on_after(seconds) as scope:
            await _watch(process, given, told, most, seen)
        if scope.cancelled_caught:
            told.cut = "seconds"
    finally:
        os.close(lifeline)
        with anyio.CancelScope(shield=True):
            await _gone(process)
    return Ran(process.returncode or 0, bytes(told.out), bytes(told.err), told.cut)


async def _begin(command: str, held: int, folder: Path, variables: Mapping[str, str]) -> Process:
    keeper = files("workspan.boundary").joinpath("keeper.py").read_text(encoding="utf-8")
    return await anyio.open_process(
        [sys.executable, "-I", "-S", "-c", keeper, str(held), command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=variables,
        start_new_session=True,
        pass_fds=(held,),
    )


async def _watch(
    process: Process,
    given: bytes,
    told: _Told,
    most: int,
    seen: Callable[[bytes], bool] | None,
) -> None:
    """Read what it writes until it ends or must."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None

    async def keep(
        stream: ByteReceiveStream, into: bytearray, look: Callable[[bytes], bool] | None
    ) -> None:
        async for piece in stream:
            into += piece
            del into[:-LAST]
            told.count += len(piece)
            if told.count > most:
                told.cut = "output"
            elif look is not None and look(piece):
                told.cut = "halted"
            if told.cut:
                group.cancel_scope.cancel()
                return

    async with anyio.create_task_group() as group:
        group.start_soon(_feed, process.stdin, given)
        group.start_soon(keep, process.stdout, told.out, seen)
        group.start_soon(keep, process.stderr, told.err, None)
        await process.wait()
        group.cancel_scope.deadline = anyio.current_time() + _PATIENCE


async def _feed(stdin: ByteSendStream, given: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError, anyio.BrokenResourceError):
        await stdin.send(given)
    with suppress(BrokenPipeError, ConnectionResetError, anyio.BrokenResourceError):
        await stdin.aclose()


async def _gone(process: Process) -> None:
    """Wait for the keeper, which ends once its lifeline is closed."""
    with anyio.move_on_after(_PATIENCE):
        await process.wait()
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.aclose()
