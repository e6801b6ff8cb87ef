"""Guess and check, exactly: one chain guesses without repeats, chains that do not talk repeat."""

from __future__ import annotations

from itertools import combinations
from math import comb
from random import Random

import numpy as np

from workspan.claims.base import Setting
from workspan.claims.measures import Floats

NUMBERS, PICKED = 6, 3
"""Three of six numbers are to have a given sum: 20 guesses."""
GUESSES = comb(NUMBERS, PICKED)


def solutions(problems: int, setting: Setting) -> Floats:
    """Draw sums that some three of six numbers have; return how many triples have each."""
    rng = Random(f"guessing:{setting.seed}")
    counts = []
    for _ in range(problems):
        sums = [sum(three) for three in combinations(rng.sample(range(1, 30), NUMBERS), PICKED)]
        counts.append(sums.count(rng.choice(sums)))
    return np.array(counts, dtype=np.float64)


def in_turn(right: Floats, guesses: int) -> Floats:
    """Return the chance that one chain is right within so many different guesses."""
    missed = np.ones_like(right)
    for i in range(guesses):
        missed *= np.clip(1 - right / (GUESSES - i), 0, 1)
    found: Floats = 1 - missed
    return found


def apart(right: Floats, guesses: int) -> Floats:
    """Return the chance that one of so many chains, of one guess each, is right."""
    found: Floats = 1 - (1 - right / GUESSES) ** guesses
    return found
