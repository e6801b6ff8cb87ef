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
import select
import signal
import socket
import stat
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
"""Seconds between looks at what is held; a quarter of it above half of the limit."""
TIMES = 3
"""Looks in a row above the limit: processes are looked at one after another, so that pages which
they begin to share meanwhile count too often."""

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
    for at, target in plan["links"].items():
        os.symlink(target, root + at)
    size = f"mode=1777,size={plan['disk']},nr_inodes={plan['inodes']}"
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
    if plan["argv"]:
        os.chdir(os.path.join(plan["box"], "tree", plan["within"]))
        os.execve(plan["argv"][0], plan["argv"], plan["variables"])
    what = ["main.py"] if plan["guest"] is None else ["-c", plan["guest"]]
    os.execv(plan["python"], [plan["python"], "-I", "-B", "-X", "utf8", *what])


def held(box: str, given: tuple[int, int], largest: int, *, is_begun: bool) -> tuple[int, int]:
    """Count the processes and the bytes that they hold together, once each.

    Memory of their own and shared, swapped or not; files in the box; segments of System V; files
    that are only in memory and have no name, which a descriptor alone holds.

    Args:
        box: the folder whose files count.
        given: device and inode of a file without a name that is not theirs: standard input.
        largest: what a descriptor on its way through a socket counts for, as nobody can look at it.
        is_begun: the program runs; until then it can't be looked at.

    Raises:
        PermissionError: a process hides what it holds.
    """
    processes = {name: rest for name in os.listdir("/proc") if (rest := resident(name)) is not None}
    unnamed: dict[tuple[int, int], int] = {}
    sent = 0
    for name in processes if is_begun else ():
        sent += look_at_files(name, unnamed)
    unnamed.pop(given, None)
    with open("/proc/sysvipc/shm") as file:
        segments = [line.split() for line in [*file][1:]]
    space = os.statvfs(box)
    files = (space.f_blocks - space.f_bfree) * space.f_frsize + sum(unnamed.values())
    files += sum(int(row[14]) + int(row[15]) for row in segments) + sent * largest
    return len(processes), sum(processes.values()) + files


def held_exactly(box: str, bound: int) -> int:
    """Take from a bound of `held` what it counts twice: shared pages, and files that are mapped."""
    device = os.stat(box).st_dev
    total = 0
    for name in os.listdir("/proc"):
        rest = resident(name)
        if rest is not None:
            total += rest - proportional(name, f"{os.major(device):02x}:{os.minor(device):02x}")
    return bound - total


def resident(name: str) -> int | None:
    """Return a process's bytes in memory and in swap; None if it is no other one that lives."""
    if not name.isdigit() or name == "1":
        return None
    try:
        with open(f"/proc/{name}/status") as file:
            lines = [line.split() for line in file]
    except (FileNotFoundError, ProcessLookupError):
        return None
    sizes = [int(line[1]) << 10 for line in lines if line[:1] in (["VmRSS:"], ["VmSwap:"])]
    return sum(sizes) if sizes else None


def proportional(name: str, device: str) -> int:
    """Return a process's share of its pages; none of those that files or segments count for."""
    total, is_counted = 0, False
    try:
        with open(f"/proc/{name}/smaps") as file:
            for line in file:
                words = line.split()
                if not words[0].endswith(":"):
                    path = " ".join(words[5:])
                    is_counted = words[3] == device or path.startswith(("/memfd:", "/SYSV"))
                elif not is_counted and words[0] in ("Pss:", "SwapPss:"):
                    total += int(words[1]) << 10
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return total


def look_at_files(name: str, unnamed: dict[tuple[int, int], int]) -> int:
    """Add the files without a name that a process holds; return how many are on their way."""
    sent = 0
    try:
        for number in os.listdir(f"/proc/{name}/fd"):
            what = os.stat(f"/proc/{name}/fd/{number}")
            if stat.S_ISREG(what.st_mode) and not what.st_nlink:
                unnamed[what.st_dev, what.st_ino] = what.st_blocks * 512
            elif stat.S_ISSOCK(what.st_mode):
                with open(f"/proc/{name}/fdinfo/{number}") as file:
                    sent += sum(int(line.split()[1]) for line in file if line[:7] == "scm_fds")
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended, or closed one, meanwhile
    return sent


def watch(payload: int, plan: dict[str, Any], begun: int) -> str:
    """Wait for the program's end; return its status, or which limit it broke.

    `begun` is a pipe that the program's process holds until it runs the program.
    """
    end = time.monotonic() + plan["seconds"]
    box, most = plan["box"], plan["memory"]
    given = os.fstat(0)
    is_begun, over = False, 0
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == payload:
            code = os.waitstatus_to_exitcode(status)
            return "time" if code == -signal.SIGXCPU else f"exit {code}"
        if ended:
            continue
        is_begun = is_begun or select.select([begun], [], [], 0)[0] != []
        try:
            processes, memory = held(
                box, (given.st_dev, given.st_ino), plan["disk"], is_begun=is_begun
            )
            if memory > most and is_begun:
                memory = held_exactly(box, memory)
            over = over + 1 if memory > most else 0
        except PermissionError:
            return "memory"
        if time.monotonic() > end:
            return "time"
        if processes > plan["processes"]:
            return "processes"
        if over >= TIMES:
            return "memory"
        signal.sigtimedwait({signal.SIGCHLD}, POLL if memory < most // 2 else POLL / 4)


def unpack(archive: int, box: str) -> None:
    """Lay out the folder that a command runs in, beside one for what it writes elsewhere."""
    import tarfile  # of commands alone

    os.umask(0)
    for name in ("tree", "tmp", "home"):
        os.mkdir(os.path.join(box, name), 0o777)
    with os.fdopen(archive, "rb") as file, tarfile.open(fileobj=file, mode="r|") as tar:
        tar.chown = lambda *_: None  # type: ignore[method-assign]  # whoever unpacks it owns it
        for member in tar:
            tar.extract(member, os.path.join(box, "tree"), filter="fully_trusted")


def main() -> None:
    """Build the walls where that is not done yet, run the program, report how it ended."""
    plan = json.loads(sys.argv[1])
    if os.getpid() != 1:  # `enclose` must never touch the mounts of the machine itself
        raise SystemExit("not the first process of a namespace: there are no walls")
    os.umask(0o022)  # whoever started us may let nobody in, and nobody is who the program will be
    os.set_inheritable(plan["report"], False)
    with open(plan["code"], encoding="utf-8") as file:
        code = file.read()
    if plan["enclose"]:
        enclose(plan)
    os.chdir(plan["box"])
    if plan["argv"]:
        unpack(plan["archive"], plan["box"])
    else:
        with open("main.py", "w", encoding="utf-8") as file:
            file.write(code)
    system("prctl", SET_DUMPABLE, 0, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    begun, begins = os.pipe()  # neither outlives the start of the program
    payload = os.fork()
    if payload == 0:
        try:
            os.close(begun)
            surrender(plan)
        finally:
            sys.excepthook(*sys.exc_info())
            os._exit(127)
    os.close(begins)
    if plan["channel"] is not None:
        os.close(plan["channel"])  # else the other side would not see the program's end
    os.write(plan["report"], watch(payload, plan, begun).encode())


if __name__ == "__main__":
    main()
