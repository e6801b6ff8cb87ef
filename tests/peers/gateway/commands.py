"""Other projects' commands, run to their end in a folder of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from peers.gateway.driven import environment_of


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


def run(command: Sequence[object], folder: Path, variables: Mapping[str, str] | None = None) -> Ran:
    """Run a command with none of our variables."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment_of(folder) | dict(variables or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
