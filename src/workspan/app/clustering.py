"""Work on other machines: where it may run, and that engines there are those that are here."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workspan.app.engines import open_engines
from workspan.errors import InputError, MissingDependency
from workspan.legible import quoted

if TYPE_CHECKING:
    from workspan.cluster.pool import Pool
    from workspan.cluster.told import EngineFactory, Engines, LaneName

HERE = "here"
"""In this process."""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to anyone but the engines that are named
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # ray 2.60 writes of lost workers into our standard output
}


@dataclass(frozen=True)
class CommandFactory:
    """How a worker opens engines as a command names them; keys are in its own environment."""

    engine: Sequence[str] | None
    model: Sequence[str] | None
    price: Sequence[str] | None
    setting: Sequence[str] | None
    api_key_env: Sequence[str] | None
    identity: str
    """What they must be: the journal belongs to it."""

    async def open(self) -> Engines:
        """Open them.

        Raises:
            WorkspanError: they can't be, or are others than here.
        """
        from workspan.cluster.told import Engines

        told = (self.engine, self.model, self.price, self.setting, self.api_key_env)
        opened = await open_engines(*told)
        try:
            check_same(opened.identity, self.identity)
        except InputError:
            await opened.aclose()
            raise
        return Engines(opened.engine, opened.engines)


def check_same(found: str, wanted: str) -> None:
    """Refuse engines of a worker that are others than here.

    Raises:
        InputError: they are.
    """
    if found != wanted:
        raise InputError(
            f"a worker opened {quoted(found)}, and here it is {quoted(wanted)}: the same text must "
            "name the same model on every machine"
        )


def check_where(on: str, workers: int | None) -> None:
    """Refuse workers where there are none.

    Raises:
        InputError: it runs in this process.
    """
    if not on.strip():
        raise InputError("say where it runs: here, ray, or the address of a cluster of Ray")
    if "://" in on:
        raise InputError(
            f"{quoted(on)} is an address of Ray's client, which is not used here: run it on a "
            "machine of the cluster, with auto or HOST:6379 in its place"
        )
    if on == HERE and workers is not None:
        raise InputError("workers are of a cluster: say on which it runs, such as ray")
    if workers is not None and workers < 1:
        raise InputError(f"workers is {workers}: at least 1")


@asynccontextmanager
async def workers_on(
    on: str, lanes: Mapping[LaneName, EngineFactory], workers: int | None, places: int
) -> AsyncIterator[Pool]:
    """Start workers for as long as the block runs; see `cluster.on_ray.workers`.

    Raises:
        MissingDependency: Ray is not installed.
        InputError: there is no such cluster, or it has too few processors.
    """
    for name, value in _QUIET.items():  # read when Ray is imported
        os.environ.setdefault(name, value)
    try:
        from workspan.cluster.on_ray import workers as on_ray
    except ImportError:
        raise MissingDependency("running on Ray", "ray") from None
    async with on_ray(on, lanes, workers, places) as pool:
        yield pool
