"""Mind Evolution against evolution on scores alone at matched work."""

from __future__ import annotations

from functools import partial

from workspan.claims._evolving import DESIGN, ON, against
from workspan.claims.base import Claim

CLAIM = Claim(
    name="evolution_by_feedback",
    statement="Evolution that hears the evaluator solves more than on its scores alone.",
    source="Lee et al., Evolving Deeper LLM Thinking, arXiv:2501.09891",
    design=DESIGN,
    statistic="problems solved, evolution minus evolution on scores alone",
    line=0.0,
    on=ON,
    changes="how much of the feedback is followed: benchmarks/evolution.py has the whole range",
    measure=partial(against, "scores only"),
    any_engine=True,
    idea="evolution",
    budget="2k work a plan",
    model="simulated planner",
    kind="program",
)
