"""What tests of real clients share: one simulated upstream, one gateway before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from peers.gateway.served import Served, served, served_simulated
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
def poor(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway whose budget no request fits."""
    options = ["-e", upstream.url("m"), "--model", "m", "--price", "1/1", "--budget", "$0.00000001"]
    with served(tmp_path_factory.mktemp("poor"), *options) as running:
        yield running
