"""What plans cost that draw other numbers of samples than a pilot did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workspan.core.engine import Price
from workspan.lab.efforts.race import Sampled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Rates:
    """What a setting's samples take on the mean: for plans that draw other numbers of them."""

    call: float | None
    """USD of a call's prompt."""
    token: float | None
    """USD of a decoded token."""
    seconds: float | None
    """Of a decoded token."""

    @classmethod
    def of(cls, samples: Sequence[Sampled], price: Price | None, *, is_replay: bool) -> Rates:
        """Take the means of what was measured; a provider's own bill is in each sample's usage."""
        tokens = sum(s.usage.output_tokens for s in samples)
        if not tokens:
            return cls(None, None, None)
        seconds = None if is_replay else sum(s.seconds for s in samples) / tokens
        costs = [float(s.usage.cost) for s in samples if s.usage.cost is not None]
        if len(costs) < len(samples):
            return cls(None, None, seconds)
        token = sum(costs) / tokens
        token = token if price is None else min(float(price.output) / 1e6, token)
        return cls(max(0.0, sum(costs) - tokens * token) / len(samples), token, seconds)


def priced(parts: NDArray[np.float64], rates: Sequence[Rates]) -> tuple[float | None, float | None]:
    """Return the money and the seconds of calls, work and span at each rung."""
    cost: float | None = 0.0
    seconds: float | None = 0.0
    for (calls, work, span), rate in zip(parts.tolist(), rates, strict=True):
        if not calls:
            continue
        known = rate.call is not None and rate.token is not None and cost is not None
        cost = cost + calls * rate.call + work * rate.token if known else None
        is_timed = rate.seconds is not None and seconds is not None
        seconds = seconds + span * rate.seconds if is_timed else None
    return cost, seconds
