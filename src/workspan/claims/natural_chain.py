"""Votes against one chain that may end by itself, where there is work for one such chain only."""

from __future__ import annotations

from workspan.claims._speaking import ON, graded, rows
from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.measures import gap

WORK = 32
"""About what a chain of the embedded model takes on a sum: 28 tokens on the mean."""
ONE = f"single(max_tokens={WORK})"
VOTE = "grid(breadth=4, depth=8)"


def measure(setting: Setting) -> Measured:
    """Return how far the one chain is ahead of the vote."""
    grades = graded((ONE, VOTE), WORK, setting)
    return Measured(*gap(grades[ONE], grades[VOTE]), len(grades[ONE]), rows(grades, WORK))


CLAIM = Claim(
    name="natural_chain",
    statement="Where work is enough for about one natural chain, it beats votes over cut ones.",
    source="Snell et al., arXiv:2408.03314 (easy problems); this project's docs/allocation.md",
    design="Sums of the task demo, 32 tokens a problem: one chain, or a vote over four of 8.",
    statistic="accuracy of the one chain minus that of the vote",
    line=0.0,
    on=ON,
    changes="a model whose answers come within a quarter of its chain",
    measure=measure,
    any_engine=True,
    idea="sequential",
    model="SmolLM2-135M-Instruct",
    budget="32 work",
)
