"""One chain that is long enough against votes over short ones, at up to eight times its tokens."""

from __future__ import annotations

import numpy as np

from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.measures import gap, row
from workspan_evidence.claims._chains import Chains, accuracy, trained
from workspan_evidence.families.connectivity import Deep

DEPTH = 8
FAMILY = Deep(DEPTH)
RATIOS = (1, 2, 4, 8)


def measure(setting: Setting) -> Measured:
    """Compare at each ratio of work; the statistic is the difference at the last."""
    problems, cap = setting.size(150, 500), 4 * DEPTH
    long = trained(FAMILY, problems, setting.size(8, 32), setting, limit=cap)
    short = trained(FAMILY, problems, setting.size(32, 256), setting, limit=DEPTH)
    one, cost = accuracy(long.votes, 1), float(long.costs_at(cap).mean())
    name = f"one chain of at most {cap} tokens, {cost:.1f} on the mean"
    rows = [row(f"{name} (closed form {_ideal(cap, 1):.3f})", one)]
    votes = one
    for ratio in RATIOS:
        width = _width(short, ratio * cost)
        votes = accuracy(short.votes_at(DEPTH), width)
        name = f"{width} chains of at most {DEPTH} tokens, {ratio} x its work"
        rows.append(row(f"{name} (closed form {_ideal(DEPTH, width):.3f})", votes))
    return Measured(*gap(one, votes), problems, tuple(rows))


def _ideal(cap: int, width: int) -> float:
    """Return a vote's accuracy where chains find it by exact random search, and else abstain."""
    return 1 - (1 - FAMILY.found(cap)) ** width / 2


def _width(chains: Chains, work: float) -> int:
    """Return the short chains that `work` buys."""
    return max(1, int(work / np.mean(chains.costs_at(DEPTH))))


CLAIM = Claim(
    name="long_chain",
    statement="One chain that is long enough beats votes over short chains at 8 x its work.",
    source="Mirtaheri et al., Let Me Think!, arXiv:2505.21825",
    design=(
        "Deep(8); one chain of at most 32 tokens against votes over chains of at most 8, at 1, 2, "
        "4 and 8 times its tokens, endings charged; no vote is a fair coin."
    ),
    statistic="accuracy of the one chain minus that of the votes at 8 x its work",
    line=0.0,
    on="the trained reasoner",
    changes="short chains that find it far more often than 2^-8, or a verifier",
    measure=measure,
    idea="sequential",
    budget="32 tokens against 8 times as many",
    model="reasoner:graphs",
    kind="reasoner",
)
