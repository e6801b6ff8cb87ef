"""Workers as actors of Ray: each a process with engines of its own, on whatever machine has room.

Ray may run a call twice, restart an actor and repeat its calls, or start calls out of their order
(ray 2.60). None of that is used: no restarts, no retries, one question to each actor at a time, and
the pool does the rest. What an actor raises comes as a value, since Ray rewraps exceptions.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import ray
from ray import cloudpickle
from ray.exceptions import RayError, RayTaskError

from workspan import __version__
from workspan.cluster.desk import Desk
from workspan.cluster.pool import Pool, opened
from workspan.cluster.told import EngineFactory, LaneName, Line, Unit
from workspan.errors import InputError, WorkerLost
from workspan.legible import one_line, quoted
from workspan.registry.table import written_files

HERE = "ray"
"""A cluster of this machine alone, for as long as the command runs."""
_KNOCK = 10.0
"""Seconds that a cluster's head may take to answer."""
_CALLS = 4096
"""Of one actor at a time: units that are begun, and a question that waits."""


class _Actor(Desk):
    """A desk in a process of its own."""

    async def version(self) -> str:
        """Say which Workspan this is."""
        return __version__


class RayWorker:
    """A worker that is an actor."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._is_closed = False

    @classmethod
    async def hire(cls, lanes: Mapping[LaneName, EngineFactory]) -> RayWorker:
        """Start an actor, and wait until it is there.

        Raises:
            WorkerLost: it can't be started.
            InputError: its machine has another version of Workspan.
        """
        options = {"num_cpus": 1, "max_restarts": 0, "max_task_retries": 0}
        made = ray.remote(_Actor).options(max_concurrency=_CALLS, **options)
        worker = cls(made.remote(lanes))
        version = await worker._told("version")
        if version != __version__:
            await worker.aclose()
            raise InputError(
                f"a worker has workspan {version}, and this is {__version__}: install the same on "
                "every machine of the cluster"
            )
        return worker

    async def begin(self, unit: Unit) -> None:
        """See `Worker.begin`."""
        try:
            await self._told("begin", unit)
        except (TypeError, RayTaskError) as error:  # it could not be written, or not be read there
            said = one_line(str(error).splitlines()[-1], 300)
            raise InputError(
                f"problem {quoted(unit.task.problem.id)} and its grader can't be sent to a worker: "
                f"{said}; what they are made of must be installed on every machine, or be a file.py"
            ) from None

    async def stop(self, unit: int) -> None:
        """See `Worker.stop`."""
        await self._told("stop", unit)

    async def exchange(self, kept: int) -> tuple[Line, ...]:
        """See `Worker.exchange`."""
        lines: tuple[Line, ...] = await self._told("exchange", kept)
        return lines

    async def aclose(self) -> None:
        """Let it give its engines back, and end it."""
        if self._is_closed:
            return
        self._is_closed = True
        with suppress(WorkerLost):
            await self._told("aclose")
        with suppress(RayError):
            ray.kill(self._actor, no_restart=True)

    async def _told(self, what: str, *given: object) -> Any:
        """Call the actor.

        Raises:
            WorkerLost: it is gone, or can't be reached: then it is taken to be.
        """
        try:
            return await getattr(self._actor, what).remote(*given)
        except RayTaskError:
            raise
        except RayError as error:
            raise WorkerLost(f"{type(error).__name__}: {one_line(str(error), 200)}") from None


@asynccontextmanager
async def workers(
    on: str, lanes: Mapping[LaneName, EngineFactory], workers: int | None, places: int
) -> AsyncIterator[Pool]:
    """Start workers on Ray for as long as the block runs.

    Args:
        on: "ray", or the address of a cluster that runs, such as "HOST:6379" or "auto".
        lanes: how each worker opens its engines.
        workers: how many; as many as the cluster has processors where None.
        places: units of each at a time.

    Raises:
        InputError: there is no such cluster, or it has too few processors.
        WorkerLost: a worker can't be started.
    """
    _connect(on, workers)
    for module in written_files():  # whole: no worker has them
        cloudpickle.register_pickle_by_value(module)
    try:
        most = int(ray.cluster_resources().get("CPU", 0))
        if (workers or 1) > most:
            raise InputError(f"{workers} workers need a processor each: the cluster has {most}")
        async with opened(lambda: RayWorker.hire(lanes), workers or most, places) as pool:
            yield pool
    finally:
        ray.shutdown()


def _reach(on: str) -> None:
    """Knock at the address first: Ray itself waits for minutes at one that is none."""
    host, _, port = on.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise InputError(f"{quoted(on)} is no cluster: write ray, auto, or its head as HOST:PORT")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK):
            pass
    except OSError as error:
        raise InputError(f"no Ray cluster at {quoted(on)}: {one_line(str(error), 300)}") from None


def _connect(on: str, workers: int | None) -> None:
    if ray.is_initialized():
        raise InputError("Ray is in use in this process already: run this in one of its own")
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if on == HERE:
        processors = max(workers or 0, os.cpu_count() or 1)
        ray.init("local", num_cpus=processors, include_dashboard=False, **quiet)
        return
    if on != "auto":
        _reach(on)
    try:
        ray.init(on, **quiet)
    except (ConnectionError, ValueError, RuntimeError, RayError) as error:
        raise InputError(f"no Ray cluster at {quoted(on)}: {one_line(str(error), 300)}") from None
