"""Races among the plans of an evaluation: run when a budget asks for them, each shape once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from workspan.strategies.auto.fit.race import learn_support, run_race
from workspan.strategies.auto.fit.replayed import Shape, draw
from workspan.strategies.auto.fit.stops import Stops
from workspan.strategies.auto.policies.plan import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from workspan.strategies.auto.fit.table import Table
    from workspan.strategies.auto.policies.support import Support

    Floats = NDArray[np.float64]

WORTHS = tuple(0.0028 * 2 ** (0.5 * i) for i in range(16))
"""From a race that hardly ever stops before its chains end to one that stops at the first votes."""
SHAPES = (
    (4, 0, 4),
    (8, 0, 8),
    (16, 0, 16),
    (24, 0, 24),
    (8, 2, 32),
    (8, 2, 48),
    (16, 4, 64),
)
"""Chains at the start, chains that join after each block, chains in all."""
_CHAINS = 128
"""Chains of a problem that a shape is run on, in some orders; at least `_TIMES` of these."""
_TIMES = 4
_LEAST = 0.25
"""Of a typical chain: what each of a race's chains takes, at the least."""
_NEAR = 2
"""Neighbours on either side that an outcome is averaged with, by the worth at which it stops."""
_TRUST = 0.25
"""Share of what sets a race off from all others of as much work that is believed."""


class Races:
    """What races come to on a profile's chains that were looked at on the way."""

    def __init__(
        self,
        table: Table,
        seed: int = 0,
        support: Support | None = None,
        known: Callable[[Shape], Stops | None] | None = None,
    ) -> None:
        self._table, self._seed, self._support, self._known = table, seed, support, known
        self._replays: dict[Shape, Stops] = {}
        self._found: dict[tuple[Shape, float, float], tuple[Outcome, ...]] = {}

    @cached_property
    def support(self) -> Support:
        """What chains side by side are worth."""
        return self._support or learn_support(self._table, self._seed)

    def outcomes(
        self, work: float = np.inf, limit: float = np.inf, span: float = np.inf
    ) -> tuple[Outcome, ...]:
        """Return what each race comes to.

        Races of a few dozen problems differ by less than the noise of their labels. So that noise
        does not choose among them, the accuracy of each is drawn to a line over the logarithm of
        work, fitted to all of them, and to its neighbours.

        Args:
            work: tokens on the mean; races that take more in any case are left out.
            limit: work at which each run is cut.
            span: at which each run is cut.
        """
        table, found = self._table, list[tuple[Outcome, ...]]()
        for shape, chains in self._shapes():
            if chains * table.scale * _LEAST <= min(work, limit):
                found.append(self._of(shape, chains, limit, span))
        return _smoothed(found)

    def replays(self) -> dict[Shape, Stops]:
        """Run every race that there are chains for; by its shape, whose dive is its chains."""
        return {shape._replace(dive=n): self._replay(shape, n) for shape, n in self._shapes()}

    def _shapes(self) -> Iterator[tuple[Shape, int]]:
        table = self._table
        for width, joins, chains in SHAPES if table.is_asked else ():
            if chains <= table.tokens.shape[1]:
                yield Shape(width, int(table.tokens.max()), table.block, joins=joins), chains

    def _of(self, shape: Shape, chains: int, limit: float, span: float) -> tuple[Outcome, ...]:
        key = (shape._replace(dive=chains), limit, span)
        if key not in self._found:
            ends = self._replay(shape, chains).under(shape, WORTHS, limit, span)
            self._found[key] = tuple(end.outcome for end in ends)
        return self._found[key]

    def _replay(self, shape: Shape, chains: int) -> Stops:
        key = shape._replace(dive=chains)
        if key not in self._replays:
            known = self._known(key) if self._known else None
            self._replays[key] = known or self._run(shape, chains)
        return self._replays[key]

    def _run(self, shape: Shape, chains: int) -> Stops:
        draws = draw(self._table, max(_TIMES, _CHAINS // chains), chains, self._seed)
        found = run_race(self._table, self.support, draws, shape, enough=WORTHS[0])
        return Stops.of(found, draws, WORTHS)


def _smoothed(found: Sequence[tuple[Outcome, ...]]) -> tuple[Outcome, ...]:
    """Draw the accuracy of each to that of others; outcomes of a shape by the worth to stop at."""
    every = [one for outcomes in found for one in outcomes]
    if len(every) < 3:
        return (*every,)
    work = np.log([one.work for one in every])
    right = np.array([one.accuracy for one in every])
    away = work - work.mean()
    rise = max(0.0, float(away @ right) / max(1e-9, float(away @ away)))
    line = right.mean() + rise * away
    size = len(WORTHS)
    odd = np.pad((right - line).reshape(-1, size), ((0, 0), (_NEAR, _NEAR)), mode="edge")
    mean = np.mean([odd[:, i : i + size] for i in range(2 * _NEAR + 1)], axis=0).ravel()
    told = zip(every, line + _TRUST * mean - right, strict=True)
    return tuple(Outcome.of(one.plan, _raised(one.cases, by)) for one, by in told)


def _raised(cases: Floats, by: float) -> Floats:
    return np.concatenate([cases[:1] + by, cases[1:]])
