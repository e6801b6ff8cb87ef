"""A split between breadth and depth against both poles, on problems of several kinds together."""

from __future__ import annotations

import numpy as np

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import Floats, gap, row
from workspan_evidence.claims._chains import ENDING, Chains, accuracy, trained
from workspan_evidence.families.connectivity import Deep
from workspan_evidence.families.heavy import Heavy

FAMILIES = (Heavy(1, 4), Deep(2), Deep(4), Deep(6))
"""One where a wrong start is costly, three where steps depend on one another."""
WORK = 96
"""Tokens of a problem."""
POLES, SPLITS = (1, 16), (2, 4, 8)
"""Chains that share it."""


def measure(setting: Setting) -> Measured:
    """Choose the split on every other problem, and judge it on the rest."""
    problems, width = setting.size(50, 300), setting.size(32, 128)
    drawn = [trained(one, problems, width, setting, limit=WORK) for one in FAMILIES]
    right = {n: np.concatenate([_vote(one, n) for one in drawn]) for n in (*POLES, *SPLITS)}
    pole = max((right[n] for n in POLES), key=lambda grades: float(grades.mean()))
    split = np.zeros_like(pole)
    halves = (slice(0, None, 2), slice(1, None, 2))
    for chosen, judged in (halves, halves[::-1]):
        best = max(SPLITS, key=lambda n: float(right[n][chosen].mean()))
        split[judged] = right[best][judged]
    rows: list[Row] = [row(_told(n), right[n]) for n in sorted(right)]
    return Measured(*gap(split, pole), len(pole), tuple(rows))


def _vote(chains: Chains, n: int) -> Floats:
    return accuracy(chains.votes_at(_cap(n)), n)


def _cap(n: int) -> int:
    return WORK // n - ENDING


def _told(n: int) -> str:
    return f"{n} {'chains' if n > 1 else 'chain'} of at most {_cap(n)} tokens"


CLAIM = Claim(
    name="split_between",
    statement="On mixed problems a split between breadth and depth beats both poles.",
    source="Snell et al., arXiv:2408.03314",
    design=(
        "Heavy(1, 4), Deep(2), Deep(4) and Deep(6) in equal parts, 96 tokens a problem, endings "
        "charged: one chain, sixteen, or a split of 2, 4 or 8 that was chosen on the other half of "
        "the problems. The better pole is taken in hindsight; no vote is a fair coin."
    ),
    statistic="accuracy of the split minus that of the better pole",
    line=0.0,
    on="the trained reasoner",
    changes="problems of one kind alone: there one pole may be best",
    measure=measure,
    idea="hybrid",
    budget="96 tokens",
    model="reasoner:graphs",
    kind="reasoner",
)
