"""A calibration profile as arrays: what each of its chains said at every block of depth."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from statistics import median
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
    records = [record for case in cases for record in case.chains]
    scale = float(median(record.depths[-1] for record in records))
    longest = max(record.depths[-1] for record in records)
    gaps = [b - a for r in records for a, b in zip(r.depths[:-2], r.depths[1:-1], strict=True)]
    gap = int(median(gaps)) if gaps else longest
    block = gap * max(1, round(scale / BLOCKS / gap)) if gaps else longest
    depths = np.arange(-(-longest // block) + 1) * block
    shape = (len(cases), n, len(depths))
    group, since = np.full(shape, NONE, np.int32), np.zeros(shape, np.int32)
    right = np.zeros(shape, dtype=bool)
    for i, case in enumerate(cases):
        truth = np.array(_right(case))
        for j, record in enumerate(case.chains[:n]):
            group[i, j], since[i, j] = _said(record, depths)
        right[i] = np.isin(group[i], truth) & (group[i] != NONE)
    tokens = np.array([[r.depths[-1] for r in case.chains[:n]] for case in cases])
    ended = np.array([[r.ended for r in case.chains[:n]] for case in cases])
    arms = _arms(cases, len(profile.arms)) if profile.arms else None
    chains, prompt_features = (tokens, ended, group, since, right), _prompt_features(cases)
    return Table(block, scale, profile.asked, bool(gaps), *chains, prompt_features, arms)


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


def _said(record: Record, depths: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Return a chain's latest answer at each depth, and since when it stands."""
    said: list[int] = []
    stands: list[int] = []
    for depth, group in zip(record.depths, record.groups, strict=True):
        before = said[-1] if said else NONE
        said.append(before if group == NONE else group)
        stands.append(stands[-1] if said[-1] == before and stands else depth)
    places = [bisect_right(record.depths, int(depth)) - 1 for depth in depths]
    groups = [said[i] if i >= 0 else NONE for i in places]
    return groups, [stands[i] if i >= 0 else 0 for i in places]
