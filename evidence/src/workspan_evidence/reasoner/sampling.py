"""Drawing tokens for many chains at once, each by random numbers of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workspan_evidence.reasoner.model import Floats, Ints

_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn: temperature first, then `min_p`, then `top_p`."""

    temperature: float = 1.0
    """0 takes the likeliest."""
    top_p: float = 1.0
    """The fewest tokens are kept whose probabilities reach this sum."""
    min_p: float = 0.0
    """Tokens below this share of the likeliest one's probability go (arXiv:2407.01082)."""

    def weights(self, logits: Floats) -> Floats:
        """Return what each token weighs, the likeliest 1: [rows, vocabulary]."""
        if self.temperature == 0:
            likeliest: Floats = np.eye(logits.shape[1], dtype=np.float32)[logits.argmax(axis=1)]
            return likeliest
        weights: Floats = logits - logits.max(axis=1, keepdims=True)
        if self.temperature != 1:
            weights /= self.temperature
        np.exp(weights, out=weights)
        weights *= weights >= self.min_p
        if self.top_p < 1:
            descending = -np.sort(-weights, axis=1)
            before = descending.cumsum(axis=1) - descending
            is_in = before < self.top_p * descending.sum(axis=1, keepdims=True)
            lowest = np.where(is_in, descending, np.inf).min(axis=1, keepdims=True)
            weights[weights < lowest] = 0
        return weights

    def draw(self, logits: Floats, rows: Ints, uniforms: NDArray[np.float64]) -> Ints:
        """Draw a token for each chain.

        Args:
            logits: [rows, vocabulary]
            rows: each chain's row of `logits`.
            uniforms: each chain's number, in [0, 1).
        """
        sums = self.weights(logits).cumsum(axis=1, dtype=np.float64)  # [rows, vocabulary]
        if len(sums) > 1:
            sums = sums[rows]
        marks = uniforms * np.nextafter(sums[:, -1], 0)  # below the last sum, however rounded
        tokens: Ints = (sums > marks[:, None]).argmax(axis=1)
        return tokens


def logprobs(logits: Floats) -> Floats:
    """Return natural logarithms of probabilities, before any temperature: [rows, vocabulary]."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def uniforms(seeds: NDArray[np.uint64], begin: int, end: int) -> NDArray[np.float64]:
    """Return numbers `begin` to `end` of each seed's own sequence: [end - begin, seeds], in [0, 1).

    SplitMix64 (Steele, Lea & Flood 2014) from the scrambled seed, so that near seeds lie far apart.
    Any part of a sequence costs the same, and none depends on which chains run beside it.
    """
    counts = np.arange(begin + 1, end + 1, dtype=np.uint64)[:, None]
    bits = _mixed(_mixed(seeds) + counts * np.uint64(_GOLDEN))
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser; arithmetic is modulo 2^64."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
