"""What runs within the walls, around untrusted code: its text is handed to a bare Python.

It can import nothing but the standard library. The process is the first of its own process
namespace: when it ends the kernel kills every other process in there, and none of them can stop,
kill or trace it. Untrusted code gets a process of its own, with fewer rights.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import sys
import time
from typing import Any

RDONLY, NOSUID, NODEV, NOEXEC = 1, 2, 4, 8  # linux/mount.h; the MOUNT_ATTR_ flags are the same
BIND, RECURSIVE, DETACH = 0x1000, 0x4000, 2
MOUNT_SETATTR = 442  # one number on all architectures, as for all system calls since Linux 5.0
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
SET_DUMPABLE, SET_SECUREBITS, SET_NO_NEW_PRIVS = 4, 28, 38  # linux/prctl.h
NO_SETUID_FIXUP = 1 << 2
NEWUSER = 0x10000000
NOBODY = 65534
POLL = 0.02

_libc = ctypes.CDLL(None, use_errno=True)


def system(function: str, *arguments: int | bytes | ctypes.Array[ctypes.c_uint64] | None) -> None:
    """Call the C library; raises OSError where that fails."""
    typed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    if getattr(_libc, function)(*typed) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{function}{arguments}: {os.strerror(code)}")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Add a mount, with the arguments of the system call of that name."""
    system("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode())


def restrict(target: str, flags: int, *, at: int = AT_RECURSIVE) -> None:
    """Add flags to a mount, and with AT_RECURSIVE to all mounts below it."""
    attributes = (ctypes.c_uint64 * 4)(flags, 0, 0, 0)
    system("syscall", MOUNT_SETATTR, AT_FDCWD, target.encode(), at, attributes, 32)


def enclose(plan: dict[str, Any]) -> None:
    """Leave the machine's files for a root of our own, all read-only but the box."""
    root = "/proc"  # a folder that is on every machine and that holds nothing we show
    mount("tmpfs", root, "tmpfs", NOSUID | NODEV, "mode=0755,size=1m")
    for path in (*plan["shown"], *plan["devices"]):
        target = root + path
        if os.path.isdir(path):
            os.makedirs(target, exist_ok=True)
        elif not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.close(os.open(target, os.O_CREAT))
        mount(path, target, "", BIND | RECURSIVE)
        restrict(target, RDONLY | NOSUID | (0 if path in plan["devices"] else NODEV))
    for folder in (root + plan["box"], root + "/proc"):
        os.mkdir(folder)
    size = f"mode=1777,size={plan['disk']},nr_inodes=4096"
    mount("tmpfs", root + plan["box"], "tmpfs", NOSUID | NODEV, size)
    mount("proc", root + "/proc", "proc", NOSUID | NODEV | NOEXEC)
    os.chdir(root)
    system("pivot_root", b".", b".")  # the old root now lies over the new one: take it off
    system("umount2", b".", DETACH)
    os.chdir("/")
    restrict("/", RDONLY, at=0)
    socket.sethostname("box")


def demote() -> None:
    """Become nobody in a user namespace of our own, in which no other one can be made.

    The kernel does not count the processes of the machine's root, so he becomes nobody outside too.
    """
    user, group = os.geteuid(), os.getegid()
    with open("/proc/self/uid_map") as file:
        all_users = file.read().split()[2] != "1"
    if all_users:
        user = group = NOBODY
        system("prctl", SET_SECUREBITS, NO_SETUID_FIXUP, 0, 0, 0)  # keep the right to unshare
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    system("unshare", NEWUSER)
    system("prctl", SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self belongs to root
    for name, text in (
        ("self/setgroups", "deny"),
        ("self/uid_map", f"{NOBODY} {user} 1"),
        ("self/gid_map", f"{NOBODY} {group} 1"),
        ("sys/user/max_user_namespaces", "0"),
    ):
        with open(f"/proc/{name}", "w") as file:
            file.write(text)


def surrender(plan: dict[str, Any]) -> None:
    """Give up all rights and become the untrusted program; never returns."""
    if plan["enclose"]:
        demote()
    system("prctl", SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for name, (soft, hard) in plan["limits"].items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (soft, hard))
    os.write(plan["report"], b"ready\n")
    what = ["main.py"] if plan["guest"] is None else ["-c", plan["guest"]]
    os.execv(plan["python"], [plan["python"], "-I", "-B", "-X", "utf8", *what])


def consumption() -> tuple[int, int]:
    """Count the processes, and their resident and shared memory in bytes (an upper bound)."""
    processes = pages = 0
    for name in os.listdir("/proc"):
        if name.isdigit() and name != "1":
            try:
                with open(f"/proc/{name}/statm") as file:
                    pages += int(file.read().split()[1])
                processes += 1
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
    with open("/proc/sysvipc/shm") as file:
        segments = sum(int(line.split()[14]) for line in [*file][1:])
    return processes, pages * resource.getpagesize() + segments


def watch(payload: int, plan: dict[str, Any]) -> str:
    """Wait for the program's end; return its status, or which limit it broke."""
    end = time.monotonic() + plan["seconds"]
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == payload:
            code = os.waitstatus_to_exitcode(status)
            return "time" if code == -signal.SIGXCPU else f"exit {code}"
        if ended:
            continue
        processes, memory = consumption()
        if time.monotonic() > end:
            return "time"
        if processes > plan["processes"]:
            return "processes"
        if memory > plan["memory"]:
            return "memory"
        signal.sigtimedwait({signal.SIGCHLD}, POLL)


def main() -> None:
    """Build the walls where that is not done yet, run the program, report how it ended."""
    plan = json.loads(sys.argv[1])
    if os.getpid() != 1:  # `enclose` must never touch the mounts of the machine itself
        raise SystemExit("not the first process of a namespace: there are no walls")
    os.set_inheritable(plan["report"], False)
    with open(plan["code"], encoding="utf-8") as file:
        code = file.read()
    if plan["enclose"]:
        enclose(plan)
    os.chdir(plan["box"])
    with open("main.py", "w", encoding="utf-8") as file:
        file.write(code)
    system("prctl", SET_DUMPABLE, 0, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    payload = os.fork()
    if payload == 0:
        try:
            surrender(plan)
        finally:
            sys.excepthook(*sys.exc_info())
            os._exit(127)
    if plan["channel"] is not None:
        os.close(plan["channel"])  # else the other side would not see the program's end
    os.write(plan["report"], watch(payload, plan).encode())


if __name__ == "__main__":
    main()
