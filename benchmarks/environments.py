"""Separate virtual environments for what a benchmark compares with, kept in the user's cache."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path


def cache_folder() -> Path:
    """Where environments and their packages are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "workspan" / "benchmarks"


def environment(name: str, packages: Sequence[str], *, bare: Sequence[str] = ()) -> Path:
    """Make, or find, an environment with `packages` and return its interpreter.

    Args:
        name: what the folder is called; its contents follow from the other arguments.
        packages: installed with all they depend on.
        bare: installed without what they depend on.
    """
    mark = sha256(repr((sys.version_info[:2], list(packages), list(bare))).encode()).hexdigest()[
        :12
    ]
    folder = cache_folder() / f"{name}-{mark}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        venv.create(folder, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *packages], check=True)
        if bare:
            subprocess.run([*install, "--no-deps", *bare], check=True)
        done.touch()
    return python
