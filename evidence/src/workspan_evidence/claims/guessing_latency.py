"""Whether guess and check is a win for parallel chains in latency: it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import Floats, mean_interval
from workspan_evidence.claims._guessing import GUESSES, apart, in_turn, solutions

GOAL = 0.9


def measure(setting: Setting) -> Measured:
    """Return how much longer the one chain is at equal success, and what the width costs."""
    right = solutions(setting.size(500, 5000), setting)
    span = _least(right, in_turn, GUESSES)
    width = _least(right, apart, 20 * GUESSES)
    rows = (
        Row("guesses one after another", *mean_interval(span, setting.seed)),
        Row("chains of one guess each", *mean_interval(width, setting.seed)),
        Row("work of the chains over that of the one", *mean_interval(width / span, setting.seed)),
    )
    return Measured(*mean_interval(span, setting.seed), len(right), rows)


def _least(right: Floats, found: Callable[[Floats, int], Floats], most: int) -> Floats:
    """Return the fewest guesses whose chance reaches the goal, for each problem."""
    table = np.stack([found(right, n) for n in range(1, most + 1)])
    least: Floats = 1.0 + np.argmax(table >= GOAL - 1e-12, axis=0)
    return least


CLAIM = Claim(
    name="guessing_latency",
    statement="At equal success, chains that guess apart are done sooner than one that guesses.",
    source="Brent 1974: time is at least span",
    design=(
        "The problems of guessing_tokens; both go on until a problem is solved with 90 %. Span in "
        "guesses: the chains' is 1, the one chain's is all of its guesses."
    ),
    statistic="span of the one chain over that of the chains side by side",
    line=1.0,
    on="exact policies of a program, no model",
    changes="fewer decoding slots than chains",
    measure=measure,
    idea="task_structure",
    budget="equal success",
    model="exact policies",
    kind="program",
)
