"""Figures of all workers of one gateway, whichever of them is asked: each keeps its own in a file.

A file is replaced whole, now and then. A worker that died leaves what it had last written until the
one in its place begins to count anew, which Prometheus takes for a restart.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

SECONDS = 1.0
"""Between two writings of a worker's file."""
_ENDING = ".figures"


class _Series(msgspec.Struct, array_like=True):
    name: str
    labels: dict[str, str]
    value: float


class _Family(msgspec.Struct, array_like=True):
    name: str
    said: str
    kind: str
    series: list[_Series]


_read = msgspec.msgpack.Decoder(list[_Family]).decode


class Gathered:
    """The files of one gateway's workers, in a folder that its parent made."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._own = folder / f"{worker}{_ENDING}"
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        """The file is as old as it may become."""
        return monotonic() >= self._due

    def write(self, families: Iterable[Metric]) -> None:
        """Keep this worker's figures for the others."""
        self._due = monotonic() + SECONDS
        told = [
            _Family(
                one.name,
                one.documentation,
                one.type,
                [_Series(s.name, s.labels, s.value) for s in one.samples],
            )
            for one in families
        ]
        part = self._own.with_suffix(".part")
        with suppress(OSError):  # without room or folder there are this worker's figures alone
            part.write_bytes(msgspec.msgpack.encode(told))
            os.replace(part, self._own)

    def with_others(self, families: Sequence[Metric]) -> list[Metric]:
        """Return families with the series that the other workers have written of each."""
        found = {one.name: one for one in families}
        for path in sorted(self._folder.glob(f"*{_ENDING}")):
            for other in () if path == self._own else _read_of(path):
                known = found.get(other.name)
                if known is None:
                    known = found[other.name] = Metric(other.name, other.said, other.kind)
                known.samples += [_sample(one) for one in other.series]
        return list(found.values())


def _read_of(path: Path) -> list[_Family]:
    try:
        return _read(path.read_bytes())
    except OSError:  # it ends just now
        return []


def _sample(one: _Series) -> Any:
    return Sample(one.name, one.labels, one.value)
