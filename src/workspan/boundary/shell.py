"""A command of the user's own: it reads what it is given on standard input and writes an answer.

What it is given never stands among its arguments. It has a bound in time and in what it may write,
and when it is over, or stopped, whatever it started ends with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

MOST = 1_000_000
"""Bytes that a command may write."""
_LAST = 2_000
"""Bytes kept of the end of what it complains of."""


class CommandError(Exception):
    """A command failed, took too long or wrote too much; the message is one line."""


async def ask(command: str, given: bytes, *, seconds: float, most: int = MOST) -> bytes:
    """Run a shell command and return what it wrote; it need not read all that it is given.

    Raises:
        CommandError: so it is.
    """
    with anyio.CancelScope(shield=True):  # stopped while it begins, it would be nobody's to end
        process = await anyio.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that all that it starts can be ended with it
        )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    told, complained = bytearray(), bytearray()
    try:
        with anyio.fail_after(seconds):
            async with anyio.create_task_group() as group:
                group.start_soon(_feed, process.stdin, given)
                group.start_soon(_keep_end, process.stderr, complained)
                await _keep(process.stdout, told, most)
                if len(told) > most:
                    group.cancel_scope.cancel()
            if len(told) <= most:
                await process.wait()
    except TimeoutError:
        raise CommandError(f"{command} took more than {seconds:g} seconds") from None
    finally:
        _end(process)
        with anyio.CancelScope(shield=True):
            await process.aclose()
    if len(told) > most:
        raise CommandError(f"{command} wrote more than {most:,} bytes")
    if process.returncode:
        last = complained.decode(errors="replace").strip().rpartition("\n")[2][:200]
        why = f": {last}" if last.strip() else ""
        raise CommandError(f"{command} ended with {process.returncode}{why}")
    return bytes(told)


async def _feed(stdin: ByteSendStream, given: bytes) -> None:
    with suppress(BrokenPipeError, ConnectionResetError, anyio.BrokenResourceError):
        await stdin.send(given)
    with suppress(BrokenPipeError, ConnectionResetError, anyio.BrokenResourceError):
        await stdin.aclose()


async def _keep(stdout: ByteReceiveStream, told: bytearray, most: int) -> None:
    async for piece in stdout:
        told += piece
        if len(told) > most:
            return


async def _keep_end(stderr: ByteReceiveStream, complained: bytearray) -> None:
    async for piece in stderr:
        complained += piece
        del complained[:-_LAST]


def _end(process: Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
