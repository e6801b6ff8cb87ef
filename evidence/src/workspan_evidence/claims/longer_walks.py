"""Whether a problem's longer chains are right less often than its shorter ones."""

from __future__ import annotations

import numpy as np

from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.measures import gap, row
from workspan_evidence.claims._ended import CHAINS, drawn, in_order

PART = 8


def measure(setting: Setting) -> Measured:
    """Compare the shortest eighth of a problem's chains with the longest."""
    chains = drawn(setting)
    ordered = [one for one in in_order(chains.votes, chains.moves) if len(one)]
    few = [max(1, len(one) // PART) for one in ordered]
    short = np.array([float((v[:n] == 1).mean()) for v, n in zip(ordered, few, strict=True)])
    long = np.array([float((v[-n:] == 1).mean()) for v, n in zip(ordered, few, strict=True)])
    rows = (row("the shortest eighth", short), row("the longest eighth", long))
    return Measured(*gap(short, long), len(ordered), rows)


CLAIM = Claim(
    name="longer_walks",
    statement="Of one problem's chains, the shortest are right more often than the longest.",
    source="Hassid et al., Don't Overthink it, arXiv:2505.17813",
    design=(
        f"Bridge(3), {CHAINS} chains without a cut, those that abstain left out: the shortest "
        "eighth of each problem against the longest. Nothing forces a length: the reasoner has no "
        "word that keeps it going, so this is the weaker half of the claim."
    ),
    statistic="accuracy of the shortest eighth minus that of the longest",
    line=0.0,
    on="the trained reasoner",
    changes="a model that is right whenever it answers",
    measure=measure,
    idea="overthinking",
    budget="one chain",
    model="reasoner:graphs",
    kind="reasoner",
)
