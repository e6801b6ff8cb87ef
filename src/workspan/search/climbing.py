"""When a few cheap samples settle a problem, and when to go up: a plan in stages.

A stage draws some samples at one rung: a setting of a model such as an effort. It settles the
problem if all that it drew say the same and none thought for longer than `within` tokens. A sample
without an answer votes for nothing, and counts as disagreement. Else the next stage follows. That
samples which agree are right more often, and that long thoughts are wrong more often, is what a
profile must show: rungs, numbers and lengths are all learnt.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple


class Stage(NamedTuple):
    """Samples of one rung, drawn side by side."""

    rung: int
    n: int
    within: int = 0
    """Tokens beyond which a sample settles nothing; 0 is no limit."""


class Drawn(NamedTuple):
    """One sample."""

    answer: Hashable | None
    """None for none."""
    tokens: int


def settles(stage: Stage, drawn: Sequence[Drawn]) -> bool:
    """Say whether a stage's samples leave nothing to go up for.

    Example:
        >>> settles(Stage(0, 2), [Drawn("4", 100), Drawn("4", 300)])
        True
        >>> settles(Stage(0, 2, within=200), [Drawn("4", 100), Drawn("4", 300)])
        False
    """
    if len(drawn) < stage.n or drawn[0].answer is None:
        return False
    is_alike = all(one.answer == drawn[0].answer for one in drawn)
    return is_alike and (not stage.within or all(one.tokens <= stage.within for one in drawn))


def weight_of(accuracy: float) -> float:
    """Return what a vote of a rung weighs: the logarithm of its odds, never below a little.

    Nitzan and Paroush 1982 (International Economic Review 23:289): of independent voters it makes
    the vote that is right most often.
    """
    held = min(max(accuracy, 0.05), 0.99)
    return max(math.log(held / (1 - held)), 0.1)
