"""The Bayes factor of "the leader is the mode" against "it is not", from counts of votes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import exp, inf, lgamma, log, prod, sqrt

from workspan.search.stopping import beta_confidence

UNSEEN = 0.3
"""What stands for the votes of all answers that were not seen yet."""

_POINTS = 256


def bayes_factor(counts: Sequence[int], unseen: float = UNSEEN) -> float:
    """Return the odds that the leader is the mode, over their value before any vote.

    (k + 1) P / (1 - P) with k answers seen, P of `mode_probability` (Best-of-infinity,
    arXiv:2509.21091). Infinite where P is 1 to the last digit.

    Args:
        counts: votes of each answer, largest first.
        unseen: see `mode_probability`.
    """
    return _factor(len(counts), mode_probability(tuple(counts), unseen))


def exceeds(counts: Sequence[int], factor: float, unseen: float = UNSEEN) -> bool:
    """Tell whether there is a strict leader whose Bayes factor is at least `factor`."""
    first, second = [*counts, 0, 0][:2]
    if first == second:
        return False
    bound = beta_confidence(first, second)  # that it beats one rival is likelier than all
    if _factor(len(counts), bound) < factor:
        return False
    return bayes_factor(counts, unseen) >= factor


def _factor(k: int, p: float) -> float:
    return (k + 1) * p / (1 - p) if p < 1 else inf


@lru_cache(maxsize=4096)
def mode_probability(counts: tuple[int, ...], unseen: float = UNSEEN) -> float:
    """Return P(p_1 is the largest) for p ~ Dirichlet(c_1 + 1, ..., c_k + 1, unseen + 1).

    The paper's code takes the share of 1,000 draws. Here, exactly: shares are normalised gamma
    variables, so that it is one integral over the leader's, f_1(g) F_2(g) ... F_u(g) dg, taken by
    the trapezoid rule (error below 1e-5).

    Args:
        counts: votes of each answer, largest first, at least one.
        unseen: votes that answers not seen yet are given together, at least 0.
    """
    top = counts[0]
    step = (top + 1 + 10 * sqrt(top + 1) + 20) / _POINTS
    total = sum(_leads(counts, unseen + 1, i * step) for i in range(1, _POINTS))
    return min(1.0, step * total)


def _leads(counts: tuple[int, ...], unseen: float, g: float) -> float:
    """Return the density of the leader at `g` times the chance that all rivals lie below."""
    arrivals = [exp(i * log(g) - g - lgamma(i + 1)) for i in range(counts[0] + 1)]
    below = [max(0.0, 1 - before) for before in accumulate(arrivals)]  # rivals by their votes
    return arrivals[-1] * prod(below[count] for count in counts[1:]) * _gamma_below(unseen, g)


def _gamma_below(shape: float, g: float) -> float:
    """Return P(Gamma(shape) < g): the series e^-g g^a (1/G(a+1) + g/G(a+2) + ...)."""
    if g > 10 * shape + 60:
        return 1.0  # to the last digit
    term = exp(shape * log(g) - g - lgamma(shape + 1))
    total, n = term, 0
    while term > 1e-12 * total or n < g:
        n += 1
        term *= g / (shape + n)
        total += term
    return min(1.0, total)
