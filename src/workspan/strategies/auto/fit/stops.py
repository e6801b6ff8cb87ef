"""Where the runs of a replay stop: at each least worth, and under any limit on work or span.

A run's states hang on no limit, and neither does where it would stop without one. So both are found
once, and may be kept; a limit only cuts runs short.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from workspan.strategies.auto.fit.replayed import Draws, Grown, Replayed, Shape, first_of
from workspan.strategies.auto.policies.plan import End, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Stops:
    """The states of some runs, as `Replayed` has them, and where each stops; arrays [state]."""

    problems: int
    """Each has as many runs, one after the other."""
    chains: int
    """Of a run, at most."""
    starts: Ints
    """[run], where its states begin."""
    grown: Grown
    right: NDArray[np.bool_]
    belief: Floats
    """Empty where nothing asks for it."""
    ends: Ints
    """[worth, run], the state at which it stops without a limit."""

    @classmethod
    def of(
        cls, found: Replayed, draws: Draws, worths: Sequence[float], *, keeps_belief: bool = False
    ) -> Stops:
        """Find where each run stops at each least worth."""
        ends = np.stack([found.first(found.worth < least) for least in worths])
        belief = found.belief if keeps_belief else found.belief[:0]
        told = (len(np.unique(draws.problem)), draws.order.shape[1])
        return cls(*told, found.starts, found.grown, found.right, belief, ends)

    @cached_property
    def problem(self) -> Ints:
        """Of each run."""
        return np.repeat(np.arange(self.problems), len(self.starts) // self.problems)

    def under(
        self, shape: Shape, worths: Sequence[float], limit: float, span: float = np.inf
    ) -> Iterator[End]:
        """Yield what the runs come to at each least worth, where each is cut at a limit."""
        work, spans, right = self.grown.work, self.grown.span, self.right
        dear = np.append((work[1:] > limit) | (spans[1:] > span), True)
        cut = first_of(self.starts, dear)
        for least, end in zip(worths, self.ends, strict=True):
            at = np.minimum(end, cut)
            belief = self.belief[at] if len(self.belief) else self.belief
            told = (right[at].astype(float), work[at], spans[at], belief)
            yield End(Plan(shape, self.chains, least), *told, self.problem)
