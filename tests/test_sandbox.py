"""Attacks on the sandbox, by each mechanism that this machine has."""

from __future__ import annotations

import os
import socket
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from workspan import sandbox
from workspan.errors import SandboxUnavailable
from workspan.sandbox import Outcome, mechanisms, probe
from workspan.sandbox.launch import OUTPUT_BYTES, Limits, run
from workspan.sandbox.mechanisms import BUBBLEWRAP, UNSHARE, Mechanism

SHORT = Limits(seconds=2.0)


@pytest.fixture(params=[BUBBLEWRAP, UNSHARE], ids=lambda m: m.name, scope="module")
def mechanism(request: pytest.FixtureRequest) -> Mechanism:
    tried: Mechanism = request.param
    if tried not in mechanisms.preferred():
        pytest.skip(f"{tried.name} is not used by root")
    try:
        anyio.run(probe.prove, tried)
    except SandboxUnavailable as error:
        pytest.skip(f"{tried.name}: {error}")
    return tried


def attack(
    mechanism: Mechanism, code: str, *, stdin: str = "", limits: Limits | None = None
) -> Outcome:
    return anyio.run(run, mechanism, textwrap.dedent(code), stdin, limits or Limits())


def alive(marker: str) -> list[str]:
    """Return the processes of this machine whose program's text names the marker."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "cmdline").read_text(errors="replace"):
                found.append(entry.name)
        except OSError:
            continue
    return found


def none_left(marker: str) -> bool:
    end = time.monotonic() + 90  # of patience: what is gone is seen at once
    while alive(marker) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(marker)


def test_a_program_reads_its_input_and_its_status_comes_back(mechanism: Mechanism) -> None:
    outcome = attack(mechanism, "import sys\nprint(sys.stdin.read() * 2)\nexit(3)", stdin="né")
    assert (outcome.reason, outcome.status, outcome.stdout) == ("error", 3, "néné\n")
    assert attack(mechanism, "").reason == "ok"


def test_an_error_shows_its_line(mechanism: Mechanism) -> None:
    outcome = attack(mechanism, "x = 0\nprint(1 / x)  # here")
    assert (outcome.reason, outcome.status) == ("error", 1)
    assert "print(1 / x)  # here" in outcome.stderr
    assert "ZeroDivisionError" in outcome.stderr


def test_what_looks_like_a_command_line_is_only_code(mechanism: Mechanism) -> None:
    text = "'; touch /tmp/x; $(id) `id` \\\" --bind / / -- \0"
    outcome = attack(mechanism, "import sys; print(ascii(sys.stdin.read()))", stdin=text)
    assert outcome.stdout == ascii(text) + "\n"
    assert attack(mechanism, f"print({text!r} == {text!r})").stdout == "True\n"


def test_a_large_input_arrives_whole(mechanism: Mechanism) -> None:
    outcome = attack(mechanism, "import sys; print(len(sys.stdin.read()))", stdin="x" * 20_000_000)
    assert outcome.stdout == "20000000\n"


def test_no_port_of_this_machine_is_reached(mechanism: Mechanism) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        name = f"\0canary-{os.getpid()}"
        abstract.bind(name)
        abstract.listen()
        port = server.getsockname()[1]
        outcome = attack(
            mechanism,
            f"""
            import socket
            for family, address in (
                (socket.AF_INET, ("127.0.0.1", {port})),
                (socket.AF_UNIX, {name!r}),
                (socket.AF_INET, ("10.255.255.1", 80)),
            ):
                try:
                    socket.socket(family).connect(address)
                    print("reached", address)
                except OSError as error:
                    print("refused")
            """,
        )
    assert outcome.stdout.split() == ["refused"] * 3


def test_files_outside_do_not_exist_within(mechanism: Mechanism, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret")
    outcome = attack(
        mechanism,
        f"""
        import os
        for path in ({str(canary)!r}, {__file__!r}, "/etc/passwd", "/etc/shadow", "/sys", "/tmp",
                     "/proc/1/root", "/proc/1/cwd/..", "/usr/bin"):
            try:
                print(path, os.listdir(path) if os.path.isdir(path) else open(path).read())
            except OSError:
                pass
        """,
    )
    seen = {line.split()[0] for line in outcome.stdout.splitlines()}
    assert seen <= {"/usr/bin"}, outcome  # where Python itself lies in there
    assert "secret" not in outcome.stdout


def test_the_environment_stays_outside(
    mechanism: Mechanism, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "canary-of-the-environment")
    outcome = attack(
        mechanism,
        """
        import os
        print(dict(os.environ))
        for name in os.listdir("/proc"):
            for file in ("environ", "cmdline"):
                try:
                    print(open(f"/proc/{name}/{file}").read())
                except OSError:
                    pass
        """,
    )
    assert "HOME" in outcome.stdout
    assert "canary-of-the-environment" not in outcome.stdout


def test_nothing_but_the_box_can_be_written(mechanism: Mechanism) -> None:
    outcome = attack(
        mechanism,
        f"""
        import os
        def walk():
            yield from ("/", "/dev", "/proc", "/etc", "/usr/lib", os.path.dirname(os.__file__))
            yield from ({sys.base_prefix!r}, os.path.dirname(os.path.realpath({sys.executable!r})))
        for folder in (*walk(), "."):
            try:
                open(os.path.join(folder, "canary"), "w")
                print(folder)
            except OSError:
                pass
        try:
            open(os.__file__, "a"); print("library")
        except OSError:
            pass
        """,
    )
    assert outcome.stdout.split() == ["."], outcome


def test_no_right_can_be_had_back(mechanism: Mechanism) -> None:
    outcome = attack(
        mechanism,
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        print(*(libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x40000000)))
        print(libc.mount(b"t", b"/box", b"tmpfs", 0, None), libc.sethostname(b"x", 1))
        print(libc.ptrace(16, 1, None, None))
        for uid in (0, 1000):
            try:
                os.setuid(uid); print("became", uid)
            except OSError:
                print("refused")
        """,
    )
    assert outcome.stdout.split() == ["-1"] * 6 + ["refused"] * 2, outcome


def test_the_parent_and_the_guard_can_not_be_killed(mechanism: Mechanism) -> None:
    outcome = attack(
        mechanism,
        f"""
        import os, signal
        for pid in (1, {os.getpid()}, os.getppid()):
            for kind in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
                try:
                    os.kill(pid, kind)
                except OSError:
                    pass
        print("still here")
        """,
    )
    assert (outcome.reason, outcome.stdout) == ("ok", "still here\n")


def test_killing_all_is_an_outcome(mechanism: Mechanism) -> None:
    code = "import os\ntry: os.kill(-1, 9)\nexcept OSError: os.kill(os.getpid(), 9)"
    outcome = attack(mechanism, code)
    assert (outcome.reason, outcome.status) == ("error", -9)


@pytest.mark.parametrize("code", ["while True: pass", "import time; time.sleep(600)"])
def test_endless_programs_end_in_time(mechanism: Mechanism, code: str) -> None:
    outcome = attack(mechanism, f"print('begun', flush=True)\n{code}", limits=SHORT)
    assert (outcome.reason, outcome.status, outcome.stdout) == ("time", None, "begun\n")


def test_a_fork_bomb_ends(mechanism: Mechanism) -> None:
    outcome = attack(
        mechanism,
        """
        import os
        while True:
            try:
                os.fork()
            except OSError:
                pass
        """,
        limits=SHORT,
    )
    assert outcome.reason in {"processes", "time", "memory"}


def test_memory_is_limited_in_one_process(mechanism: Mechanism) -> None:
    outcome = attack(mechanism, "x = bytearray(10 << 30)")
    assert outcome.reason == "memory"


@pytest.mark.parametrize(
    "hold",
    [
        "x = bytearray(80 << 20)",
        "import mmap; x = mmap.mmap(-1, 80 << 20); x.write(b'x' * (80 << 20))",
    ],
    ids=["own", "shared"],
)
def test_memory_is_limited_over_all_processes(mechanism: Mechanism, hold: str) -> None:
    code = f"import os, time\nos.fork()\nos.fork()\n{hold}\ntime.sleep(4)"
    outcome = attack(mechanism, code, limits=Limits(memory_mb=200))
    assert outcome.reason == "memory"


def test_memory_that_nobody_holds_any_more_is_counted(mechanism: Mechanism) -> None:
    outcome = attack(
        mechanism,
        """
        import ctypes, time
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        for _ in range(8):
            key = libc.shmget(0, ctypes.c_size_t(50 << 20), 0o1600)
            at = libc.shmat(key, None, 0)
            ctypes.memset(at, 1, 50 << 20)
            libc.shmdt(ctypes.c_void_p(at))
        time.sleep(3)
        """,
        limits=Limits(memory_mb=200),
    )
    assert outcome.reason == "memory", outcome


HOLDING = {
    "files without a name": """
        for i in range(20):
            os.write(os.memfd_create("x"), bytes(30 << 20))
        """,
    "a file without a name in the box": """
        held = os.open("x", os.O_CREAT | os.O_RDWR)
        os.unlink("x")
        os.write(held, bytes(60 << 20))
        x = bytearray(b"x") * (170 << 20)
        """,
    "files in the box": """
        open("x", "wb").write(bytes(60 << 20))
        x = bytearray(b"x") * (170 << 20)
        """,
    "descriptors on their way": """
        a, b = socket.socketpair()
        for i in range(8):
            held = os.memfd_create("x")
            os.write(held, bytes(30 << 20))
            socket.send_fds(a, [b"x"], [held])
            os.close(held)
        """,
    "children": """
        for _ in range(5):
            if os.fork() == 0:
                x = bytearray(b"x") * (50 << 20)
                break
        """,
}


@pytest.mark.parametrize("hold", HOLDING.values(), ids=HOLDING)
def test_all_that_a_program_holds_is_limited_together(mechanism: Mechanism, hold: str) -> None:
    code = f"import os, socket, time\n{textwrap.dedent(hold)}\ntime.sleep(9)"
    outcome = attack(mechanism, code, limits=Limits(seconds=9.0, memory_mb=200))
    assert outcome.reason == "memory", outcome


SHARING = {
    "pages of a parent": "x = bytearray(b'x') * (120 << 20)",
    "a shared map": """
        x = mmap.mmap(-1, 120 << 20)
        for _ in range(120):
            x.write(b"x" * (1 << 20))
        """,
    "a file without a name that is mapped": """
        held = os.memfd_create("x")
        os.ftruncate(held, 60 << 20)
        x = mmap.mmap(held, 60 << 20)
        for _ in range(60):
            x.write(b"x" * (1 << 20))
        """,
}


@pytest.mark.parametrize("hold", SHARING.values(), ids=SHARING)
def test_what_is_shared_counts_once(mechanism: Mechanism, hold: str) -> None:
    code = f"""
import mmap, os, time
{textwrap.dedent(hold)}
for _ in range(4):
    if os.fork() == 0:
        sum(x[i] for i in range(0, len(x), 4096))
        time.sleep(0.5)
        os._exit(0)
time.sleep(1)
"""
    outcome = attack(mechanism, code, limits=Limits(seconds=20.0, memory_mb=200))
    assert outcome.reason == "ok", outcome


def test_what_a_program_is_given_to_read_is_not_its_own(mechanism: Mechanism) -> None:
    code = "import sys, time\nsys.stdin.buffer.read(9)\ntime.sleep(0.2)"
    outcome = attack(mechanism, code, stdin="x" * (70 << 20), limits=Limits(memory_mb=60))
    assert outcome.reason == "ok", outcome


def test_files_are_limited_in_size_and_in_sum(mechanism: Mechanism) -> None:
    outcome = attack(
        mechanism,
        """
        def fill(name, mib):
            with open(name, "wb", buffering=0) as file:
                for _ in range(mib):
                    file.write(bytes(1 << 20))
        for name, mib in (("one", 10240), ("two", 1), ("three", 1)):
            try:
                fill(name, mib)
            except OSError as error:
                print(error.errno)
        try:
            open("sparse", "wb").truncate(10 << 30)
        except OSError as error:
            print(error.errno)
        """,
        limits=Limits(disk_mb=8),
    )
    assert outcome.reason == "ok", outcome
    assert len(outcome.stdout.split()) >= 3


def test_open_files_are_limited(mechanism: Mechanism) -> None:
    outcome = attack(mechanism, "x = [open('/dev/null') for _ in range(1000)]")
    assert "Too many open files" in outcome.stderr


def test_threads_are_limited(mechanism: Mechanism) -> None:
    outcome = attack(
        mechanism,
        """
        import threading, time
        for i in range(200):
            threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
        """,
    )
    assert outcome.reason == "error", outcome
    assert "can't start new thread" in outcome.stderr


def test_orphans_do_not_outlive_their_program(mechanism: Mechanism) -> None:
    outcome = attack(
        mechanism,
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    time.sleep(0.1)
                    open("late", "a").write("x")
            os._exit(0)
        os.wait()
        print("done")
        """,
    )
    assert (outcome.reason, outcome.stdout) == ("ok", "done\n")
    # The orphan holds stdout: it is gone, or this would have waited for it.


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_flood_of_output_is_cut(mechanism: Mechanism, stream: str) -> None:
    outcome = attack(mechanism, f"import sys\nwhile True: sys.{stream}.write('x' * 4096)")
    assert outcome.reason == "output"  # and not "time"
    assert getattr(outcome, stream) == "x" * OUTPUT_BYTES


def test_deep_recursion_is_an_error(mechanism: Mechanism) -> None:
    assert "RecursionError" in attack(mechanism, "def f(): f()\nf()").stderr
    crash = "import ctypes; ctypes.string_at(0)"
    assert attack(mechanism, crash).status == -11


def test_cancellation_leaves_no_process(mechanism: Mechanism) -> None:
    limits = Limits(seconds=7.0625)  # a figure that is found again in the guard's command line

    async def cancelled() -> bool:
        with anyio.move_on_after(1.0) as scope:
            await run(mechanism, "import os, time\nos.fork()\ntime.sleep(99)", "", limits)
        return scope.cancelled_caught

    assert anyio.run(cancelled)
    assert none_left("7.0625")


def test_many_run_side_by_side(mechanism: Mechanism) -> None:
    found: list[str] = []

    async def one(i: int) -> None:
        found.append((await run(mechanism, f"print({i})", "", Limits(seconds=20))).stdout)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as group:
            for i in range(8):
                group.start_soon(one, i)

    anyio.run(all_of_them)
    assert sorted(found) == [f"{i}\n" for i in range(8)]


def test_walls_that_can_not_be_built_are_no_outcome(
    mechanism: Mechanism, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workspan.sandbox.launch.DEVICES", ("/dev/none",))
    monkeypatch.setattr(mechanisms, "DEVICES", ("/dev/none",))
    with pytest.raises(SandboxUnavailable, match="none"):
        attack(mechanism, "print(1)")


def test_a_file_that_is_left_visible_is_found_by_the_probe(
    mechanism: Mechanism, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    visible = (*mechanisms.shown(), str(tmp_path))
    monkeypatch.setattr("workspan.sandbox.launch.shown", lambda: visible)
    monkeypatch.setattr(mechanisms, "shown", lambda: visible)
    with pytest.raises(SandboxUnavailable, match="reached a file of the user"):
        anyio.run(probe.prove, mechanism)


def test_a_network_that_is_left_open_is_found_by_the_probe(mechanism: Mechanism) -> None:
    def open_walls(program: str, disk: int, paths: Sequence[str]) -> list[str]:
        words = [word for word in mechanism.walls(program, disk, paths) if word != "--net"]
        at = words.index("--unshare-all") + 1 if "--unshare-all" in words else 0
        return [*words[:at], *(["--share-net"] if at else []), *words[at:]]

    with pytest.raises(SandboxUnavailable, match="reached a port of this machine"):
        anyio.run(probe.prove, replace(mechanism, walls=open_walls))


def test_without_a_mechanism_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.available.cache_clear()
    with pytest.raises(SandboxUnavailable, match="apt install bubblewrap") as refusal:
        anyio.run(sandbox.run_python, "print(1)")
    for tried in mechanisms.preferred():
        assert f"no {tried.program} on PATH" in str(refusal.value)


def test_a_program_that_builds_no_walls_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("bwrap", "unshare"):  # both only run the command that follows
        fake = tmp_path / name
        fake.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n')
        fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("workspan.sandbox.preferred", lambda: (BUBBLEWRAP,))
    sandbox.available.cache_clear()
    with pytest.raises(SandboxUnavailable, match="first process"):
        anyio.run(sandbox.run_python, "print(1)")


def test_run_python_uses_what_is_available() -> None:
    sandbox.available.cache_clear()
    try:
        name = sandbox.available()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    assert name in {"bubblewrap", "unshare"}
    assert anyio.run(sandbox.run_python, "print(6 * 7)").stdout == "42\n"


def test_limits_out_of_range_are_refused() -> None:
    async def none() -> None:
        await sandbox.run_python("", memory_mb=0)

    with pytest.raises(ValueError, match="memory_mb is 0"):
        anyio.run(none)
