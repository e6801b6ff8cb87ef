"""Files that a command writes: none is touched that was not there for it.

What a command will write is held against what it reads, against its other outputs and against what
stands there already, before anything is spent. Files are replaced whole or not at all.
"""

from __future__ import annotations

import os
import stat
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workspan.errors import InputError


@dataclass(frozen=True, slots=True)
class Output:
    """One file that will be written."""

    option: str
    """Which the user named it with."""
    path: Path
    what: str
    """What will stand there, such as "a journal"."""
    is_ours: Callable[[Path], bool]
    """Whether the file there is one of those already, which may be gone on with or replaced."""
    makes_folders: bool = False


def check_outputs(outputs: Sequence[Output], inputs: Sequence[tuple[str, Path]] = ()) -> None:
    """Refuse what would overwrite, cut or mix up files, or can't be written; changes nothing.

    Args:
        outputs: of one command, those that it derives from others included.
        inputs: what it reads, each with the option or argument that named it.

    Raises:
        InputError: an output is an input or another output under any name, holds something else,
            is no ordinary file, or can't be written there.
    """
    seen = {_identity(path): f"{option} {path}" for option, path in inputs}
    for output in outputs:
        _check(output)
        name = f"{output.option} {output.path}"
        other = seen.setdefault(_identity(output.path), name)
        if other is not name:
            raise InputError(f"{name}: this is the file of {other}: give each its own")


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in the place of a file, whole or not at all.

    A new file can be read by its owner only; one that held something keeps its permissions, and
    one behind a link is replaced where it stands.

    Raises:
        OSError: the disk is full, or the place can't be written; the file is as it was.
    """
    place = Path(os.path.realpath(path))
    handle, part = tempfile.mkstemp(dir=place.parent, prefix=".workspan-", suffix=".part")
    try:
        with open(handle, "wb") as out:
            out.write(content)
            _permit(out.fileno(), place)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, place)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _permit(handle: int, place: Path) -> None:
    try:
        before = place.stat()
    except FileNotFoundError:
        return
    if before.st_size:
        with suppress(PermissionError):  # only root can give a file away
            os.fchown(handle, before.st_uid, before.st_gid)
        os.fchmod(handle, stat.S_IMODE(before.st_mode))


def _check(output: Output) -> None:
    name, path = f"{output.option} {output.path}", output.path
    if str(path) == "-":
        raise InputError(
            f"{name}: {output.what} is kept in a file: name one (./- is one so called)"
        )
    try:
        state = path.stat()
    except FileNotFoundError:
        _check_place(name, Path(os.path.realpath(path)).parent, makes_folders=output.makes_folders)
        return
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name}: can't be written: {said}") from None
    if stat.S_ISDIR(state.st_mode):
        raise InputError(f"{name}: is a folder: name a file in it")
    if not stat.S_ISREG(state.st_mode):
        raise InputError(f"{name}: is no ordinary file, as {output.what} must be: name another")
    if _is_printed_to(state):
        raise InputError(f"{name}: this is where the command prints: name another file")
    if state.st_size and not _is_ours(output, name):
        raise InputError(
            f"{name}: the file there is not {output.what} of ours, and is left as it is: "
            "name another, or a new one"
        )
    if not os.access(path, os.W_OK):
        raise InputError(f"{name}: can't be written: it may only be read")
    _check_place(name, Path(os.path.realpath(path)).parent, makes_folders=False)


def _is_printed_to(state: os.stat_result) -> bool:
    """Tell whether standard output or error goes to the file, as with ``> FILE``."""
    for stream in (1, 2):
        with suppress(OSError):
            if os.path.samestat(state, os.fstat(stream)):
                return True
    return False


def _is_ours(output: Output, name: str) -> bool:
    try:
        return output.is_ours(output.path)
    except OSError as error:
        raise InputError(f"{name}: what is there can't be read: {error.strerror}") from None


def _check_place(name: str, folder: Path, *, makes_folders: bool) -> None:
    """Make a file without a name in the folder: permissions alone do not tell."""
    while makes_folders and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.exists():
        raise InputError(f"{name}: the folder {folder} does not exist")
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".workspan-"):
            pass
    except OSError as error:
        raise InputError(f"{name}: nothing can be written in {folder}: {error.strerror}") from None


def _identity(path: Path) -> object:
    """Name the file itself: its place on the disk, or its full path where there is none yet.

    Paths that differ in case or in the form of an accent are one on some disks.
    """
    try:
        state = path.stat()
    except (OSError, ValueError):
        full = os.path.realpath(path) if "\0" not in str(path) else str(path)
        return unicodedata.normalize("NFC", full).casefold()
    return state.st_dev, state.st_ino
