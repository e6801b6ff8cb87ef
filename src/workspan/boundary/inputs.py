"""Files that the user names to be read."""

from __future__ import annotations

import stat
from pathlib import Path

from workspan.errors import DataError


def read_whole(path: Path) -> bytes:
    """Read a file, or a pipe, to its end.

    Raises:
        DataError: it can't be read; see `check_ends`.
    """
    try:
        check_ends(path)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"can't be read: {why}", path=str(path)) from error


def check_there(path: Path) -> None:
    """Refuse what is no file or pipe, before anything else is said of it.

    Raises:
        DataError: so it is.
    """
    try:
        check_ends(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(f"can't be read: {why}", path=str(path)) from error


def check_ends(path: Path) -> None:
    """Refuse a device such as ``/dev/zero``, which may have no end; a pipe has one.

    Raises:
        DataError: it is one.
        OSError: there is nothing of that name.
    """
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise DataError("is a device, and no file", path=str(path))
