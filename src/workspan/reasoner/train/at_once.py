"""The control that answers at once: how it learns to look along edges that it doesn't write.

From labels alone two edges are not learnt. So it begins with the weights that follow one edge a
token, frozen, and layers on top of them learn to be two edges on at every token of a walk; these
are frozen in turn, and more layers learn three. Then all of it learns to answer at once, from
labels, at every size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import torch

from workspan.reasoner.families.at_once import AtOnce, Leaps
from workspan.reasoner.families.connectivity import Bridge, Deep, Path
from workspan.reasoner.families.heavy import Heavy
from workspan.reasoner.planted import Drawn
from workspan.reasoner.train.network import Network
from workspan.reasoner.train.recipe import Recipe, Share

_TWO = tuple(Leaps(2, n) for n in (1, 2, 3, 4))

GRAPHS_TWO = Recipe(
    "graphs-two",
    (Share(1.0, _TWO),),
    steps=100,
    opening=_TWO,
    opened=0.15,
    layers=8,
    frozen=4,
    tokens=2000,
    chains=1,
    probes=0,
    muon_rate=0.01,
    adam_rate=1e-3,
    hold=0.0,
)
"""Two edges in one token; to begin with the weights `graphs`."""

_THREE = tuple(Leaps(3, n) for n in (1, 2, 3))

GRAPHS_THREE = replace(
    GRAPHS_TWO,
    name="graphs-three",
    shares=(Share(1.0, _THREE),),
    steps=250,
    opening=_THREE,
    opened=0.8,
    layers=12,
    frozen=8,
)
"""Three; to begin with `graphs-two`."""

NEAR: tuple[Drawn, ...] = (Path(1), Path(2), Path(3))
FAR: tuple[Drawn, ...] = (Path(4), Path(6), Path(8), Deep(4), Deep(6), Heavy(2, 2), Bridge(2))
"""What it is read at; three edges are learnt to be followed at once, and no more."""


def graphs_direct(planted: Callable[[Drawn], Drawn] = lambda family: family) -> Recipe:
    """Return the recipe that answers at once, to begin with `graphs-three`.

    Args:
        planted: puts a leak into a family: the positive control.
    """
    near, far = 0.3 / len(NEAR), 0.7 / len(FAR)
    return replace(
        GRAPHS_THREE,
        name="graphs-direct",
        shares=(
            *(Share(near, [AtOnce(planted(family))]) for family in NEAR),
            *(Share(far, [AtOnce(planted(family))]) for family in FAR),
        ),
        steps=400,
        opening=(),
        frozen=0,
        muon_rate=0.003,
        adam_rate=5e-4,
    )


@torch.no_grad()
def right_at_once(network: Network, size: Drawn, problems: int, rng: Random) -> int:
    """Return in how many fresh problems the right candidate is the likelier next token."""
    right, left = 0, problems
    while left:
        drawn = [size.problem(rng) for _ in range(min(left, 50))]
        tokens = torch.tensor([problem.prompt for problem in drawn])
        length = tokens.shape[1]
        positions = torch.arange(length).expand_as(tokens)
        mask = torch.full((length, length), -30000.0).triu(1)[None, None]
        with torch.autocast("cpu", torch.bfloat16):
            said = network(tokens, positions, mask.bfloat16(), positions == length - 1).float()
        pairs = torch.tensor([[problem.answer, problem.decoy] for problem in drawn])
        chosen = said.gather(1, pairs)
        right += int((chosen[:, 0] > chosen[:, 1]).sum())
        left -= len(drawn)
    return right
