"""Orders in which a tree is walked by score: best first, level by level, depth first."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Generic, TypeVar

from workspan.search.tree import Tree

T = TypeVar("T")


def keep_best(scores: Sequence[float], b: int) -> list[int]:
    """Return the positions of the b highest scores, best first; the first of ties goes first."""
    return sorted(range(len(scores)), key=lambda i: -scores[i])[:b]


class BestFirst(Generic[T]):
    """Expand the open node with the highest score; of equals the shallower, then the older."""

    def __init__(self, root: T) -> None:
        self.tree = Tree(root)
        self._open: list[tuple[float, int, int]] = []

    def ask(self) -> int:
        """Take the best open node; the root when none is open."""
        return heappop(self._open)[2] if self._open else 0

    def tell(self, parent: int, item: T, score: float) -> int:
        """Grow a child, open for expansion, and return it."""
        node = self.tree.add(parent, item, score)
        heappush(self._open, (-score, self.tree.depths[node], node))
        return node


class DepthFirst(Generic[T]):
    """Go down by the best child, prune what scores below a threshold, back up where none is left.

    Algorithm 2 of Tree of Thoughts (Yao et al. 2023, arXiv:2305.10601).
    """

    def __init__(self, root: T, threshold: float) -> None:
        """Prune children with scores below `threshold` (v_th; the paper keeps V > v_th)."""
        self.tree = Tree(root)
        self._threshold = threshold
        self._stack = [0]

    def ask(self) -> int | None:
        """Take the next node to expand; None when the whole tree is walked."""
        return self._stack.pop() if self._stack else None

    def tell(self, parent: int, children: Sequence[tuple[T, float | None]]) -> None:
        """Grow a node's children, in the order of their drawing.

        One without a score is not pruned: it goes last, as if it had just reached the threshold.
        """
        scores = [self._threshold if score is None else score for _, score in children]
        items = (item for item, _ in children)
        grown = [self.tree.add(parent, *one) for one in zip(items, scores, strict=True)]
        order = [grown[i] for i in keep_best(scores, len(grown))]
        self._stack += [i for i in reversed(order) if self.tree.scores[i] >= self._threshold]

    def deepest(self) -> T:
        """Return the best-scored of the deepest states, the oldest of ties."""
        depths, scores = self.tree.depths, self.tree.scores
        return self.tree.items[max(range(len(self.tree)), key=lambda i: (depths[i], scores[i]))]
