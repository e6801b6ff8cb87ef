"""Votes against one chain that is kept from ending, at equal work."""

from __future__ import annotations

from workspan.claims._speaking import ON, graded, rows
from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.measures import gap

WORK = 256
VOTE = "grid(breadth=8, depth=32)"
STRETCHED = "budget_forcing(thinking=200, waits=8)"


def measure(setting: Setting) -> Measured:
    """Return how far the vote is ahead of the stretched chain."""
    grades = graded(("single(max_tokens=256)", VOTE, STRETCHED), WORK, setting)
    difference = gap(grades[VOTE], grades[STRETCHED])
    return Measured(*difference, len(grades[VOTE]), rows(grades, WORK))


CLAIM = Claim(
    name="stretched_chain",
    statement="At equal work, votes beat one chain that is stretched beyond its natural end.",
    source="Ghosal et al., Does Thinking More Always Help?, arXiv:2506.04210",
    design="Sums of the task demo, 256 tokens a problem: eight chains of 32, or one kept going.",
    statistic="accuracy of the vote minus that of the stretched chain",
    line=0.0,
    on=ON,
    changes="a model that was trained to think long and to doubt itself well",
    measure=measure,
    any_engine=True,
    idea="parallel",
    budget="256 work",
    model="SmolLM2-135M-Instruct",
)
