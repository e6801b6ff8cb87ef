"""Batches in which several chains, and forced answers at cuts of them, share one prompt.

A sequence is a prompt once, then K chains, each behind the same prompt by a block mask and its own
positions, then J probes for each chain: an ``=`` that sees the chain's first c tokens alone and is
to be followed by ``?``. About K times the learnt tokens for the same work.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from workspan_evidence.families.base import Chain
from workspan_evidence.grammar import ABSTAIN, ANSWER, PAD
from workspan_evidence.train.recipe import AnyFamily, Recipe

_PROMPT, _PADDING = 0, -1
_START = 0.15
"""Share of the probes that force an answer right behind the prompt."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences of one family and size."""

    tokens: Tensor
    """[rows, length]"""
    positions: Tensor
    """[rows, length]: a chain's first token stands where the prompt ends."""
    segments: Tensor
    """[rows, length]: 0 is the prompt, k > 0 the k-th chain and its probes, -1 padding."""
    probes: Tensor
    """bool [rows, length]: the forced ``=``, which no other token sees."""
    learnt: Tensor
    """bool [rows, length]: where what comes next is learnt."""
    targets: Tensor
    """[learnt, widest]: tokens of equal probability, padded with -1."""

    def mask(self, dtype: torch.dtype) -> Tensor:
        """Return what to add to attention scores: [rows, 1, length, length], 0 or very negative."""
        of, to = self.segments[:, :, None], self.segments[:, None, :]
        before = self.positions[:, None, :] < self.positions[:, :, None]
        seen = ((to == _PROMPT) | (of == to)) & before & ~self.probes[:, None, :]
        seen |= torch.eye(seen.shape[-1], dtype=torch.bool)
        return torch.zeros(seen.shape, dtype=dtype).masked_fill_(~seen, -30000.0)[:, None]


@dataclass(slots=True)
class _Row:
    tokens: list[int]
    positions: list[int]
    segments: list[int]
    probes: list[bool]
    targets: list[tuple[int, ...]]
    """Empty where nothing is learnt."""

    def add(self, symbol: int, position: int, segment: int, target: tuple[int, ...]) -> None:
        self.tokens.append(symbol)
        self.positions.append(position)
        self.segments.append(segment)
        self.probes.append(False)
        self.targets.append(target)

    def add_probe(self, position: int, segment: int) -> None:
        self.add(ANSWER, position, segment, (ABSTAIN,))
        self.probes[-1] = True


def draw_batch(family: AnyFamily, recipe: Recipe, rng: Random) -> Batch:
    """Draw about `recipe.tokens` tokens of problems, padding included; at least one problem."""
    rows: list[_Row] = []
    while not rows or (len(rows) + 1) * max(len(row.tokens) for row in rows) <= recipe.tokens:
        rows.append(_draw_row(family, recipe, rng))
    length = max(len(row.tokens) for row in rows)
    targets = [target for row in rows for target in row.targets if target]
    widest = max(len(target) for target in targets)

    def table(name: str, fill: int) -> Tensor:
        values = [getattr(row, name) for row in rows]
        return torch.tensor([[*value, *[fill] * (length - len(value))] for value in values])

    return Batch(
        tokens=table("tokens", PAD),
        positions=table("positions", 0),
        segments=table("segments", _PADDING),
        probes=table("probes", fill=False).bool(),
        learnt=torch.tensor(
            [[bool(t) for t in row.targets] + [False] * (length - len(row.targets)) for row in rows]
        ),
        targets=torch.tensor([[*t, *[-1] * (widest - len(t))] for t in targets]),
    )


def _draw_row(family: AnyFamily, recipe: Recipe, rng: Random) -> _Row:
    problem = family.problem(rng)
    *prompt, first = problem.prompt  # every chain starts with its own copy of the last token
    n = len(prompt)
    row = _Row(prompt[:], list(range(n)), [_PROMPT] * n, [False] * n, [()] * n)
    for k in range(1, recipe.chains + 1):
        chain = family.chain(problem, rng)
        for offset, (symbol, target) in enumerate(
            zip((first, *chain.ids[:-1]), chain.choices, strict=True)
        ):
            row.add(symbol, n + offset, k, target)
        for cut in _cuts(chain, recipe.probes, rng):
            row.add_probe(n + 1 + cut, k)
    return row


def _cuts(chain: Chain, n: int, rng: Random) -> list[int]:
    """Draw how many of the chain's tokens each probe sees."""
    if not chain.unsure:
        return []
    return [0 if rng.random() < _START else rng.randrange(chain.unsure) for _ in range(n)]
