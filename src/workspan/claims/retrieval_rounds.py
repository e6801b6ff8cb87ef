"""Rounds of retrieval: one query at a time against several at once."""

from __future__ import annotations

import numpy as np

from workspan.claims._searching import MODES, ON, QUERIES, column, searched, times
from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import Floats, mean_interval

SHAPES = ((2, 3), (4, 3), (2, 6))


def measure(setting: Setting) -> Measured:
    """Return how many times the rounds are needed; the statistic is of all shapes together."""
    rows, ratios = list[Row](), []
    for hops, ways in SHAPES:
        one, many = (searched(hops, ways, mode, setting) for mode in MODES)
        ratios.append(times(column(one, "rounds"), column(many, "rounds")))
        for name, found, expected in (
            ("one query", one, hops * ways),
            ("several", many, hops * -(-ways // QUERIES)),
        ):
            shape = f"{hops} hops x {ways}, {name}"
            for what, word in (("rounds", f"rounds (expected {expected})"), ("tokens", "tokens")):
                rows.append(
                    Row(f"{shape}: {word}", *mean_interval(column(found, what), setting.seed))
                )
            rows.append(
                Row(f"{shape}: exact", *mean_interval(column(found, "exact_match"), setting.seed))
            )
    ratio: Floats = np.mean(ratios, axis=0)
    return Measured(*mean_interval(ratio, setting.seed), len(ratio), tuple(rows))


CLAIM = Claim(
    name="retrieval_rounds",
    statement="Several queries at once need h ceil(f/k) rounds where one at a time needs h f.",
    source="Tan et al., RAG-R1, arXiv:2507.02962",
    design="Questions of h hops and f ways, (2,3), (4,3), (2,6); k = 3 queries a round or one.",
    statistic="rounds of one query at a time over rounds of three at once (expected 3)",
    line=2.0,
    on=ON,
    changes="a model that asks for what it does not need, or forgets what it must ask for",
    measure=measure,
    any_engine=True,
    idea="retrieval",
    budget="16k work a question",
    model="simulated searcher",
    kind="program",
)
