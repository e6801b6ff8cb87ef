"""Strengths from pairwise comparisons, and whom to compare next. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import log
from typing import NamedTuple

_ROUNDS = 10_000
_CLOSE = 1e-10


class Game(NamedTuple):
    """One comparison that had a winner."""

    winner: int
    loser: int


def strengths(n: int, games: Sequence[Game], prior: float = 0.5) -> list[float]:
    """Return the logarithms of the Bradley-Terry strengths of n players, 0 being usual.

    P(i beats j) = s_i / (s_i + s_j). Each player also has `prior` wins and losses against one of
    strength 1, so that the most likely strengths are finite and differ wherever the games do:
    fitted without, a single unbeaten player runs off to infinity and leaves all others level. The
    fit is Hunter's MM algorithm (Ann. Stat. 32:384, 2004).

    Args:
        n: players, numbered from 0.
        games: any number between any two.
        prior: above 0; wins and losses that each is given.
    """
    if prior <= 0:
        raise ValueError(f"{prior=} must be above 0: else the unbeaten have no finite strength")
    wins = [prior] * n
    met: list[dict[int, int]] = [{} for _ in range(n)]
    for winner, loser in games:
        wins[winner] += 1
        met[winner][loser] = met[winner].get(loser, 0) + 1
        met[loser][winner] = met[loser].get(winner, 0) + 1
    now = [1.0] * n
    for _ in range(_ROUNDS):
        before = now[:]
        for i in range(n):  # each with the newest of the others: converges sooner
            expected = sum(times / (now[i] + now[j]) for j, times in met[i].items())
            now[i] = wins[i] / (expected + 2 * prior / (now[i] + 1))
        if all(abs(a - b) <= _CLOSE * b for a, b in zip(now, before, strict=True)):
            break
    return [log(strength) for strength in now]


def swiss(order: Sequence[int], met: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pair each player with the next one below that it has not met; one of an odd number rests.

    Who has met all that are left meets the nearest again.

    Args:
        order: players, strongest first.
        met: pairs that have met, in either order.
    """
    left, pairs = list(order), []
    while len(left) > 1:
        first = left.pop(0)
        fresh = (one for one in left if (first, one) not in met and (one, first) not in met)
        second = next(fresh, left[0])
        left.remove(second)
        pairs.append((first, second))
    return pairs
