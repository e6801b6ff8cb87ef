"""How fast the votes that short chains need grow with the serial depth of a problem."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np

from workspan.claims.base import Claim, Measured, Row, Setting
from workspan.claims.measures import Floats, interval, resampled
from workspan_evidence.claims._chains import trained
from workspan_evidence.families.base import Family
from workspan_evidence.families.connectivity import Bridge, Deep
from workspan_evidence.families.graph import GraphInstance


class Sized(Family[GraphInstance], Protocol):
    """A graph of some depth whose closed form is known."""

    @property
    def d(self) -> int:
        """Forks, or petals, one after another."""
        ...

    def found(self, cap: int) -> float:
        """Return the chance that an ideal chain stands on the target within `cap` tokens."""
        ...


def measure(setting: Setting, *, families: Sequence[Sized], moves: int) -> Measured:
    """Fit the doublings of the chains needed, for each further unit of depth.

    Args:
        setting: sizes and weights.
        families: one for each depth.
        moves: tokens of the shortest chain that can answer, for each unit of depth.
    """
    problems, width = setting.size(100, 400), setting.size(128, 1024)
    picks = resampled(problems, setting.seed)
    rows, whole, resamples = [], [], []
    for family in families:
        cap = moves * family.d
        votes = trained(family, problems, width, setting, limit=cap).votes_at(cap)
        found = (votes == 1).mean(axis=1)
        least = 0.5 / problems / width  # half a hit for none
        rate, rates = max(float(found.mean()), least), found[picks].mean(axis=1).clip(min=least)
        whole.append(-np.log2(rate))
        resamples.append(-np.log2(rates))
        name = f"depth {family.d}: right within {cap} tokens (closed form {family.found(cap):.4f})"
        rows.append(Row(name, float(found.mean()), *interval(rates)))
        needed, all_needed = _needed(np.array(rate)), _needed(rates)
        name = f"depth {family.d}: chains for 90 % (closed form "
        name += f"{_needed(np.array(family.found(cap))):.0f})"
        rows.append(Row(name, float(needed), *interval(all_needed)))
    depths = [family.d for family in families]
    slope = float(np.polyfit(depths, whole, 1)[0])
    return Measured(
        slope, *interval(np.polyfit(depths, np.stack(resamples), 1)[0]), problems, tuple(rows)
    )


def _needed(rate: Floats) -> Floats:
    """Return the chains of which one finds it with 90 %."""
    chains: Floats = np.log(0.1) / np.log1p(-np.clip(rate, 1e-9, 1 - 1e-9))
    return chains


DEEP = Claim(
    name="votes_needed",
    statement="On compositional problems the short chains needed grow exponentially with depth.",
    source="Mirtaheri et al., Let Me Think!, arXiv:2505.21825",
    design=(
        "Deep(d), d forks that each have a dead end, d = 2, 4, 6, 8; chains cut at d tokens, the "
        "least that can answer; a perfect verifier. Closed form: found with chance 2^-d."
    ),
    statistic="doublings of the chains needed for 90 %, per fork (closed form 1)",
    line=0.5,
    on="the trained reasoner",
    changes="a model that knows the right branch before it walks it",
    measure=partial(measure, families=[Deep(d) for d in (2, 4, 6, 8)], moves=1),
    idea="sequential",
    budget="short chains until 90 % are right",
    model="reasoner:graphs",
    kind="reasoner",
)

BRIDGE = Claim(
    name="votes_needed_bridge",
    statement="So they do on the graphs that the paper took.",
    source=DEEP.source,
    design=(
        "Bridge(d, 3, 5, 3), d = 1, 2, 3; chains cut at 3 d tokens, the least that can answer; a "
        "perfect verifier. Closed form: found with chance (1/3)(1/4)^(d-1)."
    ),
    statistic="doublings of the chains needed for 90 %, per petal (closed form 2)",
    line=0.5,
    on=DEEP.on,
    changes="a model that knows the short arc before it walks it",
    measure=partial(measure, families=[Bridge(d) for d in (1, 2, 3)], moves=3),
    idea="sequential",
    budget="short chains until 90 % are right",
    model="reasoner:graphs",
    kind="reasoner",
)
