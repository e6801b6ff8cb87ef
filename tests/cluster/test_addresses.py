"""Addresses of a cluster: one where nothing is gets a word at once, not minutes later."""

from __future__ import annotations

import anyio
import pytest

from workspan.errors import InputError


@pytest.fixture(autouse=True)
def _ray() -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install workspan[ray]")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "no Ray cluster at '127.0.0.1:1'"),
        ("head", "is no cluster"),
        ("head:0", "is no cluster"),
        (":6379", "is no cluster"),
    ],
)
def test_an_address_where_no_cluster_is(address: str, said: str) -> None:
    from workspan.cluster.on_ray import workers

    async def hire() -> None:
        async with workers(address, {}, 1, 1):
            pass

    with pytest.raises(InputError, match=said):
        anyio.run(hire)
