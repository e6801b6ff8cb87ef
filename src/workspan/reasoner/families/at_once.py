"""The answer in one token, and walks whose every token is several edges on: the control's tasks.

A model that says a node k edges on in one token has looked along k edges without writing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from workspan.reasoner.families.base import Chain, Verdict
from workspan.reasoner.families.connectivity import Path
from workspan.reasoner.families.graph import GraphInstance
from workspan.reasoner.planted import Drawn


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Problems of a family whose chain is the answer and nothing else."""

    family: Drawn

    def problem(self, rng: Random) -> GraphInstance:
        """Draw a problem of the family."""
        return self.family.problem(rng)

    def chain(self, instance: GraphInstance, rng: Random) -> Chain:  # noqa: ARG002
        """Return the answer."""
        return _forced((instance.answer,))

    def check(self, instance: GraphInstance, ids: tuple[int, ...]) -> Verdict:
        """Judge the first token."""
        return _judged(instance, ids)


@dataclass(frozen=True, slots=True)
class Leaps:
    """Chains of edges walked `edges` at a time, `n` tokens to the answer."""

    edges: int
    n: int

    def problem(self, rng: Random) -> GraphInstance:
        """Draw a `Path`."""
        return Path(self.edges * self.n, format="direct").problem(rng)

    def chain(self, instance: GraphInstance, rng: Random) -> Chain:  # noqa: ARG002
        """Return every `edges`-th node on the way."""
        way = [instance.source]
        while below := instance.rows[way[-1]]:
            way += below
        return _forced(tuple(way[self.edges :: self.edges]))

    def check(self, instance: GraphInstance, ids: tuple[int, ...]) -> Verdict:
        """Judge the last token."""
        return _judged(instance, ids[self.n - 1 :])


def _forced(ids: tuple[int, ...]) -> Chain:
    return Chain(ids, tuple((symbol,) for symbol in ids), unsure=0)


def _judged(instance: GraphInstance, ids: tuple[int, ...]) -> Verdict:
    answer = ids[0] if ids else None
    correct = answer == instance.answer
    return Verdict(answer, correct, found=correct, legal=True, moves=0)
