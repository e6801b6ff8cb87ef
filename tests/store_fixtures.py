"""Where a store is: a file, or a database of PostgreSQL. Imported by the conftests that need it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from postgres_server import PostgresServer
from store_rig import fresh_database

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.peers)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    pytest.importorskip(
        "psycopg", reason="psycopg is not installed: pip install workspan[postgres]"
    )
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(params=BOTH)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new, empty store is: of either kind."""
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    return fresh_database(request.getfixturevalue("postgres"))
