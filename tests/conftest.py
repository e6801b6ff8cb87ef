"""Shared by all tests: keep the user's own folders out of it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals of a test go to its own folder."""
    monkeypatch.setenv("WORKSPAN_STATE", str(tmp_path / "state"))
