"""Which side wins is predicted from closed forms before anything is measured."""

from __future__ import annotations

import numpy as np

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import Floats, gap, interval, resampled
from workspan_evidence.claims._chains import ENDING, Chains, accuracy, trained
from workspan_evidence.families.connectivity import Deep
from workspan_evidence.families.heavy import Heavy

BUDGETS = (16, 24, 32, 48, 64, 80)
"""Tokens in all, endings included."""
FAMILIES: tuple[tuple[Deep | Heavy, int], ...] = (
    *((Deep(d), d) for d in (2, 4, 6, 8)),
    (Heavy(1, 4), 5),
)
"""Each with its shortest chain."""
WIDTH = 64
NEAR = 0.02
"""Differences predicted nearer to zero than this name no winner."""


def measure(setting: Setting) -> Measured:
    """Return how often the predicted side is ahead, over the cells that have one."""
    problems = setting.size(120, 600)
    picks = resampled(problems, setting.seed)
    rows, hits, resamples = [], [], []
    for family, shortest in FAMILIES:
        chains = trained(family, problems, WIDTH, setting, limit=max(BUDGETS))
        for budget in BUDGETS:
            tries = budget // (shortest + ENDING)
            expected = _expected(family, shortest, budget, tries)
            if tries < 2 or abs(expected) < NEAR:
                continue
            one, many = _sides(chains, shortest, budget, tries)
            name = f"{family}, {budget} tokens: one - {tries} (predicted {expected:+.2f})"
            rows.append(Row(name, *gap(one, many)))
            measured = (one - many)[picks].mean(axis=1)
            hits.append(np.sign((one - many).mean()) == np.sign(expected))
            resamples.append(np.sign(measured) == np.sign(expected))
    share = np.mean(resamples, axis=0)
    return Measured(float(np.mean(hits)), *interval(share), problems, tuple(rows))


def _sides(chains: Chains, shortest: int, budget: int, tries: int) -> tuple[Floats, Floats]:
    one = accuracy(chains.votes_at(budget - ENDING), 1)
    return one, accuracy(chains.votes_at(shortest), tries)


def _expected(family: Deep | Heavy, shortest: int, budget: int, tries: int) -> float:
    """Return the difference by closed forms; the winner of a vote without wrong commits is right.

    Chains that do not find it abstain, and silence is a fair coin: (1 + chance to find it) / 2.
    """
    one = family.found(budget - ENDING)
    many = 1 - (1 - family.found(shortest)) ** tries
    return (one - many) / 2


CLAIM = Claim(
    name="task_structure",
    statement="The structure of a task decides between breadth and depth, and can be computed.",
    source="the rule r(d) = I(d) / c(d) of this project's docs/allocation.md",
    design=(
        "Deep(2, 4, 6, 8) and Heavy(1, 4) at 16 to 80 tokens in all: one chain, or as many "
        "shortest chains as fit. Which is ahead is computed from the closed forms of found(cap) "
        "first; cells where they say less than two points are left out."
    ),
    statistic="share of cells in which the predicted side is ahead",
    line=0.8,
    on="the trained reasoner",
    changes="a model whose chains do not follow the search that it was taught",
    measure=measure,
    idea="task_structure",
    budget="16 to 80 tokens",
    model="reasoner:graphs",
    kind="reasoner",
)
