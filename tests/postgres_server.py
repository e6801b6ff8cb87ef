"""A PostgreSQL server of the machine's own package, on loopback, with data of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=50", "shared_buffers=16MB")
"""What makes it quick: its data needs to outlive no machine."""


def _binary(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join(map(str, _FOLDERS))) or shutil.which(name)


def is_there() -> bool:
    return all(_binary(name) for name in ("initdb", "pg_ctl"))


class PostgresServer:
    """Started and stopped as a test needs it; the data stays until the end."""

    def __init__(self) -> None:
        if not is_there():
            pytest.skip("no PostgreSQL server here: apt-get install postgresql")
        is_root = os.geteuid() == 0  # as whom the server refuses to run
        self._user = "postgres" if is_root else None
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self.role = self._user or getpass.getuser()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-D", "data", "-U", self.role, "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def address(self, database: str = "postgres", password: str = "") -> str:
        who = f"{self.role}:{password}" if password else self.role
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        settings = [f"-c {one}" for one in _SETTINGS]
        options = " ".join([f"-p {self.port} -h 127.0.0.1 -k {self.folder}", *settings])
        self._run("pg_ctl", "-D", "data", "-w", "-o", options, "-l", "log", "start")

    def stop(self) -> None:
        """Stop as a crash does: no transaction is finished."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")

    def remove(self) -> None:
        self._run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str, check: bool = True) -> None:
        program = _binary(name)
        assert program is not None
        done = subprocess.run(
            [program, *arguments],
            cwd=self.folder,
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
