"""Segments of problems, told apart by what the prompt shows; each may get a plan of its own.

Problems are forked where one feature of their prompt passes a threshold, if two plans, one for
either side, are worth more than one for all. Whether they are is asked of problems that neither the
fork nor the plans were chosen on (five folds), and the lead must be twice its standard error, so
that features that say nothing leave all problems together. Each side may be forked once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DEPTH = 2
"""Forks, one below the other."""
SMALLEST = 8
"""Problems of a segment, in what a fork is chosen on."""
_FOLDS = 5
_ERRORS = 2.0


class Segment(NamedTuple):
    """Problems that are planned for together."""

    problems: Ints


class Fork(NamedTuple):
    """A feature that tells two sorts of problem apart."""

    feature: int
    """Its position among `prompt_features.NAMES`."""
    at: float
    """Problems up to it go below."""
    below: Tree
    above: Tree


Tree = Segment | Fork


class _Split(NamedTuple):
    feature: int
    at: float
    below: int
    """The option that is best there, by its position."""
    above: int


def divide(
    values: Floats, prompt_features: Floats, problems: Ints | None = None, depth: int = DEPTH
) -> Tree:
    """Fork problems as long as that pays on problems it was not chosen on.

    Args:
        values: [option, problem], what each plan is worth on each problem.
        prompt_features: [problem, feature].
        problems: of which; all if None.
        depth: forks, one below the other, at most.
    """
    own = np.arange(values.shape[1]) if problems is None else problems
    if not depth or not prompt_features.shape[1] or not _pays(values[:, own], prompt_features[own]):
        return Segment(own)
    split = _best_split(values[:, own], prompt_features[own])
    assert split is not None
    is_below = prompt_features[own, split.feature] <= split.at
    below, above = (
        divide(values, prompt_features, own[side], depth - 1) for side in (is_below, ~is_below)
    )
    return Fork(split.feature, split.at, below, above)


def segments_of(tree: Tree) -> Iterator[Segment]:
    """Yield the segments, from below to above."""
    if isinstance(tree, Segment):
        yield tree
    else:
        yield from segments_of(tree.below)
        yield from segments_of(tree.above)


def _pays(values: Floats, prompt_features: Floats) -> bool:
    """Say whether a fork is ahead of one plan for all, on problems that it was not chosen on."""
    n = values.shape[1]
    fold = np.random.default_rng(0).permutation(n) % _FOLDS
    ahead = np.zeros(n)
    for i in range(_FOLDS):
        known, held = fold != i, fold == i
        split = _best_split(values[:, known], prompt_features[known])
        if split is None:
            return False
        whole = int(values[:, known].mean(axis=1).argmax())
        chosen = np.where(
            prompt_features[held, split.feature] <= split.at, split.below, split.above
        )
        ahead[held] = values[chosen, np.flatnonzero(held)] - values[whole, held]
    return bool(ahead.mean() > _ERRORS * ahead.std(ddof=1) / np.sqrt(n))


def _best_split(values: Floats, prompt_features: Floats) -> _Split | None:
    """Return the split whose two best options are worth most; None where none is large enough."""
    n = values.shape[1]
    best, found = -np.inf, None
    for feature in range(prompt_features.shape[1]):
        order = prompt_features[:, feature].argsort(kind="stable")
        told = prompt_features[order, feature]
        below = values[:, order].cumsum(axis=1)
        above = below[:, -1:] - below
        sizes = np.arange(SMALLEST, n - SMALLEST + 1)
        cuts = sizes[told[sizes - 1] < told[sizes]] - 1  # the last problem that is below
        if not len(cuts):
            continue
        worth = below[:, cuts].max(axis=0) + above[:, cuts].max(axis=0)
        at = cuts[worth.argmax()]
        if worth.max() > best:
            middle = float(told[at] + told[at + 1]) / 2
            best = float(worth.max())
            found = _Split(feature, middle, int(below[:, at].argmax()), int(above[:, at].argmax()))
    return found
