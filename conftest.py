"""Shared by all tests: keep the user's own folders out of it."""

from __future__ import annotations

import signal
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, settings

import patience
from workspan.core.stopwatch import WallTime

# No property fails because the machine was busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# A shell starts what runs in its background deaf to interrupts, and children inherit that; the
# tests that interrupt a process need one that listens.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `anyio.run` and runs go by a clock that waits for whoever is busy."""
    monkeypatch.setattr(anyio, "run", patience.patiently)
    monkeypatch.setattr(WallTime, "now", lambda _: patience.now())


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals of a test go to its own folder."""
    monkeypatch.setenv("WORKSPAN_STATE", str(tmp_path / "state"))
