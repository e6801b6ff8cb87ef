"""Connectivity told in English: one long chain or short ones, each made to choose a node."""

from __future__ import annotations

from workspan.claims._speaking import ON, graded, rows
from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.measures import gap

TASK = "deep(d=2, english=True)"
WORK = 112
"""Of thinking 80 on both sides, and up to two readings of 16 draws."""
_ENDING = r"waits=9, steps=2, cue='\nAnswer: node ')"
LONG = f"forced_choice(thinking=80, draws=16, {_ENDING}"
SHORT = f"forced_choice(n=4, thinking=20, draws=4, {_ENDING}"
"""The same thinking and the same reading, in four."""
CHANCE = 0.5


def measure(setting: Setting) -> Measured:
    """Return how far the long chain is ahead of the short ones."""
    grades = graded((LONG, SHORT), WORK, setting, TASK, abstention=CHANCE)
    return Measured(*gap(grades[LONG], grades[SHORT]), len(grades[LONG]), rows(grades, WORK))


CLAIM = Claim(
    name="connectivity_english",
    statement="On connectivity told in English, one long chain beats a vote over short ones.",
    source="Mirtaheri et al., Let Me Think!, arXiv:2505.21825",
    design=(
        "Two copies of two forks as a list of links, which of two nodes can be reached; at most "
        "112 tokens a problem: one chain of 80 tokens, or four of 20, an early end answered with "
        "'Wait'. The answer is the node that the model holds more probable after 'Answer: node', "
        "of four chains on the mean; where neither is drawn, a coin. The draws are charged."
    ),
    statistic="accuracy of the long chain minus that of the short ones",
    line=0.0,
    on=ON,
    changes=(
        "a model that follows links: of two nodes a coin finds the right one in half of all "
        "cases, and where the rows hold 0.5 nothing was followed; a test for --engine"
    ),
    measure=measure,
    any_engine=True,
    idea="sequential",
    budget="112 work",
    model="SmolLM2-135M-Instruct",
)
