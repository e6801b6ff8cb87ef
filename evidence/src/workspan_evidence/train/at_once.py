"""The control that answers at once: how it learns to look along edges that it doesn't write.

From labels alone two edges are not learnt. So it begins with the weights that follow one edge a
token, frozen, and layers on top of them learn to be two edges on at every token of a walk; these
are frozen in turn, and more layers learn three. All these frozen, the last ones learn to choose
between the two candidates at once, from labels, near and far. (If all layers may learn, what can't
be answered at once undoes what can.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from random import Random

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from workspan_evidence.audit.planted import Drawn
from workspan_evidence.families.connectivity import Bridge, Deep, Path
from workspan_evidence.families.graph import GraphInstance
from workspan_evidence.families.heavy import Heavy
from workspan_evidence.families.leaps import Leaps
from workspan_evidence.train.loop import Run, begin, prepare
from workspan_evidence.train.network import Network
from workspan_evidence.train.recipe import Recipe, Share

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

_CHOICE = replace(
    GRAPHS_THREE, name="graphs-direct", shares=(), opening=(), steps=300, layers=16, frozen=12
)


def train_at_once(start: FilePath, planted: Callable[[Drawn], Drawn] = lambda f: f) -> Run:
    """Train the last layers to prefer the right one of the two candidates, from labels.

    Half of the problems are near, half far. What is learnt is the choice between the two alone:
    that it is one of the two need not be learnt, and so does not drown what is.

    Args:
        start: the weights `graphs-three`.
        planted: puts a leak into a family: the positive control.
    """
    torch.manual_seed(_CHOICE.seed)
    run = Run(_CHOICE, Network(_CHOICE), opened=0)
    begin(run.network, load_file(start))
    optimisers = prepare(run)
    while not run.is_over:
        rng = Random(f"{_CHOICE.name}:{_CHOICE.seed}:{run.step}")
        size = planted(rng.choice(rng.choice((NEAR, FAR))))
        first = size.problem(rng)
        more = _CHOICE.tokens // len(first.prompt) - 1
        choices = _choices(run.network, [first, *(size.problem(rng) for _ in range(more))])
        right = torch.zeros(len(choices), dtype=torch.long)
        functional.cross_entropy(choices, right).backward()  # type: ignore[no-untyped-call]
        optimisers.apply(_CHOICE.rate(run.step, run.progress), _CHOICE)
        run.step += 1
    return run


def _choices(network: Network, problems: Sequence[GraphInstance]) -> Tensor:
    """Return the logits of the answer and the decoy right behind the prompt: [problems, 2]."""
    tokens = torch.tensor([problem.prompt for problem in problems])
    length = tokens.shape[1]
    positions = torch.arange(length).expand_as(tokens)
    mask = torch.full((length, length), -30000.0).triu(1)[None, None]
    with torch.autocast("cpu", torch.bfloat16):
        said = network(tokens, positions, mask.bfloat16(), positions == length - 1)
    pairs = torch.tensor([[problem.answer, problem.decoy] for problem in problems])
    return said.float().gather(1, pairs)


@torch.no_grad()
def right_at_once(network: Network, size: Drawn, problems: int, rng: Random) -> int:
    """Return in how many fresh problems the right candidate is the likelier next token."""
    right, left = 0, problems
    while left:
        drawn = [size.problem(rng) for _ in range(min(left, 50))]
        answer, decoy = _choices(network, drawn).unbind(1)
        right += int((answer > decoy).sum())
        left -= len(drawn)
    return right
