"""Retrieval on pure chains of facts: nothing to ask at once, so guesses are paid for nothing."""

from __future__ import annotations

from workspan.claims._searching import MODES, ON, column, searched, times
from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import mean_interval

HOPS = (2, 4)


def measure(setting: Setting) -> Measured:
    """Return the tokens that several queries cost over those of one, at the deepest chain."""
    rows: list[Row] = []
    pairs = [[searched(hops, 1, mode, setting) for mode in MODES] for hops in HOPS]
    for hops, pair in zip(HOPS, pairs, strict=True):
        for name, found in zip(("one query", "several"), pair, strict=True):
            for what in ("rounds", "tokens", "exact_match"):
                values = mean_interval(column(found, what), setting.seed)
                rows.append(Row(f"{hops} hops, {name}: {what.replace('_', ' ')}", *values))
    one, many = pairs[-1]
    ratio = times(column(many, "tokens"), column(one, "tokens"))
    return Measured(*mean_interval(ratio, setting.seed), len(one), tuple(rows))


CLAIM = Claim(
    name="retrieval_chains",
    statement="On pure chains of facts, several queries at once only cost more tokens.",
    source="Tan et al., RAG-R1, arXiv:2507.02962, the other way round",
    design="Questions of 2 and 4 hops and one way; k = 3 queries a round or one.",
    statistic="tokens of three queries a round over those of one, at 4 hops",
    line=1.0,
    on=ON,
    changes="queries that guess the next hop right",
    measure=measure,
    any_engine=True,
    idea="retrieval",
    budget="16k work a question",
    model="simulated searcher",
    kind="program",
)
