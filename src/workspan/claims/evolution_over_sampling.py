"""Mind Evolution against sampling at matched work."""

from __future__ import annotations

from functools import partial

from workspan.claims._evolving import DESIGN, ON, against
from workspan.claims.base import Claim

CLAIM = Claim(
    name="evolution_over_sampling",
    statement="Evolution of a population solves more plans than sampling, at matched work.",
    source="Lee et al., Evolving Deeper LLM Thinking, arXiv:2501.09891",
    design=DESIGN,
    statistic="problems solved, evolution minus sampling",
    line=0.0,
    on=ON,
    changes="how much of the feedback is followed: benchmarks/evolution.py has the whole range",
    measure=partial(against, "best of n"),
    any_engine=True,
    idea="evolution",
    budget="2k work a plan",
    model="simulated planner",
    kind="program",
)
