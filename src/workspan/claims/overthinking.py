"""Whether accuracy falls again when a chain is forced to go on."""

from __future__ import annotations

import numpy as np

from workspan.claims._speaking import ON, graded, rows
from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.measures import gap

WORK = 256
LENGTHS = (0, 32, 64, 200)
"""Tokens of thinking that a chain is kept from ending before; 0 is left alone."""


def measure(setting: Setting) -> Measured:
    """Choose the best length on every other problem, and judge it on the rest."""
    texts = tuple(_written(length) for length in LENGTHS)
    grades = graded(texts, WORK, setting)
    longest = grades[texts[-1]]
    difference = np.zeros_like(longest)
    halves = (slice(0, None, 2), slice(1, None, 2))
    for chosen, judged in (halves, halves[::-1]):
        best = max(texts, key=lambda text: float(grades[text][chosen].mean()))
        difference[judged] = grades[best][judged]
    return Measured(*gap(difference, longest), len(longest), rows(grades, WORK))


def _written(length: int) -> str:
    if not length:
        return f"single(max_tokens={WORK})"
    return f"budget_forcing(thinking={length}, waits=8)"


CLAIM = Claim(
    name="overthinking",
    statement="Accuracy against forced length is not monotone: past the best length it falls.",
    source="Ghosal et al., Does Thinking More Always Help?, arXiv:2506.04210",
    design=(
        "Sums of the task demo; chains left alone and kept going to 32, 64 and 200 tokens of "
        "thinking. The best length is chosen on half of the problems and judged on the others."
    ),
    statistic="accuracy at the best length minus that at the longest",
    line=0.0,
    on=ON,
    changes="a model that was trained to think long",
    measure=measure,
    any_engine=True,
    idea="overthinking",
    budget="256 work",
    model="SmolLM2-135M-Instruct",
)
