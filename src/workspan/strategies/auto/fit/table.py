"""A calibration profile as arrays: what each of its chains said at every block of depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.strategies.auto.fit.profile import Case, Profile, Record
from workspan.strategies.auto.policies.state import NONE
from workspan.strategies.auto.prompt_features import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BLOCKS = 32
"""Depths of a typical chain that are told apart, at most."""
_PROBES = 2
"""Blocks between two probes of a run."""
_BY_PROBLEM = ("tokens", "ended", "group", "since", "right", "prompt_features")


class Arms(NamedTuple):
    """One run of each arm on each problem; arrays [problem, arm].

    A run that failed counts as the dearest, without an answer.
    """

    work: NDArray[np.float64]
    span: NDArray[np.float64]
    right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Table:
    """Chains on a grid of depths 0, block, 2 block, …; arrays [problem, chain, depth]."""

    block: int
    scale: float
    """Median tokens of a chain."""
    asked: float
    """Tokens of a probe."""
    is_asked: bool
    """Chains were looked at on the way: they can be cut there."""
    tokens: NDArray[np.int64]
    """[problem, chain], at its end."""
    ended: NDArray[np.bool_]
    """[problem, chain], by itself."""
    group: NDArray[np.int32]
    since: NDArray[np.int32]
    """Depth of the first of the probes that the answer stands since."""
    right: NDArray[np.bool_]
    prompt_features: NDArray[np.float64]
    """[problem, feature], what each prompt shows; no feature where that isn't known of all."""
    arms: Arms | None = None
    """What other strategies did on the same problems."""

    def on(self, problems: NDArray[np.int64]) -> Table:
        """Return the table of some of the problems."""
        parts = {name: getattr(self, name)[problems] for name in _BY_PROBLEM}
        arms = self.arms and Arms._make(column[problems] for column in self.arms)
        return replace(self, **parts, arms=arms)

    def cut(self, cap: int) -> Table:
        """Return the table of whole samples that are cut at a cap, and then have no answer."""
        kept = self.tokens <= cap
        tokens, ended = np.minimum(self.tokens, cap), self.ended & kept
        group, right = self.group.copy(), self.right.copy()
        group[~kept], right[~kept] = NONE, False
        block = min(self.block, cap)
        return replace(self, block=block, tokens=tokens, ended=ended, group=group, right=right)

    @property
    def watch(self) -> int:
        """Tokens between two probes of a run: so many that a probe is a small part of them."""
        return self.block * (_PROBES if self.asked else 1)

    @property
    def steps(self) -> int:
        """Blocks to the end of the longest chain."""
        return int(self.group.shape[2]) - 1


def tabulate(profile: Profile) -> Table:
    """Make the table; every problem gives as many chains as the one that has fewest.

    A problem without a known answer stands in with the answer that most of its chains ended on:
    what can be learnt there is when votes settle, not when they are right. If any answer is known,
    only such problems are taken.
    """
    cases, n = profile.even()
    probes = _Probes.of([record for case in cases for record in case.chains])
    scale, longest, gaps = float(np.median(probes.ends)), int(probes.ends.max()), probes.gaps
    gap = int(np.median(gaps)) if len(gaps) else longest
    block = gap * max(1, round(scale / BLOCKS / gap)) if len(gaps) else longest
    depths = np.arange(-(-longest // block) + 1) * block
    even = [record for case in cases for record in case.chains[:n]]
    shape = (len(cases), n, len(depths))
    group, since = (one.reshape(shape) for one in _Probes.of(even).said_at(depths))
    right = np.zeros(shape, dtype=bool)
    for i, case in enumerate(cases):
        right[i] = np.isin(group[i], np.array(_right(case))) & (group[i] != NONE)
    tokens = np.array([record.depths[-1] for record in even]).reshape(shape[:2])
    ended = np.array([record.ended for record in even]).reshape(shape[:2])
    arms = _arms(cases, len(profile.arms)) if profile.arms else None
    chains, prompt_features = (tokens, ended, group, since, right), _prompt_features(cases)
    return Table(block, scale, profile.asked, bool(len(gaps)), *chains, prompt_features, arms)


def _prompt_features(cases: Sequence[Case]) -> NDArray[np.float64]:
    is_known = all(len(case.prompt_features) == len(NAMES) for case in cases)
    return np.array([case.prompt_features if is_known else () for case in cases], dtype=float)


def _arms(cases: Sequence[Case], n: int) -> Arms:
    runs = [[*case.arms, *[None] * (n - len(case.arms))] for case in cases]
    work = np.array([[one.work if one else 0 for one in row] for row in runs], dtype=float)
    span = np.array([[one.span if one else 0 for one in row] for row in runs], dtype=float)
    has = np.array([[one is not None for one in row] for row in runs])
    right = np.array([[bool(one and one.right) for one in row] for row in runs])
    work, span = (np.where(has, column, column.max(axis=0)) for column in (work, span))
    return Arms(work, span, right)


def _right(case: Case) -> tuple[int, ...]:
    if case.right is not None:
        return case.right
    ends = [record.groups[-1] for record in case.chains if record.groups[-1] != NONE]
    return (max(sorted({*ends}), key=ends.count),) if ends else ()


class _Probes(NamedTuple):
    """What chains said, one after the other; arrays [probe], but for `starts` [chain]."""

    starts: NDArray[np.int64]
    depth: NDArray[np.int64]
    group: NDArray[np.int64]

    @classmethod
    def of(cls, records: Sequence[Record]) -> _Probes:
        """Lay them out."""
        sizes = np.array([len(record.depths) for record in records])
        depths = chain.from_iterable(record.depths for record in records)
        groups = chain.from_iterable(record.groups for record in records)
        depth, group = (np.fromiter(x, np.int64, int(sizes.sum())) for x in (depths, groups))
        return cls(sizes.cumsum() - sizes, depth, group)

    @property
    def is_first(self) -> NDArray[np.bool_]:
        """Of its chain."""
        found = np.zeros(len(self.depth), bool)
        found[self.starts] = True
        return found

    @property
    def ends(self) -> NDArray[np.int64]:
        """[chain], its tokens."""
        found: NDArray[np.int64] = self.depth[np.append(self.starts[1:], len(self.depth)) - 1]
        return found

    @property
    def gaps(self) -> NDArray[np.int64]:
        """Tokens between two probes, those to a chain's end left out."""
        is_last = np.append(self.is_first[1:], True)
        found: NDArray[np.int64] = np.diff(self.depth)[~(self.is_first | is_last)[1:]]
        return found

    def said_at(self, depths: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the latest answer of each chain at each depth, and since when it stands.

        Both [chain, depth].
        """
        place, is_first = np.arange(len(self.depth)), self.is_first
        has = (self.group != NONE) | is_first
        said = self.group[np.maximum.accumulate(np.where(has, place, 0))]
        is_new = is_first | (said != np.append(NONE, said[:-1]))
        stands = self.depth[np.maximum.accumulate(np.where(is_new, place, 0))]
        far = max(int(self.depth.max()), int(depths[-1])) + 1
        row = np.repeat(np.arange(len(self.starts)), np.diff([*self.starts, len(place)]))
        asked = np.arange(len(self.starts))[:, None] * far + depths
        at = np.searchsorted(row * far + self.depth, asked, side="right") - 1
        is_there = at >= self.starts[:, None]
        group = np.where(is_there, said[at], NONE).astype(np.int32)
        return group, np.where(is_there, stands[at], 0).astype(np.int32)
