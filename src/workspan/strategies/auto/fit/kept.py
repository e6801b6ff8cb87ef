"""What an evaluation of a profile takes longest to find, kept in the profile's own file.

A plan for a budget is then chosen without running any plan, and without what fits its weights. What
is kept hangs on no budget. It goes with the very content of its profile and with `VERSION`; of any
other it is not used, and all is found anew.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from workspan.strategies.auto.fit.columns import Column
from workspan.strategies.auto.fit.evaluation import Evaluations
from workspan.strategies.auto.fit.profile import Held, Profile, write_held
from workspan.strategies.auto.fit.replayed import Grown, Shape
from workspan.strategies.auto.fit.stops import Stops
from workspan.strategies.auto.fit.table import Arms, Table
from workspan.strategies.auto.fit.vote_evaluation import Ended, Inductions, KnownVotes
from workspan.strategies.auto.fit.vote_induction import PRICES
from workspan.strategies.auto.policies.conditional_logit import ConditionalLogit
from workspan.strategies.auto.policies.evidence import Evidence
from workspan.strategies.auto.policies.plan import NEVER, Outcome, Plan
from workspan.strategies.auto.policies.support import Support
from workspan.strategies.auto.policies.weigher import Weigher

_PRICES = len(PRICES)
VERSION = 2
"""Of how plans are run and chains weighed: what an earlier one found is found anew."""


class _Table(msgspec.Struct, frozen=True, array_like=True):
    block: int
    scale: float
    asked: float
    is_asked: bool
    shape: tuple[int, int, int]
    columns: tuple[Column, ...]
    """Tokens, ended, group, since, right, features; then work, span and right of arms, if any."""

    @classmethod
    def of(cls, table: Table) -> _Table:
        p, n, d = table.group.shape
        chains = (table.tokens, table.ended, table.group, table.since, table.right)
        columns = (*chains, table.prompt_features, *(table.arms or ()))
        packed = tuple(map(Column.of, columns))
        return cls(table.block, table.scale, table.asked, table.is_asked, (p, n, d), packed)

    def table(self) -> Table:
        p, n, _ = self.shape
        tokens, ended, group, since, right, prompt_features, *arms = (
            one.values() for one in self.columns
        )
        return Table(
            *(self.block, self.scale, self.asked, self.is_asked),
            tokens.reshape(p, n),
            ended.reshape(p, n),
            group.reshape(self.shape).astype(np.int32),
            since.reshape(self.shape).astype(np.int32),
            right.reshape(self.shape),
            prompt_features.reshape(p, -1),
            Arms(*(one.reshape(p, -1) for one in arms)) if arms else None,
        )


class _Stops(msgspec.Struct, frozen=True, array_like=True):
    problems: int
    chains: int
    asked: float
    tick: float
    starts: Column
    columns: tuple[Column, Column, Column, Column, Column]
    """Tokens, probes, ticks, right, belief."""
    ends: Column

    @classmethod
    def of(cls, stops: Stops) -> _Stops:
        grown, starts = stops.grown, stops.starts
        counts = (Column.of(x, starts) for x in (grown.tokens, grown.probes, grown.ticks))
        tokens, probes, ticks = counts
        columns = (tokens, probes, ticks, Column.of(stops.right), Column.of(stops.belief))
        told = (stops.problems, stops.chains, grown.asked, grown.tick)
        return cls(*told, Column.of(starts), columns, Column.of(stops.ends - starts))

    def stops(self) -> Stops:
        starts = self.starts.values()
        *counts, right, belief = self.columns
        tokens, probes, ticks = (one.values(starts) for one in counts)
        grown = Grown(tokens, probes, ticks, self.asked, self.tick)
        ends = self.ends.values().reshape(-1, len(starts)) + starts
        told = (right.values(), belief.values(), ends)
        return Stops(self.problems, self.chains, starts, grown, *told)


class _Votes(msgspec.Struct, frozen=True, array_like=True):
    """What votes on whole samples came to."""

    logit: tuple[float, float] | None
    """What a leader is worth, as `ConditionalLogit` has it; None where no answer was known."""
    ended: Annotated[tuple[Ended, ...], msgspec.Meta(min_length=_PRICES, max_length=_PRICES)]
    """By prices, where no run is cut."""

    @classmethod
    def of(cls, votes: Inductions, *, labelled: bool) -> _Votes:
        logit, one = votes.sampled.logit, votes.within()
        ended = tuple(map(one.ended, range(len(PRICES))))
        return cls((logit.sharpness, logit.neither) if labelled else None, ended)


class Kept(msgspec.Struct, frozen=True):
    """What was found of a profile."""

    version: int
    profile: str
    """SHA-256 of it as the file holds it."""
    table: _Table
    chain: tuple[float, ...]
    leader: tuple[float, ...]
    gain: float
    support: tuple[tuple[float, ...], tuple[float, ...]]
    replays: tuple[tuple[Shape, _Stops], ...]
    races: tuple[tuple[Shape, _Stops], ...]
    splits: tuple[tuple[Shape, Shape, int], ...]
    """Each with the shape that it has in a plan, and its chains."""
    cases: Column
    """[split, 3, problem], what each comes to."""
    by_length: float | None
    """What a vote on whole samples counts, as `Weigher` has it; None where it can't be told."""
    votes: _Votes | None = None
    """None where there are none; where a file was written before this was kept, it is found."""


class _Version(msgspec.Struct, frozen=True):
    version: int
    profile: str


@dataclass(frozen=True)
class KeptEvaluation:
    """What is kept, as `Evaluations` ask for it: each replay is unpacked when somebody asks."""

    kept: Kept

    @property
    def evidence(self) -> Evidence:
        """What chains are worth."""
        return Evidence(self.kept.table.scale, self.kept.chain, self.kept.leader)

    @property
    def gain(self) -> float:
        """Of one more chain."""
        return self.kept.gain

    @property
    def support(self) -> Support:
        """What chains side by side are worth."""
        return Support(self.kept.table.scale, *self.kept.support)

    def replay(self, shape: Shape) -> Stops | None:
        """Unpack where the runs of a plan stop."""
        return self._replays[shape].stops() if shape in self._replays else None

    def race(self, shape: Shape) -> Stops | None:
        """Unpack where those of a race do."""
        return self._races[shape].stops() if shape in self._races else None

    def split(self, shape: Shape) -> Outcome | None:
        """Return what a fixed split comes to."""
        return self._splits.get(shape)

    @cached_property
    def _replays(self) -> Mapping[Shape, _Stops]:
        return dict(self.kept.replays)

    @cached_property
    def _races(self) -> Mapping[Shape, _Stops]:
        return dict(self.kept.races)

    @cached_property
    def _splits(self) -> Mapping[Shape, Outcome]:
        splits = self.kept.splits
        cases = self.kept.cases.values().reshape(len(splits), 3, -1)
        return {
            shape: Outcome.of(Plan(planned, chains, NEVER), own)
            for (shape, planned, chains), own in zip(splits, cases, strict=True)
        }


def keep(profile: Profile) -> Kept:
    """Run all plans on a profile, as `auto` asks for them.

    Raises:
        MissingDependency: the extra `lab` is not installed.
    """
    evaluations = Evaluations.of(profile)
    replays, splits = evaluations.all()
    votes = evaluations.votes
    races, support = evaluations.races.replays(), evaluations.races.support
    return Kept(
        VERSION,
        _hashed(msgspec.json.encode(profile)),
        _Table.of(evaluations.table),
        evaluations.evidence.chain,
        evaluations.evidence.leader,
        evaluations.gain,
        (support.answer, support.leader),
        tuple((shape, _Stops.of(one)) for shape, one in replays.items()),
        tuple((shape, _Stops.of(one)) for shape, one in races.items()),
        tuple((shape, one.plan.shape, one.plan.chains) for shape, one in splits.items()),
        Column.of(np.stack([one.cases for one in splits.values()])),
        votes.sampled.weigher.by_length if votes else None,
        _Votes.of(votes, labelled=bool(profile.labelled)) if votes else None,
    )


def write_evaluated(profile: Profile, path: Path) -> None:
    """Write a profile with what plans came to on it; without, where no plan can be run.

    Raises:
        DataError: something else is there.
        OutputError: the file can't be written.
        MissingDependency: the extra `lab` is not installed.
    """
    evaluation = msgspec.json.encode(keep(profile) if profile.even()[1] else None)
    write_held(profile, evaluation, path)


def evaluations_of(held: Held) -> Evaluations:
    """Evaluate plans by what a file holds, as far as that is of its profile and this version."""
    found = _read(held)
    if found is None:
        return Evaluations.of(held.profile)
    kept, table = found
    votes = Inductions.of(held.profile, _known(kept))
    return Evaluations(table, votes=votes, known=KeptEvaluation(kept))


def _known(kept: Kept) -> KnownVotes:
    weigher = Weigher(kept.by_length) if kept.by_length is not None else None
    if kept.votes is None:
        return KnownVotes(weigher)
    logit = ConditionalLogit(*kept.votes.logit) if kept.votes.logit else None
    return KnownVotes(weigher, logit, kept.votes.ended)


def _read(held: Held) -> tuple[Kept, Table] | None:
    try:
        found = msgspec.json.decode(held.evaluation, type=_Version | None)
        if found != _Version(VERSION, _hashed(held.content)):
            return None
        kept = msgspec.json.decode(held.evaluation, type=Kept)
        return kept, kept.table.table()
    except (msgspec.DecodeError, zlib.error, ValueError, TypeError, RecursionError):
        return None


def _hashed(content: bytes | msgspec.Raw) -> str:
    return hashlib.sha256(bytes(content)).hexdigest()
