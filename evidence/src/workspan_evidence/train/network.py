"""The transformer in PyTorch, as Llama has it: what `model` runs in NumPy."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from workspan_evidence.grammar import VOCABULARY
from workspan_evidence.train.recipe import Recipe

EPSILON = 1e-5
ROPE_BASE = 1e4
HEAD = 0.1
"""What the head starts at, of the embedding: what is attended to is likely to be said."""


class Network(nn.Module):
    """Embedding, layers of attention and SwiGLU under RMSNorm, and an untied head.

    Parameter names are those of the weights file: embed, layers.N.{norm1, wq, wk, wv, wo, norm2,
    w1, w2, w3}, norm, head, each with ".weight"; matrices are [out, in]; w1 is the gate.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        d = recipe.d
        self.size = d // recipe.heads
        self.embed = nn.Embedding(len(VOCABULARY), d)
        self.layers = nn.ModuleList(_Layer(recipe) for _ in range(recipe.layers))
        self.norm = _Norm(d)
        self.head = nn.Linear(d, len(VOCABULARY), bias=False)
        self.embed.weight.data.normal_(std=0.5)
        self.head.weight.data.copy_(HEAD * self.embed.weight.data)
        # what all symbols have in common lets a head attend by position alone: without biases,
        # nothing else could, and to follow an edge a head must first look one symbol back
        self.embed.weight.data += torch.randn(1, d) * 0.5

    def forward(self, tokens: Tensor, positions: Tensor, mask: Tensor, learnt: Tensor) -> Tensor:
        """Return logits [learnt, vocabulary] at the positions that are learnt."""
        turns = _turns(positions, self.size, mask.dtype)
        x = self.embed(tokens).to(mask.dtype)
        for layer in self.layers:
            x = layer(x, turns, mask)
        return self.head(self.norm(x[learnt]))  # type: ignore[no-any-return]


class _Norm(nn.Module):
    def __init__(self, d: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), EPSILON)


class _Layer(nn.Module):
    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        d, ff = recipe.d, recipe.ff
        self.heads = recipe.heads
        self.norm1 = _Norm(d)
        self.wq, self.wk, self.wv, self.wo = (nn.Linear(d, d, bias=False) for _ in range(4))
        self.norm2 = _Norm(d)
        self.w1 = nn.Linear(d, ff, bias=False)
        self.w2 = nn.Linear(ff, d, bias=False)
        self.w3 = nn.Linear(d, ff, bias=False)
        for name, matrix in self.named_parameters():
            if matrix.dim() == 2:
                matrix.data.normal_(std=d**-0.5)
                if name.startswith(("wo", "w2")):  # what adds to the residual stream starts small
                    matrix.data *= (2 * recipe.layers) ** -0.5

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        y = self.norm1(x)
        q, k, v = (self._split(matrix(y)) for matrix in (self.wq, self.wk, self.wv))
        q, k = _turn(q, turns), _turn(k, turns)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2) + mask
        heard = (torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(x.shape)
        x = x + self.wo(heard)
        y = self.norm2(x)
        return x + self.w2(functional.silu(self.w1(y)) * self.w3(y))  # type: ignore[no-any-return]

    def _split(self, x: Tensor) -> Tensor:
        rows, length, d = x.shape
        return x.view(rows, length, self.heads, d // self.heads).transpose(1, 2)


def _turns(positions: Tensor, size: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return RoPE's cosines and sines: each [rows, 1, length, size / 2]."""
    speeds = ROPE_BASE ** (-torch.arange(0, size, 2) / size)
    angles = positions[:, None, :, None] * speeds
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _turn(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = turns
    a, b = x.chunk(2, -1)  # half-split pairs, as Hugging Face has them
    return torch.cat((a * cos - b * sin, a * sin + b * cos), -1)
