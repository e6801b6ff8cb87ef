"""Chains that ended with an answer, in the order of their lengths: for two claims on length."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workspan.claims.base import Setting
from workspan_evidence.claims._chains import Chains, trained
from workspan_evidence.families.connectivity import Bridge

FAMILY = Bridge(3)
"""Its chains commit wrongly now and then, and differ in length."""
CHAINS = 32


@lru_cache
def drawn(setting: Setting) -> Chains:
    """Draw chains without a cut."""
    return trained(FAMILY, setting.size(150, 600), CHAINS, setting)


def in_order(votes: NDArray[np.int8], moves: NDArray[np.int64]) -> list[NDArray[np.int8]]:
    """Return for each problem the votes of the chains with an answer, the shortest first."""
    found = []
    for vote, length in zip(votes, moves, strict=True):
        ordered = vote[np.argsort(length, kind="stable")]
        found.append(ordered[ordered != 0])
    return found
