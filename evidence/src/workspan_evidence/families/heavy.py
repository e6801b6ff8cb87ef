"""Heavy-tailed search: a wrong first choice is costly, so that restarts beat one long chain.

The prototype's decoy sat on a bare chain, which its branching gave away; here the decoy's component
is a full copy, barren trees and all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from random import Random

from workspan.errors import at_least
from workspan_evidence.families.base import Chain, Verdict
from workspan_evidence.families.graph import (
    Format,
    GraphInstance,
    Rows,
    check_walk,
    graph_chain,
    two_copies,
)


@dataclass(frozen=True, slots=True)
class Heavy:
    """Two copies of a binary top of depth `m` whose 2^m branches are barren but for one.

    The fruitful branch is a straight chain of `h` edges to the target; the others are complete
    binary trees of height h, whose search costs 3(2^(h+1) - 1) tokens each.
    """

    m: int = 1
    h: int = 4
    format: Format = "dfs"

    @property
    def serial_depth(self) -> int:
        """Edges from the source to the target."""
        return self.m + self.h

    def __post_init__(self) -> None:
        at_least(1, m=self.m, h=self.h)

    def problem(self, rng: Random) -> GraphInstance:
        """Draw a problem; (m, h) = (1, 4) has 74 nodes."""
        return two_copies(self._component, self.format, rng)

    def _component(self, fresh: Callable[[], int], rows: Rows) -> tuple[int, int]:
        def barren(height: int) -> int:
            root = fresh()
            rows[root] = [barren(height - 1), barren(height - 1)] if height else []
            return root

        source = node = fresh()
        for level in range(self.m, 0, -1):  # the wrong branch holds 2^(level - 1) barren trees
            onward = fresh()
            rows[node] = [onward, self._wrong(level - 1, fresh, rows, barren)]
            node = onward
        for _ in range(self.h):
            rows[node] = [fresh()]
            (node,) = rows[node]
        rows[node] = []
        return source, node

    def _wrong(
        self, depth: int, fresh: Callable[[], int], rows: Rows, barren: Callable[[int], int]
    ) -> int:
        if depth == 0:
            return barren(self.h)
        root = fresh()
        rows[root] = [self._wrong(depth - 1, fresh, rows, barren) for _ in range(2)]
        return root

    def chain(self, instance: GraphInstance, rng: Random) -> Chain:
        """Draw a walk in the instance's format."""
        return graph_chain(instance, rng)

    def check(self, instance: GraphInstance, ids: tuple[int, ...]) -> Verdict:
        """Follow a model's walk."""
        return check_walk(instance, ids)

    @property
    def dive(self) -> int:
        """Tokens of a chain that makes no mistake."""
        return self.m + self.h

    def found(self, cap: int) -> float:
        """Return the exact chance that random search reaches the target within `cap` tokens.

        Of the m forks each is missed with chance 1/2; a miss with k forks left below it costs
        3 tokens for every node of a complete binary tree of height h + k.
        """
        costs = [3 * ((1 << (self.h + k + 1)) - 1) for k in range(self.m)]
        within = [
            self.dive + sum(cost for cost, miss in zip(costs, missed, strict=True) if miss) <= cap
            for missed in product((False, True), repeat=self.m)
        ]
        return sum(within) / len(within)
