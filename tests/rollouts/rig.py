"""What tests of rollouts share: folders, commands and a run over them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.engines.rollout.engine import Command, Rollouts
from workspan.errors import SandboxUnavailable
from workspan.runner import Result, run
from workspan.sandbox import available
from workspan.spec import parse_strategy

TASK = Problem.ask("Make f right.", kind="open", id="task")
SAYS = """echo '{"input_tokens": 10, "output_tokens": 7, "cost": 0.01}' > "$WORKSPAN_USAGE"; """


def need_a_sandbox() -> None:
    try:
        available()
    except SandboxUnavailable as error:
        pytest.skip(str(error))


def git(folder: Path, *words: str) -> str:
    told = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words]
    return subprocess.run(told, cwd=folder, check=True, capture_output=True, text=True).stdout


def repository(folder: Path) -> Path:
    """Make a repository with a commit, a change that is none, and what git ignores."""
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "f.py").write_text("def f(x):\n    return x\n")
    (folder / ".gitignore").write_text("built/\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    (folder / "f.py").write_text("def f(x):\n    return x - 1\n")
    (folder / "new.txt").write_text("not added yet\n")
    (folder / "built").mkdir()
    (folder / "built" / "out").write_text("ignored\n")
    return folder


def state(folder: Path) -> dict[str, bytes]:
    """Return all that a folder holds, its repository included."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def roll(
    command: Command,
    folder: Path,
    strategy: str = "self_consistency(n=3)",
    budget: str = "",
    **more: Any,
) -> Result:
    """Run a strategy over rollouts; every copy is gone afterwards."""

    async def main() -> Result:
        engine = await Rollouts.begin(command, folder)
        try:
            made = parse_strategy(strategy, imports=True)
            limits = Budget.parse(budget) if budget else Budget()
            return await run(made, TASK, engine, budget=limits, **more)
        finally:
            await engine.aclose()
            assert not engine.snapshot.root.exists()

    return anyio.run(main)
