"""The floor of voting: where chains commit wrongly as often as rightly, more votes gain nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import mean_interval, row
from workspan_evidence.claims._chains import accuracy, found, trained
from workspan_evidence.families.connectivity import Bridge, Deep

FEW, MANY = 16, 256
SAFE, SAFE_CAP = Deep(10), 13
"""Forks whose short chains abstain or are right."""
RISKY, RISKY_CAP = Bridge(4), 12
"""Petals whose short chains are right about as rarely, but also commit wrongly."""


def measure(setting: Setting) -> Measured:
    """Compare what 16 times the votes bring where wrong commits are rare and where they are not."""
    problems = setting.size(150, 500)
    safe = trained(SAFE, problems, MANY, setting, limit=SAFE_CAP).votes_at(SAFE_CAP)
    risky = trained(RISKY, problems, MANY, setting, limit=RISKY_CAP).votes_at(RISKY_CAP)
    gains = [accuracy(votes, MANY) - accuracy(votes, FEW) for votes in (safe, risky)]
    rows = [
        *_rows(f"Deep(10) cut at {SAFE_CAP}", safe),
        *_ideal(SAFE.found(SAFE_CAP)),
        *_rows(f"Bridge(4) cut at {RISKY_CAP}", risky),
    ]
    difference = gains[0] - gains[1]  # of gains, which may be losses: no grades
    return Measured(*mean_interval(difference, setting.seed), problems, tuple(rows))


def _ideal(rate: float) -> list[Row]:
    """Return votes of chains that are right at one rate and else abstain: a coin if none is."""
    votes = {n: 1 - (1 - rate) ** n / 2 for n in (FEW, MANY)}
    return [
        Row(f"Deep(10), closed form without wrong commits: vote of {n}", vote, vote, vote)
        for n, vote in votes.items()
    ]


def _rows(name: str, votes: NDArray[np.int8]) -> list[Row]:
    right, wrong = (votes == 1).mean(axis=1), (votes == -1).mean(axis=1)
    checked = found(votes, MANY)
    return [
        row(f"{name}: chains that commit rightly", right),
        row(f"{name}: chains that commit wrongly", wrong),
        row(
            f"{name}: problems whose wrong commits outnumber the right ones", 1.0 * (wrong > right)
        ),
        *(row(f"{name}: vote of {n}", accuracy(votes, n)) for n in (1, FEW, 64, MANY)),
        row(f"{name}: {MANY} chains and a perfect verifier, else a coin", (1 + checked) / 2),
    ]


CLAIM = Claim(
    name="wrong_majority",
    statement="More votes help only where right commits outnumber the wrong ones.",
    source=(
        "Chen et al., Are More LLM Calls All You Need?, arXiv:2403.02419; Mirtaheri et al., "
        "Let Me Think!, arXiv:2505.21825"
    ),
    design=(
        f"Chains too short for most problems, right about once in 100: Deep(10) cut at {SAFE_CAP}, "
        f"where the others abstain, and Bridge(4) cut at {RISKY_CAP}, where about as many commit "
        f"wrongly. What {MANY} votes gain over {FEW} of the same chains; ties are coins."
    ),
    statistic="gain in accuracy on Deep(10) minus that on Bridge(4)",
    line=0.0,
    on="the trained reasoner",
    changes="a model that abstains where it does not know: wrong commits are a fault of training",
    measure=measure,
    idea="selected_votes",
    budget="256 chains of at most 13 tokens",
    model="reasoner:graphs",
    kind="reasoner",
)
