"""What k of n recorded chains would have given: unbiased, from all n, by counting the choices."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import hypergeom

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 1_000
"""Chains of one problem: the number of choices among more is no floating-point number."""


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Return the chance that k of n chains, drawn without putting back, hold a right one.

    1 - C(n-c, k) / C(n, k), Chen et al. 2021 (arXiv:2107.03374), eq. 1: unbiased for the chance of
    k fresh chains. Putting back, or 1 - (1 - c/n)^k, would be biased.

    Args:
        n: chains drawn.
        correct: c, the right ones among them.
        k: from 1 to n.

    Raises:
        ValueError: they are not so.

    Example:
        >>> round(pass_at_k(4, 1, 2), 3)
        0.5
    """
    _check(n, k, correct)
    return float(1 - hypergeom.pmf(0, n, correct, k))


def majority_at_k(votes: Sequence[int], right: Sequence[bool], k: int, silent: int = 0) -> float:
    """Return the chance that the vote of k chains, drawn without putting back, is right.

    A multivariate hypergeometric distribution, summed exactly: over the votes t of a right answer,
    all others have at most t, and of j that have t as well the first drawn wins, which is each of
    the j + 1 alike. Chains without an answer have no vote; where none has, nothing is right.

    Args:
        votes: chains of each different answer.
        right: which of the answers are right.
        k: chains drawn, from 1 to all of them.
        silent: chains without an answer.

    Raises:
        ValueError: k is out of range, or there are more than 1,000 chains.

    Example:
        >>> round(majority_at_k([2, 1], [True, False], 3), 3)
        1.0
        >>> round(majority_at_k([2, 1], [True, False], 1), 3)
        0.667
    """
    n = sum(votes) + silent
    _check(n, k, sum(votes))
    if n > _MOST:
        raise ValueError(f"{n} chains of one problem: at most {_MOST}")
    total = 0.0
    for place, (held, is_right) in enumerate(zip(votes, right, strict=True)):
        if is_right:
            others = [*votes[:place], *votes[place + 1 :]]
            top = min(held, k)
            total += sum(_wins(others, silent, held, t, k) for t in range(1, top + 1))
    return min(1.0, total / comb(n, k))


def _wins(others: Sequence[int], silent: int, held: int, t: int, k: int) -> float:
    """Count the choices of k in which an answer leads with t votes; a tie of j + 1 counts less."""
    room = k - t
    ways = np.zeros((room // t + 1, room + 1))  # [ties, votes of the others]
    ways[0, 0] = 1.0
    for votes in others:
        ways = _with(ways, votes, t)
    quiet = np.array([float(comb(silent, x)) for x in range(min(silent, room) + 1)])
    shares = 1 / np.arange(1, len(ways) + 1)
    filled = (ways * shares[:, None]).sum(axis=0)
    return comb(held, t) * float(np.convolve(filled, quiet)[room])


def _with(ways: NDArray[np.float64], votes: int, t: int) -> NDArray[np.float64]:
    """Let one more answer have up to t votes; t of them are a tie more."""
    room = ways.shape[1] - 1
    found = np.zeros_like(ways)
    for x in range(min(votes, t, room) + 1):
        moved = ways[:, : room + 1 - x] * float(comb(votes, x))
        if x < t:
            found[:, x:] += moved
        else:
            found[1:, x:] += moved[:-1]
    return found


def _check(n: int, k: int, part: int) -> None:
    if not 0 <= part <= n or not 1 <= k <= n:
        raise ValueError(f"k is {k} of {n} chains, {part} of them counted: must be 1 <= k <= n")
