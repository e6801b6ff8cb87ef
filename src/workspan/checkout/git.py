"""Git, called so that neither the user's settings nor those of a copied folder run anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from workspan.errors import CheckoutError, InputError
from workspan.legible import one_line

SECONDS = 600.0
"""That one call may take."""
_SAFE = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false", "-c", "core.autocrlf=false", "-c", "core.quotePath=true"),
    *(
        "-c",
        "commit.gpgSign=false",
        "-c",
        "protocol.file.allow=always",
        "-c",
        "core.safecrlf=false",
    ),
    *("-c", "user.name=workspan", "-c", "user.email=workspan@localhost"),
    *("-c", "submodule.recurse=false", "-c", "diff.ignoreSubmodules=all", "-c", "safe.directory=*"),
)


def git(
    words: Sequence[str | Path],
    folder: Path,
    *,
    given: bytes = b"",
    variables: Mapping[str, str] | None = None,
    is_own: bool = False,
) -> bytes:
    """Run git in a folder and return what it wrote.

    Args:
        words: its arguments.
        folder: where it runs.
        given: its standard input.
        variables: added to an environment without any of git's own.
        is_own: the user's own settings hold, such as what is ignored everywhere.

    Raises:
        InputError: there is no git on this machine.
        CheckoutError: it failed; the message is its last line.
    """
    program = shutil.which("git")
    if program is None:
        raise InputError("work trees need git, and there is none on PATH: apt install git")
    done = subprocess.run(
        [program, *_SAFE, *map(str, words)],
        cwd=folder,
        env=_environment(is_own=is_own) | dict(variables or {}),
        input=given,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise CheckoutError(f"git {words[0]}: {one_line(last, 300)}")
    return done.stdout


def _environment(*, is_own: bool) -> dict[str, str]:
    """Leave out what would lead git elsewhere, and everyone's settings but the folder's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    none = {} if is_own else {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return kept | none | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
