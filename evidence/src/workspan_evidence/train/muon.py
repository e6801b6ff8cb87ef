"""Muon: momentum whose matrices are made orthogonal before they are applied.

Jordan et al. 2024, kellerjordan.github.io/posts/muon; the coefficients are theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonal(matrices: Tensor) -> Tensor:
    """Bring all singular values of each [out, in] matrix of a stack near 1, five iterations."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    result: Tensor = x.mT if tall else x
    return result


class Muon:
    """Updates hidden matrices.

    Args:
        parameters: two-dimensional; those of one shape are orthogonalised together.
        rate: step in units of the update's spectral norm.
        momentum: Nesterov's.
        decay: pulls weights to zero, as a share of the rate.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        rate: float,
        momentum: float = 0.95,
        decay: float = 0.01,
    ) -> None:
        shapes: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for parameter in parameters:
            shapes[parameter.shape].append(parameter)
        self._groups = list(shapes.values())
        self.parameters = [parameter for group in self._groups for parameter in group]
        self.rate, self.momentum, self.decay = rate, momentum, decay
        self.buffers = [torch.zeros(len(group), *group[0].shape) for group in self._groups]

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Apply the gradients at `factor` times the rate."""
        rate = self.rate * factor
        for group, buffer in zip(self._groups, self.buffers, strict=True):
            gradients = torch.stack([p.grad for p in group if p.grad is not None])
            buffer.mul_(self.momentum).add_(gradients)
            updates = orthogonal((gradients + self.momentum * buffer).bfloat16()).float()
            stretch = max(1.0, buffer.shape[-2] / buffer.shape[-1]) ** 0.5
            for parameter, update in zip(group, updates, strict=True):
                parameter.mul_(1 - rate * self.decay).add_(update, alpha=-rate * stretch)
