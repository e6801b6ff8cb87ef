"""What a library's study takes longest to find, kept in the library's own file.

A plan for a budget is then chosen without running any plan, and without what fits its weights. What
is kept hangs on no budget. It goes with the very content of its library and with `VERSION`; of any
other it is not used, and all is found anew.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np

from workspan.strategies.auto.fit.columns import Column
from workspan.strategies.auto.fit.library import Held, Library, write_held
from workspan.strategies.auto.fit.stops import Stops
from workspan.strategies.auto.fit.study import Studies
from workspan.strategies.auto.fit.table import Arms, Table
from workspan.strategies.auto.fit.vote_study import Inductions
from workspan.strategies.auto.fit.walk import Grown, Shape
from workspan.strategies.auto.policies.evidence import Evidence
from workspan.strategies.auto.policies.plan import NEVER, Outcome, Plan
from workspan.strategies.auto.policies.support import Support

VERSION = 1
"""Of how plans are run and lines weighed: what an earlier one found is found anew."""


class _Table(msgspec.Struct, frozen=True, array_like=True):
    block: int
    scale: float
    asked: float
    is_asked: bool
    shape: tuple[int, int, int]
    columns: tuple[Column, ...]
    """Tokens, ended, group, since, right, signs; then the work, span and right of arms, if any."""

    @classmethod
    def of(cls, table: Table) -> _Table:
        p, n, d = table.group.shape
        columns = [table.tokens, table.ended, table.group, table.since, table.right, table.signs]
        packed = tuple(map(Column.of, (*columns, *(table.arms or ()))))
        return cls(table.block, table.scale, table.asked, table.is_asked, (p, n, d), packed)

    def table(self) -> Table:
        p, n, _ = self.shape
        tokens, ended, group, since, right, signs, *arms = (one.values() for one in self.columns)
        return Table(
            *(self.block, self.scale, self.asked, self.is_asked),
            tokens.reshape(p, n),
            ended.reshape(p, n),
            group.reshape(self.shape).astype(np.int32),
            since.reshape(self.shape).astype(np.int32),
            right.reshape(self.shape),
            signs.reshape(p, -1),
            Arms(*(one.reshape(p, -1) for one in arms)) if arms else None,
        )


class _Stops(msgspec.Struct, frozen=True, array_like=True):
    problems: int
    lines: int
    asked: float
    tick: float
    starts: Column
    columns: tuple[Column, Column, Column, Column, Column]
    """Tokens, looks, ticks, right, belief."""
    ends: Column

    @classmethod
    def of(cls, stops: Stops) -> _Stops:
        grown, starts = stops.grown, stops.starts
        counts = (Column.of(x, starts) for x in (grown.tokens, grown.looks, grown.ticks))
        tokens, looks, ticks = counts
        columns = (tokens, looks, ticks, Column.of(stops.right), Column.of(stops.belief))
        told = (stops.problems, stops.lines, grown.asked, grown.tick)
        return cls(*told, Column.of(starts), columns, Column.of(stops.ends - starts))

    def stops(self) -> Stops:
        starts = self.starts.values()
        *counts, right, belief = self.columns
        tokens, looks, ticks = (one.values(starts) for one in counts)
        grown = Grown(tokens, looks, ticks, self.asked, self.tick)
        ends = self.ends.values().reshape(-1, len(starts)) + starts
        told = (right.values(), belief.values(), ends)
        return Stops(self.problems, self.lines, starts, grown, *told)


class Kept(msgspec.Struct, frozen=True):
    """What was found of a library."""

    version: int
    library: str
    """SHA-256 of it as the file holds it."""
    table: _Table
    line: tuple[float, ...]
    leader: tuple[float, ...]
    gain: float
    support: tuple[tuple[float, ...], tuple[float, ...]]
    walks: tuple[tuple[Shape, _Stops], ...]
    races: tuple[tuple[Shape, _Stops], ...]
    splits: tuple[tuple[Shape, Shape, int], ...]
    """Each with the shape that it has in a plan, and its lines."""
    cases: Column
    """[split, 3, problem], what each comes to."""


class _Version(msgspec.Struct, frozen=True):
    version: int
    library: str


@dataclass(frozen=True)
class KeptStudy:
    """What is kept, as `Studies` ask for it: each walk is unpacked when somebody asks."""

    kept: Kept

    @property
    def evidence(self) -> Evidence:
        """What lines are worth."""
        return Evidence(self.kept.table.scale, self.kept.line, self.kept.leader)

    @property
    def gain(self) -> float:
        """Of one more line."""
        return self.kept.gain

    @property
    def support(self) -> Support:
        """What lines side by side are worth."""
        return Support(self.kept.table.scale, *self.kept.support)

    def walk(self, shape: Shape) -> Stops | None:
        """Unpack where the runs of a plan stop."""
        return self._walks[shape].stops() if shape in self._walks else None

    def race(self, shape: Shape) -> Stops | None:
        """Unpack where those of a race do."""
        return self._races[shape].stops() if shape in self._races else None

    def split(self, shape: Shape) -> Outcome | None:
        """Return what a fixed split comes to."""
        return self._splits.get(shape)

    @cached_property
    def _walks(self) -> Mapping[Shape, _Stops]:
        return dict(self.kept.walks)

    @cached_property
    def _races(self) -> Mapping[Shape, _Stops]:
        return dict(self.kept.races)

    @cached_property
    def _splits(self) -> Mapping[Shape, Outcome]:
        splits = self.kept.splits
        cases = self.kept.cases.values().reshape(len(splits), 3, -1)
        return {
            shape: Outcome.of(Plan(planned, lines, NEVER), own)
            for (shape, planned, lines), own in zip(splits, cases, strict=True)
        }


def keep(library: Library) -> Kept:
    """Run all plans on a library, as `auto` asks for them.

    Raises:
        MissingDependency: the extra `lab` is not installed.
    """
    studies = Studies.of(library)
    walks, splits = studies.all()
    races, support = studies.races.walks(), studies.races.support
    return Kept(
        VERSION,
        _hashed(msgspec.json.encode(library)),
        _Table.of(studies.table),
        studies.evidence.line,
        studies.evidence.leader,
        studies.gain,
        (support.answer, support.leader),
        tuple((shape, _Stops.of(one)) for shape, one in walks.items()),
        tuple((shape, _Stops.of(one)) for shape, one in races.items()),
        tuple((shape, one.plan.shape, one.plan.lines) for shape, one in splits.items()),
        Column.of(np.stack([one.cases for one in splits.values()])),
    )


def write_studied(library: Library, path: Path) -> None:
    """Write a library with what its study found; without, where it has nothing to be studied.

    Raises:
        DataError: something else is there.
        OutputError: the file can't be written.
        MissingDependency: the extra `lab` is not installed.
    """
    study = msgspec.json.encode(keep(library) if library.even()[1] else None)
    write_held(library, study, path)


def studies_of(held: Held) -> Studies:
    """Study a library by what its file holds, as far as that is of it and of this version."""
    kept = _read(held)
    if kept is None:
        return Studies.of(held.library)
    return Studies(kept.table.table(), votes=Inductions(held.library), known=KeptStudy(kept))


def _read(held: Held) -> Kept | None:
    try:
        found = msgspec.json.decode(held.study, type=_Version | None)
        if found != _Version(VERSION, _hashed(held.content)):
            return None
        kept = msgspec.json.decode(held.study, type=Kept)
        kept.table.table()
    except (msgspec.DecodeError, zlib.error, ValueError, TypeError, RecursionError):
        return None
    return kept


def _hashed(content: bytes | msgspec.Raw) -> str:
    return hashlib.sha256(bytes(content)).hexdigest()
