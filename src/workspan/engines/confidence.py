"""A token's confidence, from the log-probabilities of the most likely tokens in its place."""

from __future__ import annotations

from collections.abc import Collection
from math import fsum

LEAST = -104.0
"""Below the logarithm of any probability above 0 in 32 bits. For 0, servers send the lowest float
they know, -9999 or the like, which would drown every other value in a mean."""


def confidence(alternatives: Collection[float]) -> float:
    """Return minus their mean, C_i of arXiv:2508.15260; 0 where none is told."""
    total = fsum(max(value, LEAST) for value in alternatives)
    return -total / len(alternatives) if alternatives else 0.0
