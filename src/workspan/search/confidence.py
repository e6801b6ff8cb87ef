"""How sure a model was of what it wrote, from its tokens' probabilities. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Literal, TypeAlias

from workspan.data.types import Chunk, Sample

Measure: TypeAlias = Literal["mean", "tail", "bottom", "lowest"]
"""What stands for a whole chain: all its tokens, the last `window` of them, its lowest 10% of
groups, its lowest group."""

BOTTOM = 0.1
"""Share of the groups that "bottom" counts (arXiv:2508.15260, section 3.1)."""

_SUREST = 1e-6
"""Nats a token below which a chain is not taken to be any surer."""


def token_confidences(drawn: Sample | Chunk) -> list[float]:
    """Return one value a token, at least 0, higher where the model was surer.

    That is C_i of arXiv:2508.15260 where the engine gave the alternatives; else the probability of
    the token that was drawn, which orders chains in the same sense but not on the same scale.
    """
    return list(drawn.confidences or ()) or [math.exp(value) for value in drawn.logprobs or ()]


class SlidingMean:
    """Mean of the last `window` values, in constant time for each."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._values: deque[float] = deque()
        self._total = 0.0

    def add(self, value: float) -> float | None:
        """Take the next value; return the mean once there is a full window."""
        self._values.append(value)
        self._total += value
        if len(self._values) > self._window:
            self._total -= self._values.popleft()
        return self._total / self._window if len(self._values) == self._window else None


def group_confidences(confidences: Sequence[float], window: int) -> list[float]:
    """Return the mean of every `window` tokens in a row, in linear time.

    A chain of fewer tokens is one group; one without tokens has a single group of 0.
    """
    if len(confidences) < window:
        return [fmean(confidences) if confidences else 0.0]
    sliding = SlidingMean(window)
    means = [sliding.add(value) for value in confidences]
    return [mean for mean in means if mean is not None]


def chain_confidence(drawn: Sample, measure: Measure, window: int) -> float:
    """Return a whole chain's confidence (arXiv:2508.15260, section 3.1); 0 without tokens."""
    return MEASURES[measure](token_confidences(drawn), window)


def _bottom(confidences: Sequence[float], window: int) -> float:
    groups = sorted(group_confidences(confidences, window))
    return fmean(groups[: max(1, int(len(groups) * BOTTOM))])


MEASURES: Mapping[Measure, Callable[[Sequence[float], int], float]] = {
    "mean": lambda confidences, _: fmean(confidences) if confidences else 0.0,
    "tail": lambda confidences, window: fmean(confidences[-window:]) if confidences else 0.0,
    "bottom": _bottom,
    "lowest": lambda confidences, window: min(group_confidences(confidences, window)),
}


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which `percent` of the values lie, as `numpy.percentile` does.

    Args:
        values: at least one.
        percent: in [0, 100]; between two values it is interpolated, linearly.
    """
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    low, high = ordered[below], ordered[math.ceil(place)]
    return low + (high - low) * (place - below)


def self_certainty(drawn: Sample, alternatives: int) -> float:
    """Mean divergence of the next token from a uniform choice, KL(U || p), in nats, at least 0.

    Kang et al. 2025, arXiv:2502.18581, take U over the whole vocabulary; here it is over the k
    `alternatives` that an engine tells: mean C_i - ln k. Without them it is the mean probability of
    the tokens drawn.
    """
    mean = chain_confidence(drawn, "mean", 1)
    return max(0.0, mean - math.log(alternatives)) if drawn.confidences else mean


def probability(drawn: Sample) -> float:
    """Geometric mean of the drawn tokens' probabilities, the inverse of their perplexity.

    The normalised weight of Wang et al. 2023, arXiv:2203.11171, section 2.
    """
    return math.exp(fmean(drawn.logprobs)) if drawn.logprobs else 0.0


def inverse_entropy(drawn: Sample) -> float:
    """1 / H, the mean entropy of a token in nats; 0 without tokens.

    Sharma & Chopra 2025, arXiv:2511.02309, sum over the tokens' alternatives. The mean of -ln p of
    the tokens drawn, taken here, has that sum as its expectation.
    """
    return 1 / max(_SUREST, -fmean(drawn.logprobs)) if drawn.logprobs else 0.0


def borda(weights: Sequence[float], p: float) -> list[float]:
    """Replace each weight by (N - r + 1)^p, r its rank: 1 for the heaviest, of equals the first.

    Kang et al. 2025, arXiv:2502.18581: p = 0 is a plain vote, and the larger p, the more the
    heaviest decides alone.
    """
    order = sorted(range(len(weights)), key=lambda i: -weights[i])
    votes = [0.0] * len(weights)
    for rank, i in enumerate(order):
        votes[i] = float((len(weights) - rank) ** p)
    return votes


def falls_below(threshold: float, window: int) -> Callable[[Chunk], bool]:
    """Make a rule that says once the last `window` tokens of a stream are less sure than that."""
    sliding = SlidingMean(window)

    def is_over(chunk: Chunk) -> bool:
        means = [sliding.add(value) for value in token_confidences(chunk)]
        return any(mean is not None and mean < threshold for mean in means)

    return is_over
