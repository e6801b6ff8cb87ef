"""A reasoner's weights without training: for tests and timings of what decodes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workspan_evidence.grammar import VOCABULARY
from workspan_evidence.reasoner.model import Shape

SHAPE = Shape(len(VOCABULARY), d=128, layers=4, heads=4, ff=256, context=1024)
"""As the weights of the package."""


def untrained(shape: Shape = SHAPE, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Draw a model at random, with logits of a spread about 1; its chains say nothing."""
    rng = np.random.default_rng(seed)
    d, ff = shape.d, shape.ff

    def matrix(out: int, inner: int) -> NDArray[Any]:
        return rng.standard_normal((out, inner), np.float32) * np.float32(inner**-0.5)

    def norm() -> NDArray[Any]:
        return rng.uniform(0.5, 1.5, d).astype(np.float32)

    tensors = {
        "embed.weight": rng.standard_normal((shape.vocabulary, d), np.float32),
        "norm.weight": norm(),
        "head.weight": matrix(shape.vocabulary, d),
    }
    for i in range(shape.layers):
        tensors |= {
            f"layers.{i}.{name}.weight": matrix(out, inner)
            for name, out, inner in (
                *((name, d, d) for name in ("wq", "wk", "wv", "wo")),
                *(("w1", ff, d), ("w2", d, ff), ("w3", ff, d)),
            )
        }
        tensors |= {f"layers.{i}.{name}.weight": norm() for name in ("norm1", "norm2")}
    return tensors
