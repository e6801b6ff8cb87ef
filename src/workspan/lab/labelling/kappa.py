"""How far two labellers agree beyond chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeVar

from workspan.lab.certifying.binomial import upper

K = TypeVar("K", str, tuple[str, int])


class Judgement(Protocol):
    """What a person said of one answer."""

    @property
    def verdict(self) -> str:
        """Right, wrong or unsure."""
        ...


class Kappa(NamedTuple):
    """Cohen's kappa, with an interval of 95 %."""

    value: float | None
    """None where chance alone would agree always: both say the same of all."""
    low: float | None
    high: float | None
    both: int
    """Answers that both judged."""
    agreed: int


def kappa(first: Mapping[K, Judgement], second: Mapping[K, Judgement]) -> Kappa:
    """Compare two labellers on what both judged, by whatever answers are known by.

    kappa = (p_o - p_e) / (1 - p_e) with p_e from each one's own shares (Cohen 1960). The interval
    is that of the share of disagreement, exact (Clopper and Pearson 1934), over 1 - p_e as it was
    seen: it has a width even where the two never differ.
    """
    both = sorted(first.keys() & second.keys())
    n = len(both)
    if not n:
        return Kappa(None, None, None, 0, 0)
    pairs = [(first[name].verdict, second[name].verdict) for name in both]
    agreed = sum(a == b for a, b in pairs)
    kinds = {verdict for pair in pairs for verdict in pair}
    ours = {kind: sum(a == kind for a, _ in pairs) / n for kind in kinds}
    theirs = {kind: sum(b == kind for _, b in pairs) / n for kind in kinds}
    chance = sum(ours[kind] * theirs[kind] for kind in kinds)
    if chance >= 1:
        return Kappa(None, None, None, n, agreed)
    most = upper(n - agreed, n, 0.025)
    least = 1 - upper(agreed, n, 0.025)
    scale = 1 - chance
    return Kappa(
        1 - (1 - agreed / n) / scale, max(-1.0, 1 - most / scale), 1 - least / scale, n, agreed
    )
