"""Exact binomial bounds of a risk, and the labels that they need."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, comb, exp, lgamma, log, log1p

POWER = 0.8
MOST = 100_000
"""Labels beyond which no number is looked for."""


def tail(wrong: int, n: int, risk: float) -> float:
    """Return P(Binomial(n, risk) <= wrong): the p-value of "the risk is above `risk`".

    Exact. Where the n problems have different risks with this mean it is larger than the true
    chance, as long as wrong <= n risk - 1 (Hoeffding 1956), so that a stratified choice is safe.
    """
    if wrong >= n or risk <= 0:
        return 1.0
    if risk >= 1:
        return 0.0
    return min(1.0, sum(_term(k, n, risk) for k in range(wrong + 1)))


def _term(k: int, n: int, risk: float) -> float:
    if n < 500:
        return float(comb(n, k) * risk**k * (1 - risk) ** (n - k))
    of = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(of + k * log(risk) + (n - k) * log1p(-risk))


@lru_cache(maxsize=1 << 12)
def upper(wrong: int, n: int, delta: float) -> float:
    """Return the risk that is passed with probability `delta` at most (Clopper, Pearson 1934).

    One-sided, exact; 1 without any problem.
    """
    if wrong >= n:
        return 1.0
    low, high = wrong / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(wrong, n, middle) > delta else (low, middle)
    return high


def least_answered(alpha: float, delta: float) -> int:
    """Return how many answers certify alpha at delta if all of them are right."""
    return ceil(log(delta) / log1p(-alpha) - 1e-12)


def most_wrong(n: int, alpha: float, delta: float) -> int:
    """Return how many of n answers may be wrong where alpha is still certified; -1 for none."""
    wrong, total = -1, 0.0
    while wrong + 1 < n and (total := total + _term(wrong + 1, n, alpha)) <= delta:
        wrong += 1
    return wrong


@lru_cache(maxsize=256)
def answers_needed(alpha: float, delta: float, risk: float) -> int | None:
    """Return the least number of labelled answers that certify alpha with 80 % power.

    With so many, and where the true risk is `risk`, four of five calibrations have no more wrong
    answers than may be. Exact: for each number of wrong answers the fewest that it may be of.

    Returns:
        None where the risk is at alpha or above, or so near that `MOST` are too few.
    """
    if risk >= alpha:
        return None
    n = least_answered(alpha, delta)
    for wrong in range(MOST):
        n = _least(wrong, n, alpha, delta)
        if n > MOST:
            break
        if tail(wrong, n, risk) >= POWER:
            return n
    return None


def _least(wrong: int, low: int, alpha: float, delta: float) -> int:
    """Return the fewest answers, `low` at least, of which so many may be wrong."""
    high = max(low, wrong + 1)
    while tail(wrong, high, alpha) > delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if tail(wrong, middle, alpha) > delta else (low, middle)
    return low if tail(wrong, low, alpha) <= delta else high


def labels_needed(alpha: float, delta: float, risk: float, answered: float) -> int | None:
    """Return how many labelled problems certify alpha, of which a share is answered.

    Args:
        alpha: the risk to be certified.
        delta: the chance to say so wrongly.
        risk: that was seen among the answers.
        answered: share of the problems that is answered, in (0, 1].

    Returns:
        None where no number would do.
    """
    needed = answers_needed(alpha, delta, risk)
    return None if needed is None or not answered else ceil(needed / answered)
