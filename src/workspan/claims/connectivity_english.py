"""Connectivity told in English: one long chain that is made to answer, or votes over short ones."""

from __future__ import annotations

from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.chains import gap
from workspan.claims.speaking import ON, graded, rows

TASK = "deep(d=2, english=True)"
WORK = 128
LONG = "budget_forcing(thinking=120, waits=0, answer_tokens=8)"
SHORT = (
    "parallel_probe(n=4, block=12, warmup=0, patience=9, stable=9, probe_tokens=8, max_tokens=24)"
)
"""Four chains of 24 tokens, each made to answer; no rule of that strategy gets to act."""


def measure(setting: Setting) -> Measured:
    """Return how far the long chain is ahead of the vote."""
    grades = graded((LONG, SHORT), WORK, setting, TASK)
    return Measured(*gap(grades[LONG], grades[SHORT]), len(grades[LONG]), rows(grades, WORK))


CLAIM = Claim(
    name="connectivity_english",
    statement="On connectivity told in English, one long chain beats a vote over short ones.",
    source="Mirtaheri et al., Let Me Think!, arXiv:2505.21825",
    design=(
        "Two copies of two forks as a list of links, which of two nodes can be reached; 128 tokens "
        "a problem: one chain of 120, or four of 24, each continued with 'Answer:' and 8 tokens."
    ),
    statistic="accuracy of the long chain minus that of the vote",
    line=0.0,
    on=ON,
    changes="a model that can follow links at all: this is a test for --engine",
    measure=measure,
    any_engine=True,
)
