"""Stands between Workspan and a command: its text is handed to a bare Python.

When the command ends, or whoever holds the other end of the lifeline is gone (killed, too), every
process that the command started is ended: on Linux those that left its session as well, since
orphans become children of this process.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
PATIENCE = 10.0
"""Seconds for killed processes to be gone."""


def descendants() -> list[int]:
    """Return all that this process has begun, directly or not, and that is not reaped."""
    children: dict[int, list[int]] = {}
    try:
        numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:  # no Linux
        return []
    for name in numbers:
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], [os.getpid()]
    while todo:
        for pid in children.get(todo.pop(), ()):
            found.append(pid)
            todo.append(pid)
    return found


def end_all(session: int) -> None:
    """Kill what is left, until nothing is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for kill, pid in [(os.killpg, session), *((os.kill, pid) for pid in descendants())]:
            with contextlib.suppress(OSError):
                kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def begin(command: str) -> int:
    """Start the command in a session of its own."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.execv("/bin/sh", ["sh", "-c", command])
        finally:
            os._exit(127)
    return pid


def main() -> None:
    """Run the command that the arguments name; end as it does."""
    lifeline, command = int(sys.argv[1]), sys.argv[2]
    os.set_inheritable(lifeline, False)
    with contextlib.suppress(AttributeError, OSError):  # no Linux: the session alone is ended
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    child = begin(command)
    status = None
    while status is None:
        ready, _, _ = select.select([lifeline, woken], [], [])
        if lifeline in ready:
            break
        os.read(woken, 4096)
        while True:
            pid, ended = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                status = os.waitstatus_to_exitcode(ended)
            if pid == 0 or status is not None:
                break
    end_all(child)
    code = 137 if status is None else status
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
