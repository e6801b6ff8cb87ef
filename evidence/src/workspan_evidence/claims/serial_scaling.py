"""Problems serial by nature: answered at once, by votes over such answers, and by steps."""

from __future__ import annotations

import numpy as np

from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.measures import gap, row
from workspan_evidence.claims._chains import Chains, accuracy, trained
from workspan_evidence.families.serial import Rule110

STEPS = (1, 2, 3, 4, 6, 8)
DEEP = 8
VOTES = 64


def measure(setting: Setting) -> Measured:
    """Compare at each number of steps; the statistic is the difference at the last."""
    problems = setting.size(150, 500)
    rows, chains, votes = [], np.zeros(0), np.zeros(0)
    for t in STEPS:
        chains = accuracy(_drawn(Rule110(t), "serial", problems, 4, setting).votes, 1)
        direct = _drawn(Rule110(t, format="direct"), "serial-direct", problems, VOTES, setting)
        once, votes = accuracy(direct.votes, 1), accuracy(direct.votes, VOTES)
        rows += [
            row(f"T = {t}: a chain of steps", chains),
            row(f"T = {t}: one direct answer", once),
            row(f"T = {t}: vote of {VOTES} direct answers", votes),
        ]
    return Measured(*gap(chains, votes), problems, tuple(rows))


def _drawn(family: Rule110, weights: str, problems: int, chains: int, setting: Setting) -> Chains:
    return trained(family, problems, chains, setting, weights=weights)


CLAIM = Claim(
    name="serial_scaling",
    statement="Direct answers, and votes over them, fail where chains of steps solve.",
    source="Liu et al., The Serial Scaling Hypothesis, arXiv:2507.12549",
    design=(
        "A cell of a ring of 16 after T steps of Rule 110 (P-complete to predict), chance 1/2. "
        "A model taught to write each step, and a control of the same size taught to answer at "
        "once until it solves T = 1 and 2. Votes are as many as one likes: work is not matched."
    ),
    statistic=f"accuracy of one chain minus that of {VOTES} votes at T = {DEEP}",
    line=0.0,
    on="the trained reasoners serial and serial-direct",
    changes=(
        "a deeper control, or one trained longer: this one saw T >= 3 for its last 500 steps, "
        "so that its failure there may be training as well as depth"
    ),
    measure=measure,
    idea="serial_scaling",
    budget="one chain against 64 direct answers",
    model="reasoner:serial",
    kind="reasoner",
)
