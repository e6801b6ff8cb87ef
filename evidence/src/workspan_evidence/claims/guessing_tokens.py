"""Whether generic guess and check is a win for parallel chains in tokens: it is not."""

from __future__ import annotations

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import mean_interval
from workspan_evidence.claims._guessing import GUESSES, apart, in_turn, solutions

AT = (2, 5, 10, 15)


def measure(setting: Setting) -> Measured:
    """Compare at equal numbers of guesses; the statistic is at half of all."""
    right, rows = solutions(setting.size(500, 5000), setting), []
    for n in AT:
        one, many = in_turn(right, n), apart(right, n)
        rows += [
            Row(f"one chain, {n} guesses", *mean_interval(one, setting.seed)),
            Row(f"{n} chains of a guess", *mean_interval(many, setting.seed)),
        ]
    half = GUESSES // 2
    difference = in_turn(right, half) - apart(right, half)
    return Measured(*mean_interval(difference, setting.seed), len(right), tuple(rows))


CLAIM = Claim(
    name="guessing_tokens",
    statement="At equal tokens, one chain that guesses beats chains that guess apart.",
    source="Sampling without against with replacement; against the wider claim of arXiv:2502.12118",
    design=(
        "Three of six numbers with a given sum, 20 equally likely guesses of equal length: one "
        "chain tries different ones in turn, n chains try one each and do not talk. Same tokens."
    ),
    statistic="chance to have found it within 10 guesses, one chain minus ten chains",
    line=0.0,
    on="exact policies of a program, no model",
    changes="a chain that repeats or commits to its guesses, or whose context ends",
    measure=measure,
    idea="task_structure",
    budget="equal tokens",
    model="exact policies",
    kind="program",
)
