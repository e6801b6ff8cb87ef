"""The two ways to build the walls, and what can be seen within them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

BOX = "/box"
"""The folder that untrusted code runs in: the only one it can write to."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/nix/store")
_PROGRAMS = (
    *("/bin", "/sbin", "/usr", "/opt", "/etc/alternatives", "/etc/passwd", "/etc/group"),
    *("/etc/nsswitch.conf", "/etc/localtime", "/etc/mime.types", "/etc/os-release", "/etc/java"),
)


@dataclass(frozen=True)
class Mechanism:
    """A program that starts another one in namespaces of its own."""

    name: str
    program: str
    """What is looked for on PATH."""
    walls: Callable[[str, int, Sequence[str]], Sequence[str]]
    """From the program's path, the box's size in bytes and the paths that can be read within, the
    command to put before another."""
    encloses: bool
    """It sets up files and rights itself; else `workspan.sandbox.inside` has to."""


def interpreter() -> str:
    """Return the Python that runs untrusted code: this one, outside of its virtual environment."""
    inner: str = sys._base_executable  # type: ignore[attr-defined]  # what venv itself asks
    return os.path.realpath(inner)


def shown() -> tuple[str, ...]:
    """Return the paths that can be read within: Python itself and the system's libraries."""
    own = {interpreter(), *(f"{sys.base_prefix}/{lib}" for lib in ("lib", sys.platlibdir))}
    return tuple(sorted(path for path in own.union(_LIBRARIES) if os.path.exists(path)))


def shown_to_commands(more: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the paths that a command can read: programs, libraries and what the user names."""
    active = os.environ.get("VIRTUAL_ENV", "")
    wanted = {*shown(), *_PROGRAMS, *more, *([active] if active else [])}
    there = sorted(path for path in wanted if os.path.exists(path))
    return tuple(path for path in there if not any(_is_in(path, other) for other in there))


def _is_in(path: str, other: str) -> bool:
    return path != other and os.path.commonpath([path, other]) == other


def _bubblewrap(program: str, disk: int, paths: Sequence[str]) -> list[str]:
    read_only = [word for path in paths for word in ("--ro-bind", path, path)]
    devices = [word for path in DEVICES for word in ("--dev-bind", path, path)]
    # fmt: off
    return [
        program, "--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL",
        "--uid", "65534", "--gid", "65534", "--hostname", "box", "--as-pid-1", "--die-with-parent",
        *read_only, *devices, *_links(paths), "--proc", "/proc",
        "--size", str(disk), "--tmpfs", BOX,
        "--remount-ro", "/", "--chdir", BOX, "--",
    ]
    # fmt: on


LINKS = {"/tmp": f"{BOX}/tmp", "/dev/fd": "/proc/self/fd"}  # within the walls
"""What commands look for, and where it is: left out where it would hide what is shown."""


def links(paths: Sequence[str]) -> dict[str, str]:
    """Return the links to make in a root that shows `paths`."""
    return {at: to for at, to in LINKS.items() if not any(_is_in(path, at) for path in paths)}


def _links(paths: Sequence[str]) -> list[str]:
    return [word for at, to in links(paths).items() for word in ("--symlink", to, at)]


def _unshare(program: str, _disk: int, _paths: Sequence[str]) -> list[str]:
    # root makes namespaces without a new user; anyone else has to be root of a new one for that
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    spaces = ["--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup"]
    return [program, *user, *spaces, "--fork", "--kill-child", "--"]


BUBBLEWRAP = Mechanism("bubblewrap", "bwrap", _bubblewrap, encloses=True)
UNSHARE = Mechanism("unshare", "unshare", _unshare, encloses=False)


def preferred() -> tuple[Mechanism, ...]:
    """Order the mechanisms.

    Root has one only: bubblewrap would leave him root outside, and the kernel sets root no limit of
    processes, so that a fork bomb would be out of control before anyone could count it.
    """
    return (UNSHARE,) if os.geteuid() == 0 else (BUBBLEWRAP, UNSHARE)
