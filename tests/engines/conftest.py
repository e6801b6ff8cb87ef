"""What tests of engines share: a real llama.cpp server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from real_servers import llama_server


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server with a real model."""
    with llama_server(tmp_path_factory.mktemp("llama") / "log") as address:
        yield address
