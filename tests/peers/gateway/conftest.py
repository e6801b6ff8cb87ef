"""What tests of real clients share: one simulated upstream, one gateway before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from peers.gateway.served import Served, add_key, served_simulated
from peers.gateway.simulated_upstream import Upstream, simulated_upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """Where the gateway passes requests on to."""
    with simulated_upstream() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The gateway without keys of its own, as `workspan serve` is by default."""
    with served_simulated(tmp_path_factory.mktemp("gateway"), upstream) as running:
        yield running


@pytest.fixture(scope="module")
def following(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway that finds runs by what their prompts go on from, and keeps responses."""
    told = (
        "--trajectories-by-prefix",
        "--trajectory-budget",
        "10k work",
        "--keep-responses",
        "100",
    )
    with served_simulated(tmp_path_factory.mktemp("following"), upstream, *told) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Keyed:
    """A gateway with keys of its own: one with all it needs, one that has nothing to spend."""

    gateway: Served
    rich: str
    poor: str


@pytest.fixture(scope="module")
def keyed(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """The gateway with a store."""
    folder = tmp_path_factory.mktemp("keyed")
    store = folder / "keys.db"
    rich, poor = add_key(store, "1M work/day"), add_key(store, "1 prefill/day")
    with served_simulated(folder, upstream, "--store", str(store)) as running:
        yield Keyed(running, rich, poor)
