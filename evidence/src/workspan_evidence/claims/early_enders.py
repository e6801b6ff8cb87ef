"""A vote of the first chains to end against the vote of all of them."""

from __future__ import annotations

import numpy as np

from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.measures import Floats, gap, row
from workspan_evidence.claims._ended import drawn, in_order

FIRST, ALL = 4, 16


def measure(setting: Setting) -> Measured:
    """Deal each problem's chains into two votes, and compare the first four to end with all."""
    chains = drawn(setting)
    parts = [slice(start, start + ALL) for start in range(0, chains.votes.shape[1], ALL)]
    early, whole = (
        np.mean([_votes(chains.votes[:, part], chains.moves[:, part], n) for part in parts], axis=0)
        for n in (FIRST, ALL)
    )
    rows = (row(f"the first {FIRST} of {ALL}", early), row(f"all {ALL}", whole))
    return Measured(*gap(early, whole), chains.problems, rows)


def _votes(votes: np.ndarray, moves: np.ndarray, n: int) -> Floats:
    """Return how right a vote of the first n to end is; a tie, or no vote, is a fair coin."""
    sums = np.array([int(one[:n].sum()) for one in in_order(votes, moves)])
    right: Floats = (np.sign(sums) + 1) / 2
    return right


CLAIM = Claim(
    name="early_enders",
    statement="A vote of the first chains to end beats the vote of all of them.",
    source="Hassid et al., Don't Overthink it, arXiv:2505.17813",
    design=(
        "Bridge(3), sixteen chains without a cut, those that abstain left out: the vote of the "
        "first four to end against that of all. A tie, or no vote, is a fair coin."
    ),
    statistic="accuracy of the first four minus that of all sixteen",
    line=0.0,
    on="the trained reasoner",
    changes="a model whose wrong chains are the short ones, or long ones that are right",
    measure=measure,
    idea="selected_votes",
    budget="16 chains begun",
    model="reasoner:graphs",
    kind="reasoner",
)
