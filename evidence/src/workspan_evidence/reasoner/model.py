"""The reasoner's transformer in NumPy: Llama's layers, in float32, for many rows at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workspan.errors import DataError

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]

Attend: TypeAlias = Callable[[int, Floats], Floats]
"""Layer and queries, keys and values, [3, rows, heads, size], to what the rows heard: [rows, d]."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a reasoner, and what else its weights file says of it."""

    vocabulary: int
    d: int
    layers: int
    heads: int
    ff: int
    context: int
    """Positions that it was trained for: prompt and completion together."""
    min_p: float = 0.0
    """Tokens are left out whose probability is below this share of the likeliest one's."""
    rope_base: float = 1e4
    epsilon: float = 1e-5

    @property
    def size(self) -> int:
        """Width of a head."""
        return self.d // self.heads


@dataclass(frozen=True, slots=True)
class Block:
    """One layer's matrices, each to be multiplied from the right.

    Whatever else multiplies their input or output by a constant is part of them: the norms'
    weights, the root of d by which a root mean square is less than a length, the attention's scale.
    Queries and keys have the two numbers that RoPE turns side by side; gates are halved.
    """

    qkv: Floats
    """[3, d, d]"""
    out: Floats
    """[d, d]"""
    gate_up: Floats
    """[2, d, ff]"""
    down: Floats
    """[ff, d]"""


@dataclass(frozen=True, slots=True)
class Context:
    """A text that the model has read."""

    tokens: tuple[int, ...]
    keys: Floats
    """[layers, heads, size, tokens]"""
    values: Floats
    """[layers, heads, tokens, size]"""
    logits: Floats
    """Of what comes next: [1, vocabulary]"""


class Model:
    """A decoder of Llama's kind: RMSNorm, RoPE on half-split heads, SwiGLU, untied head.

    Args:
        shape: the sizes.
        tensors: embed, layers.N.{norm1, wq, wk, wv, wo, norm2, w1, w2, w3}, norm and head, each
            with ".weight"; matrices are [out, in], w1 is the gate.
    """

    def __init__(self, shape: Shape, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.shape = shape
        self._epsilon = shape.d * shape.epsilon
        weights = {name: np.asarray(value, np.float32) for name, value in tensors.items()}
        self.embedding = weights["embed.weight"]  # [vocabulary, d]
        self.head = _after_norm(weights["head.weight"], weights["norm.weight"])
        self.blocks = [_block(shape, weights, f"layers.{i}.") for i in range(shape.layers)]
        self._first = self._normed(self.embedding) @ self.blocks[0].qkv  # [3, vocabulary, d]
        self._turns = _turns(shape)

    @classmethod
    def load(cls, path: Path) -> Model:
        """Read a safetensors file whose metadata holds the sizes as JSON under "config".

        Raises:
            DataError: the file is no such weights.
        """
        shape, tensors = read_weights(path)
        return cls(shape, tensors)

    def forward(self, tokens: Ints, positions: Ints, attend: Attend) -> Floats:
        """Run rows, each at its position, through all layers; return logits [rows, vocabulary].

        Where `attend` tells only what the last rows heard, only they go on.
        """
        heads, size = self.shape.heads, self.shape.size
        x = self.embedding[tokens]  # [rows, d]
        turns = self._turns[positions]  # complex64 [rows, d / 2]
        for layer, block in enumerate(self.blocks):
            qkv = self._normed(x) @ block.qkv if layer else self._first[:, tokens]
            pairs = qkv[:2].view(np.complex64)
            pairs *= turns
            heard = attend(layer, qkv.reshape(3, -1, heads, size))
            x = x[len(x) - len(heard) :] + heard @ block.out
            half, up = self._normed(x) @ block.gate_up
            x += _swiglu(half, up) @ block.down
        return self._normed(x) @ self.head

    def read(self, tokens: Sequence[int], past: Context | None = None) -> Context:
        """Read `tokens`, one at least, after `past`."""
        shape = self.shape
        begin = len(past.tokens) if past else 0
        total = begin + len(tokens)
        keys = np.empty((shape.layers, shape.heads, shape.size, total), np.float32)
        values = np.empty((shape.layers, shape.heads, total, shape.size), np.float32)
        if past:
            keys[..., :begin], values[:, :, :begin] = past.keys, past.values
        positions = np.arange(begin, total)
        future = (np.arange(total) > positions[:, None]) * np.float32(-1e30)

        def attend(layer: int, qkv: Floats) -> Floats:
            (q, k, v), masks = qkv.swapaxes(1, 2), future  # [heads, tokens, size]
            keys[layer, ..., begin:], values[layer, :, begin:] = k.swapaxes(1, 2), v
            if layer == shape.layers - 1:  # only the last token's logits are wanted
                q, masks = q[:, -1:], masks[-1:]
            scores = q @ keys[layer]  # [heads, tokens, total]
            scores += masks
            sums = exponentials(scores)
            heard: Floats = scores @ values[layer]  # [heads, tokens, size]
            heard /= sums
            return heard.swapaxes(0, 1).reshape(-1, shape.d)

        logits = self.forward(np.asarray(tokens), positions, attend)
        return Context((*(past.tokens if past else ()), *tokens), keys, values, logits)

    def _normed(self, x: Floats) -> Floats:
        """Divide each row by its length; that the root mean square is less is in the weights."""
        normed: Floats = x / np.sqrt(np.vecdot(x, x)[:, None] + self._epsilon)
        return normed


def exponentials(scores: Floats) -> Floats:
    """Turn scores into a softmax's numerators, in place; return its denominators: [..., 1]."""
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    sums: Floats = scores.sum(axis=-1, keepdims=True)
    return sums


def _swiglu(half: Floats, up: Floats) -> Floats:
    """Return gate * sigmoid(gate) * up; sigmoid(gate) is (1 + tanh(half the gate)) / 2."""
    gated = np.tanh(half)
    gated += 1
    gated *= half
    gated *= up
    return gated


def interleaved(rows: NDArray[Any], heads: int) -> NDArray[Any]:
    """Reorder each head's rows [d, d] so that number i of its halves stand side by side.

    RoPE turns them together; llama.cpp's "llama" architecture keeps its weights this way.
    """
    d, inner = rows.shape
    halves = rows.reshape(heads, 2, d // heads // 2, inner)
    return halves.swapaxes(1, 2).reshape(d, inner)


def _block(shape: Shape, weights: Mapping[str, Floats], at: str) -> Block:
    norm1, norm2 = weights[at + "norm1.weight"], weights[at + "norm2.weight"]
    q, k, v, out, gate, down, up = (
        weights[f"{at}{name}.weight"] for name in ("wq", "wk", "wv", "wo", "w1", "w2", "w3")
    )
    q = interleaved(q, shape.heads) * np.float32(shape.size**-0.5)
    return Block(
        qkv=_after_norm(np.stack([q, interleaved(k, shape.heads), v]), norm1),
        out=_columns(out),
        gate_up=_after_norm(np.stack([gate / 2, up]), norm2),
        down=_columns(down),
    )


def _after_norm(rows: Floats, weights: Floats) -> Floats:
    return _columns(rows * (weights * np.float32(len(weights) ** 0.5)))


def _columns(rows: Floats) -> Floats:
    return np.ascontiguousarray(rows.swapaxes(-2, -1))


def _turns(shape: Shape) -> NDArray[np.complex64]:
    """Return RoPE's turn of each pair of a row's numbers at each position: [context, d / 2]."""
    exponents = np.arange(0, shape.size, 2) / shape.size
    angles = np.outer(np.arange(shape.context), shape.rope_base**-exponents)
    return np.tile(np.exp(1j * angles), shape.heads).astype(np.complex64)


def read_weights(path: Path) -> tuple[Shape, dict[str, NDArray[Any]]]:
    """Return the sizes and tensors of a safetensors file.

    Raises:
        DataError: it is none, or its metadata does not say the sizes.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            config = json.loads(file.metadata()["config"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        known = {field: config[field] for field in Shape.__dataclass_fields__ if field in config}
        return Shape(**known), tensors
    except (OSError, SafetensorError, TypeError, KeyError, ValueError) as error:
        raise DataError(f"no weights of a reasoner: {error}", path=str(path)) from error
