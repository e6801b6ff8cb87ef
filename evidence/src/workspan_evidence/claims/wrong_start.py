"""Many short dives against one long search where a wrong first choice is costly."""

from __future__ import annotations

import numpy as np

from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.measures import gap, row
from workspan_evidence.claims._chains import ENDING, accuracy, ideal, trained
from workspan_evidence.families.heavy import Heavy

FAMILY = Heavy(1, 4)
BUDGETS = (32, 64, 96)
"""Tokens in all; below what an exhausted wrong branch costs, from where the one chain is right."""


def measure(setting: Setting) -> Measured:
    """Compare at each budget, beside the taught strategy; the statistic is that of the last."""
    problems, width = setting.size(150, 1000), setting.size(32, 256)
    chains = trained(FAMILY, problems, width, setting, limit=BUDGETS[-1])
    taught = ideal(FAMILY, problems, width, setting)
    rows = []
    one = many = np.zeros(problems)
    for name, drawn in (("ideal policy, simulated: ", taught), ("", chains)):
        for budget in BUDGETS:
            dives = budget // (FAMILY.dive + ENDING)
            one = accuracy(drawn.votes_at(budget - ENDING), 1)
            many = accuracy(drawn.votes_at(FAMILY.dive), dives)
            rows += [
                row(f"{name}one chain, {budget} tokens", one),
                row(f"{name}{dives} dives, {budget} tokens", many),
            ]
    return Measured(*gap(many, one), problems, tuple(rows))


CLAIM = Claim(
    name="wrong_start",
    statement="Where a wrong start is costly, many short tries beat one long chain.",
    source="Gomes, Selman & Kautz 1998 (heavy-tailed search); Luby, Sinclair & Zuckerman 1993",
    design=(
        "Heavy(1, 4): a wrong first branch holds a tree of 31 nodes, 93 tokens to exhaust. One "
        "chain against votes over dives of 5 tokens at 32, 64 and 96 tokens in all, endings "
        "charged; no vote is a fair coin."
    ),
    statistic="accuracy of the votes over dives minus that of the one chain, at 96 tokens",
    line=0.0,
    on="the trained reasoner",
    changes="a budget above the price of the wrong branch: there one chain is right",
    measure=measure,
    idea="parallel",
    budget="96 tokens",
    model="reasoner:graphs",
    kind="reasoner",
)
