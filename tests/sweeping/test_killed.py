"""A sweep that is killed at ten moments and goes on comes to what an undisturbed one comes to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from counting_server import CountingServer, serving
from sweep_process import Sweep, plain, table

KILLS = 10


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with serving("--delay", "0.001", "--text", "so " * 30 + "Answer: 4") as found:
        yield found


@pytest.mark.heavy
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("seed", [0, 1])
def test_ten_kills_change_no_cell_and_no_figure(
    tmp_path: Path, server: CountingServer, seed: int
) -> None:
    whole = Sweep(tmp_path / "whole", server)
    expected = whole.finish()
    undisturbed = server.bill()
    assert {cell["status"] for cell in expected} == {"done"}
    spent = sum(cell["spent_work"] for cell in expected)
    assert spent >= undisturbed.completion_tokens > 0

    rng, killed = random.Random(seed), Sweep(tmp_path / "killed", server)
    each = whole.lines() // (KILLS + 2)
    kills = sum(killed.kill(after=rng.randint(1, 2 * each)) for _ in range(KILLS))
    assert kills >= KILLS // 2, "it was over too early to say anything"
    found = killed.finish()
    assert plain(found) == plain(expected)
    assert plain(table(killed.store, "trials")) == plain(table(whole.store, "trials"))
    for mine, theirs in zip(found, expected, strict=True):
        lost = mine["spent_work"] - theirs["spent_work"]
        assert lost == mine["lost_work"] >= 0
        assert theirs["lost_work"] == 0
    # all that the server decoded for it is on its account, and within the total
    came_to = server.bill().completion_tokens - undisturbed.completion_tokens
    account = sum(cell["spent_work"] for cell in found)
    assert came_to <= account <= 900_000
    assert account - spent == sum(cell["lost_work"] for cell in found)
    # once more: nothing is asked
    before = server.bill()
    assert killed.finish() == found
    assert server.bill() == before
