"""Virtual environments for other projects' packages, kept in the user's cache between runs."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import venv
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import platformdirs

OPTILLM = "optillm==0.4.0"
OPTILLM_NEEDS = (
    "numpy", "networkx", "openai<3", "httpx", "flask", "aiohttp", "requests", "z3-solver<=4.15.4.0",
    "cerebras_cloud_sdk", "math-verify", "PyYAML", "scipy", "sympy",
)  # fmt: skip
"""What its server and its approaches none, bon and moa import; all it depends on takes 7 GB."""


def cache_folder() -> Path:
    """Where environments and their packages are kept between runs."""
    return Path(platformdirs.user_cache_path("workspan")) / "environments"


def environment(name: str, packages: Sequence[str], *, bare: Sequence[str] = ()) -> Path:
    """Make, or find, an environment with `packages` and return its interpreter.

    Args:
        name: what the folder is called; its contents follow from the other arguments.
        packages: installed with all they depend on.
        bare: installed without what they depend on.

    Raises:
        CalledProcessError: a package could not be installed; the error's `stderr` says why.
    """
    described = repr((sys.version_info[:2], list(packages), list(bare)))
    folder = cache_folder() / f"{name}-{sha256(described.encode()).hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes may want the same one
        if not (folder / "installed").exists():
            venv.create(folder, clear=True, with_pip=True)
            install = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
            _run([*install, *packages])
            if bare:
                _run([*install, "--no-deps", *bare])
            (folder / "installed").touch()
    return python


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
