"""Walks whose every token is several edges on: what the control without a chain learns from.

A model that says a node k edges on in one token has looked along k edges without writing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from workspan_evidence.families.base import Chain, Verdict
from workspan_evidence.families.connectivity import Path
from workspan_evidence.families.graph import GraphInstance


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
        ids = tuple(way[self.edges :: self.edges])
        return Chain(ids, tuple((node,) for node in ids), unsure=0)

    def check(self, instance: GraphInstance, ids: tuple[int, ...]) -> Verdict:
        """Judge the last token."""
        answer = ids[self.n - 1] if len(ids) >= self.n else None
        correct = answer == instance.answer
        return Verdict(answer, correct, found=correct, legal=True, moves=self.n - 1)
