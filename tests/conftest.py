"""Shared by all tests: keep the user's own folders out of it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

# A shell starts what runs in its background deaf to interrupts, and children inherit that; the
# tests that interrupt a process need one that listens.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals of a test go to its own folder."""
    monkeypatch.setenv("WORKSPAN_STATE", str(tmp_path / "state"))
