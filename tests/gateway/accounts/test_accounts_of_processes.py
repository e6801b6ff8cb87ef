"""Several processes on one store, one of them killed: no limit passed, no token lost or doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def measured(address: str, *arguments: str) -> dict[str, Any]:
    """Run the benchmark's workers, small; what they decode is billed by a file of its own."""
    command = [sys.executable, "-m", "benchmarks.gateway.budgets", "--store", address, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.heavy
def test_workers_share_a_budget_to_the_last_token(address: str) -> None:
    result = measured(address, "--budget", "100000", "--streams", "64")
    assert result["overrun"] == 0
    for key in result["keys"]:
        assert key["usable"] >= 0.985
        assert key["spent"] == key["billed"] == key["recorded"] <= key["limit"]
        assert key["held"] == 0
        assert all(key["limits"].values())


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [1, 2])
def test_workers_killed_in_mid_hold_lose_no_token(address: str, seed: int) -> None:
    result = measured(
        *(address, "--budget", "100000", "--streams", "64", "--kill", "2", "--seed", str(seed))
    )
    assert result["overrun"] == 0
    for key in result["keys"]:
        assert key["billed"] <= key["spent"] <= key["limit"]
        assert key["held"] == 0
        assert all(key["limits"].values())
    assert result["told"]["answered"] > 0


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_streams_through_the_gateway_pass_no_limit(address: str) -> None:
    result = measured(
        *(address, "--relayed", "--budget", "200000", "--keys", "2"),
        *("--piece", "4", "--piece-seconds", "0.1"),
    )
    assert result["overrun"] == 0
    for key in result["keys"]:
        assert key["usable"] >= 0.985
        assert key["billed"] <= key["spent"] == key["recorded"] <= key["limit"]
        assert key["held"] == 0
        assert all(key["limits"].values())
    assert "torn" not in result["told"]


def test_two_processes_in_small(address: str) -> None:
    result = measured(
        *(address, "--workers", "2", "--streams", "4", "--keys", "1", "--budget", "2000"),
        *("--slice", "64", "--piece", "16", "--piece-seconds", "0"),
    )
    [key] = result["keys"]
    assert key["spent"] == key["billed"] == key["recorded"] == 2000
