"""Retrieval on pure chains of facts: nothing to ask at once, so guesses are paid for nothing."""

from __future__ import annotations

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.chains import mean_interval
from workspan.claims.searching import ON, column, searched

HOPS = (2, 4)


def measure(setting: Setting) -> Measured:
    """Return the tokens that several queries cost over those of one, at the deepest chain."""
    problems, rows = setting.size(100, 400), []
    ratio = column(searched(HOPS[-1], 1, "sequential", problems, setting.seed), "tokens")
    for hops in HOPS:
        one = searched(hops, 1, "sequential", problems, setting.seed)
        many = searched(hops, 1, "parallel", problems, setting.seed)
        ratio = column(many, "tokens") / column(one, "tokens")
        for name, found in (("one query", one), ("several", many)):
            for what in ("rounds", "tokens", "exact_match"):
                values = mean_interval(column(found, what), setting.seed)
                rows.append(Row(f"{hops} hops, {name}: {what.replace('_', ' ')}", *values))
    return Measured(*mean_interval(ratio, setting.seed), problems, tuple(rows))


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
)
