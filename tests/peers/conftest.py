"""What tests of peers share: their environments, and a real model behind the proxies."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from real_servers import llama_server
from workspan.testing.environments import environment

Install: TypeAlias = Callable[..., Path]


@pytest.fixture(scope="session")
def installed() -> Install:
    """Make, or find, an environment with packages; the test is skipped where that can't be."""

    def install(name: str, packages: Sequence[str], *, bare: Sequence[str] = ()) -> Path:
        try:
            return environment(name, packages, bare=bare)
        except subprocess.CalledProcessError as error:
            pytest.skip(
                f"{', '.join((*packages, *bare))} can't be installed: {error.stderr[-300:]}"
            )

    return install


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of llama.cpp's server; one server at a time, as memory is scarce."""
    with llama_server(tmp_path_factory.mktemp("llama") / "log") as address:
        yield address
