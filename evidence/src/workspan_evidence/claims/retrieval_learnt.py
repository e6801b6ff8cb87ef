"""A searcher that was trained, not scripted: one key a round, or three."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import Floats, gap, mean_interval, row
from workspan_evidence.claims._chains import one_thread, reasoner
from workspan_evidence.families.lookups import SEARCHED, Lookup, LookupInstance, LookupVerdict

if TYPE_CHECKING:
    from workspan_evidence.reasoner.model import Model

SHAPES = ((3, 3), (2, 3), (3, 1))
"""Hops and ways; the last has nothing to ask at once. The statistic is of the first."""
CAP = 24
"""Tokens of its own that a searcher may write: on (3, 3), between what both ways need."""
_ROUND = 12
"""Tokens that a round is cut at."""


def measure(setting: Setting) -> Measured:
    """Compare rounds, tokens and accuracy within the cap."""
    problems, rows = setting.size(150, 500), []
    model, gaps = reasoner("lookups", setting), []
    for hops, ways in SHAPES:
        within = []
        for keys in (1, 3):
            family = Lookup(hops, ways, keys)
            with one_thread():
                found = _searched(model, family, problems, setting.seed)
            within.append(_accuracy(found))
            name = f"{hops} hops x {ways}, {'one key' if keys == 1 else 'three keys'} a round"
            for what, values in (
                (f"rounds (closed form {family.rounds})", [one.rounds for one in found]),
                ("tokens", [one.moves for one in found]),
            ):
                means = mean_interval(np.array(values, dtype=float), setting.seed)
                rows.append(Row(f"{name}: {what}", *means))
            new = np.array([one.different / max(one.queries, 1) for one in found])
            rows.append(row(f"{name}: share of queries that are new", new))
            rows.append(row(f"{name}: right within {CAP} tokens", within[-1]))
        gaps.append(gap(within[1], within[0]))
    return Measured(*gaps[0], problems, tuple(rows))


def _searched(model: Model, family: Lookup, problems: int, seed: int) -> list[LookupVerdict]:
    """Let the model ask round after round; what the corpus holds is put behind each."""
    from workspan_evidence.reasoner.chain import Chain
    from workspan_evidence.reasoner.sampling import Sampling
    from workspan_evidence.reasoner.shared_prefix import SharedPrefix, decode

    rng, min_p = Random(f"evaluation:{family}:{seed}"), model.shape.min_p
    asked: list[LookupInstance] = [family.problem(rng) for _ in range(problems)]
    written: list[tuple[int, ...]] = [()] * problems
    live = list(range(problems))
    for turn in range(2 * family.rounds):
        parts = [Chain((seed << 40) + (i << 20) + turn, _ROUND, ("</search>",)) for i in live]
        prefixes = [
            SharedPrefix(
                model, model.read(asked[i].prompt + written[i]), Sampling(min_p=min_p), [part]
            )
            for i, part in zip(live, parts, strict=True)
        ]
        decode(model, prefixes, _ROUND)
        for i, part in zip(live, parts, strict=True):
            written[i] += tuple(part.tokens)
            if written[i][-1] == SEARCHED:
                written[i] += asked[i].inform(written[i])
        live = [i for i, part in zip(live, parts, strict=True) if part.tokens[-1] == SEARCHED]
    return [family.check(one, chain) for one, chain in zip(asked, written, strict=True)]


def _accuracy(found: list[LookupVerdict]) -> Floats:
    """Grade what was answered within the cap; silence is a fair coin between the two bits."""
    return np.array([float(one.correct) if one.moves <= CAP else 0.5 for one in found])


CLAIM = Claim(
    name="retrieval_learnt",
    statement="A trained searcher is right within fewer tokens if it may ask for several facts.",
    source="Tan et al., RAG-R1, arXiv:2507.02962",
    design=(
        "Lookups of 3 hops and 3 ways, 2 and 3, and 3 and 1 as control; one key or three a round "
        f"by the prompt's word; {CAP} tokens of its own, what it is given is not counted; one "
        "chain, no answer is a fair coin."
    ),
    statistic=f"accuracy with three keys a round minus that with one, 3 hops x 3, {CAP} tokens",
    line=0.0,
    on="the trained reasoner lookups; its corpus is exact, and which keys to ask was taught",
    changes="a budget above what one key a round needs, or what is given counted at a high price",
    measure=measure,
    idea="retrieval",
    budget="24 tokens",
    model="reasoner:lookups",
    kind="reasoner",
)
