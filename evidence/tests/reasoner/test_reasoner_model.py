"""The NumPy model is Llama's: held to the formulas, written plainly in float64."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from workspan.errors import DataError
from workspan_evidence.reasoner.model import Model, Shape
from workspan_evidence.reasoner.untrained import SHAPE, untrained

TOKENS = np.random.default_rng(3).integers(0, SHAPE.vocabulary, 50).tolist()


def plain(shape: Shape, tensors: Mapping[str, NDArray[Any]], tokens: list[int]) -> Any:
    """Logits after each token: float64 [tokens, vocabulary]."""
    w = {name.removesuffix(".weight"): value.astype(np.float64) for name, value in tensors.items()}

    def norm(x: Any, name: str) -> Any:
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + shape.epsilon) * w[name]

    def rope(x: Any) -> Any:
        speeds = shape.rope_base ** (-np.arange(0, shape.size, 2) / shape.size)
        angles = np.outer(np.arange(len(x)), speeds)
        a, b = np.split(x, 2, axis=-1)
        cos, sin = np.cos(angles), np.sin(angles)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)

    x = w["embed"][tokens]
    for i in range(shape.layers):
        at = f"layers.{i}."
        y = norm(x, at + "norm1")
        heads = []
        for h in range(shape.heads):
            rows = slice(h * shape.size, (h + 1) * shape.size)
            q, k, v = (y @ w[f"{at}{name}"][rows].T for name in ("wq", "wk", "wv"))
            scores = rope(q) @ rope(k).T / np.sqrt(shape.size)
            scores[np.triu_indices(len(tokens), 1)] = -np.inf
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            heads.append(weights / weights.sum(-1, keepdims=True) @ v)
        x = x + np.concatenate(heads, axis=-1) @ w[at + "wo"].T
        y = norm(x, at + "norm2")
        gate = y @ w[at + "w1"].T
        x = x + (gate / (1 + np.exp(-gate)) * (y @ w[at + "w3"].T)) @ w[at + "w2"].T
    return norm(x, "norm") @ w["head"].T


def test_reading_gives_the_logits_of_the_formulas() -> None:
    tensors = untrained()
    expected = plain(SHAPE, tensors, TOKENS)[-1]
    assert np.abs(Model(SHAPE, tensors).read(TOKENS).logits[0] - expected).max() < 1e-4


def test_reading_on_gives_what_reading_at_once_gives() -> None:
    model = Model(SHAPE, untrained())
    parts = model.read(TOKENS[30:], model.read(TOKENS[:30]))
    whole = model.read(TOKENS)
    assert parts.tokens == whole.tokens == tuple(TOKENS)
    assert np.abs(parts.logits - whole.logits).max() < 1e-4
    assert np.abs(parts.keys - whole.keys).max() < 1e-4


def test_weights_come_back_from_a_file_in_half_precision(tmp_path: Path) -> None:
    shape = Shape(SHAPE.vocabulary, d=32, layers=2, heads=2, ff=48, context=64, min_p=0.05)
    tensors = untrained(shape)
    file = tmp_path / "small.safetensors"
    halves = {name: value.astype(np.float16) for name, value in tensors.items()}
    save_file(halves, file, {"config": json.dumps(asdict(shape))})
    model = Model.load(file)
    assert model.shape == shape
    expected = plain(shape, tensors, TOKENS)[-1]
    assert np.abs(model.read(TOKENS).logits[0] - expected).max() < 0.05


@pytest.mark.parametrize("metadata", [None, {"config": "{}"}, {"config": "no"}, {"other": "1"}])
def test_a_file_that_does_not_say_its_sizes_is_refused(
    tmp_path: Path, metadata: dict[str, str] | None
) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(2)}, file, metadata)
    with pytest.raises(DataError, match="no weights of a reasoner"):
        Model.load(file)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "text.safetensors"
    file.write_text("hello, these are no weights")
    with pytest.raises(DataError, match="no weights of a reasoner"):
        Model.load(file)
    with pytest.raises(DataError):
        Model.load(tmp_path / "absent.safetensors")
