"""Connectivity on paths, deep forks and bridges: where depth pays exponentially.

Each family's `found(cap)` is the exact chance that ideal random depth-first search stands on the
target within `cap` tokens: what a trained model's measured rate is to be read beside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, permutations
from math import comb
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
class Path:
    """Two chains of `d` edges: below d tokens no number of samples helps."""

    d: int
    format: Format = "dfs"

    @property
    def serial_depth(self) -> int:
        """Edges to the target, each found from the one before."""
        return self.d

    def __post_init__(self) -> None:
        at_least(1, d=self.d)

    def problem(self, rng: Random) -> GraphInstance:
        """Draw a problem of 2(d + 1) nodes."""
        return two_copies(self._component, self.format, rng)

    def _component(self, fresh: Callable[[], int], rows: Rows) -> tuple[int, int]:
        nodes = [fresh() for _ in range(self.d + 1)]
        rows |= {u: [v] for u, v in pairwise(nodes)}
        rows[nodes[-1]] = []
        return nodes[0], nodes[-1]

    def chain(self, instance: GraphInstance, rng: Random) -> Chain:
        """Return the one walk there is."""
        return graph_chain(instance, rng)

    def check(self, instance: GraphInstance, ids: tuple[int, ...]) -> Verdict:
        """Follow a model's walk."""
        return check_walk(instance, ids)

    def found(self, cap: int) -> float:
        """Return 1 from `d` tokens on, 0 below."""
        return float(cap >= self.d)


@dataclass(frozen=True, slots=True)
class Deep:
    """Two chains of `d` forks, each with one immediate dead end.

    The shortest chain must guess d forks, 2^-d; a long one climbs back, 3 tokens for each mistake.
    """

    d: int
    format: Format = "dfs"

    @property
    def serial_depth(self) -> int:
        """Forks on the way, each met after the one before."""
        return self.d

    def __post_init__(self) -> None:
        at_least(1, d=self.d)

    def problem(self, rng: Random) -> GraphInstance:
        """Draw a problem of 2(2d + 1) nodes."""
        return two_copies(self._component, self.format, rng)

    def _component(self, fresh: Callable[[], int], rows: Rows) -> tuple[int, int]:
        source = node = fresh()
        for _ in range(self.d):
            dead, onward = fresh(), fresh()
            rows[node], rows[dead] = [dead, onward], []
            node = onward
        rows[node] = []
        return source, node

    def chain(self, instance: GraphInstance, rng: Random) -> Chain:
        """Draw a walk in the instance's format."""
        return graph_chain(instance, rng)

    def check(self, instance: GraphInstance, ids: tuple[int, ...]) -> Verdict:
        """Follow a model's walk."""
        return check_walk(instance, ids)

    def found(self, cap: int) -> float:
        """Return P(Binomial(d, 1/2) <= (cap - d) / 3)."""
        mistakes = (cap - self.d) // 3
        ways = sum(comb(self.d, k) for k in range(min(mistakes, self.d) + 1))
        return float(ways / 2**self.d)


@dataclass(frozen=True, slots=True)
class Bridge:
    """Two copies of Bridge(d, short, long, dead), as `utils.py` of "Let Me Think!" makes it.

    A petal is a cycle through its entry and exit, of a `short` and a `long` arc, and a dead end of
    `dead` edges at the entry; its exit is the next petal's entry. Source: first entry. Target: last
    exit. Edges go both ways.
    """

    d: int
    short: int = 3
    long: int = 5
    dead: int = 3
    format: Format = "dfs"

    @property
    def serial_depth(self) -> int:
        """Edges of the shortest way."""
        return self.d * self.short

    def __post_init__(self) -> None:
        at_least(1, d=self.d, dead=self.dead)
        at_least(2, short=self.short, long=self.long)

    def problem(self, rng: Random) -> GraphInstance:
        """Draw a problem; of 2(10d + 1) nodes in the paper's form."""
        return two_copies(self._component, self.format, rng)

    def _component(self, fresh: Callable[[], int], rows: Rows) -> tuple[int, int]:
        def join(nodes: list[int]) -> None:
            for u, v in pairwise(nodes):
                rows.setdefault(u, []).append(v)
                rows.setdefault(v, []).append(u)

        source = entry = fresh()
        for _ in range(self.d):
            leave = fresh()
            join([entry, *(fresh() for _ in range(self.short - 1)), leave])
            join([entry, *(fresh() for _ in range(self.long - 1)), leave])
            join([entry, *(fresh() for _ in range(self.dead))])
            entry = leave
        return source, entry

    def chain(self, instance: GraphInstance, rng: Random) -> Chain:
        """Draw a walk in the instance's format."""
        return graph_chain(instance, rng)

    def check(self, instance: GraphInstance, ids: tuple[int, ...]) -> Verdict:
        """Follow a model's walk."""
        return check_walk(instance, ids)

    def at_once(self) -> float:
        """Return the chance of no wrong turn and no long arc: (1/3)(1/4)^(d-1)."""
        return 1 / 3 * 0.25 ** (self.d - 1)

    def found(self, cap: int) -> float:
        """Return the exact chance that random search reaches the target within `cap` tokens."""
        return min(1.0, sum(p for moves, p in self.lengths().items() if moves <= cap))

    def lengths(self) -> dict[int, float]:
        """Return the distribution of the tokens that random search takes.

        At an entry the search picks among short, long and dead; at a later one also the arc that it
        did not come by, which ends at the visited entry before. A wrong pick of m nodes costs 3m.
        """
        # the nodes of the other arc: what is left to try in vain at the next entry
        arcs = {self.short: self.long - 1, self.long: self.short - 1}
        state: dict[tuple[int, int | None], float] = {(0, None): 1.0}
        for _ in range(self.d):
            after: dict[tuple[int, int | None], float] = {}
            for (moves, other), p in state.items():
                vain = [self.dead] if other is None else [self.dead, other]
                picks = [(m, None) for m in vain] + [(0, arc) for arc in arcs]
                orders = list(permutations(picks))
                for order in orders:
                    wrong = 0
                    for nodes, arc in order:
                        if arc is not None:
                            key = (moves + 3 * wrong + arc, arcs[arc])
                            after[key] = after.get(key, 0.0) + p / len(orders)
                            break
                        wrong += nodes
            state = after
        totals: dict[int, float] = {}
        for (moves, _), p in state.items():
            totals[moves] = totals.get(moves, 0.0) + p
        return dict(sorted(totals.items()))
