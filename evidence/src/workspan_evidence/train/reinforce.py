"""REINFORCE on one format: the right answer is the reward, and nothing else.

The gradient is the plain one: a chain's log-probability, summed over its tokens, times its reward
less the mean of the other chains of its problem (leave one out; Kool et al. 2019). No division by
length or by a standard deviation, no clipping, no penalty, so nothing but being right favours
either strategy. Chains are drawn in float32 without `min_p`; the gradient is computed in bfloat16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workspan_evidence.families.formats import Asked, Exits, ExitsInstance, strategy
from workspan_evidence.reasoner.chain import Chain
from workspan_evidence.reasoner.model import Model, Shape
from workspan_evidence.reasoner.sampling import Sampling
from workspan_evidence.reasoner.shared_prefix import SharedPrefix, decode
from workspan_evidence.train.batch import Batch
from workspan_evidence.train.formats import FORMATS
from workspan_evidence.train.network import Network

Drawn = list[tuple[ExitsInstance, list[tuple[int, ...]]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is reinforced, and for how long."""

    asked: Asked
    seed: int
    """Draws the same facts, and the same numbers for the chains, in every format."""
    steps: int
    d: int
    limit: int
    """Tokens of a chain, at most; one that is cut before its answer is not right."""
    problems: int = 16
    """In a step."""
    chains: int = 8
    """For each problem."""
    rate: float = 3e-4
    """Adam's, constant."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the chains of one step were like."""

    right: float
    breadth: float
    """Share of breadth-first chains."""
    tokens: float


def network_of(shape: Shape, tensors: Mapping[str, NDArray[Any]]) -> Network:
    """Return a network to be changed that begins with some weights."""
    sizes = {name: getattr(shape, name) for name in ("d", "layers", "heads", "ff")}
    network = Network(replace(FORMATS, **sizes))
    network.load_state_dict(
        {name: torch.from_numpy(value.astype(np.float32)) for name, value in tensors.items()}
    )
    return network


def model_of(network: Network, shape: Shape) -> Model:
    """Return what decodes with a network's weights as they are now."""
    return Model(shape, {name: p.detach().numpy() for name, p in network.named_parameters()})


def advantages(rewards: list[float]) -> list[float]:
    """Return each reward less the mean of the others."""
    total, n = sum(rewards), len(rewards)
    return [reward - (total - reward) / (n - 1) for reward in rewards]


def reinforce(plan: Plan, network: Network, shape: Shape) -> list[Look]:
    """Change a network; return what its chains were like at each step.

    Args:
        plan: what to do.
        network: the weights to begin with.
        shape: their sizes.
    """
    family = Exits(plan.d, plan.asked)
    adam = torch.optim.Adam(network.parameters(), plan.rate, betas=(0.9, 0.95))
    looks = []
    for step in range(plan.steps):
        drawn = _draw(plan, step, family, network, shape)
        rewards = [[float(family.check(p, ids).correct) for ids in group] for p, group in drawn]
        batch, weights = _batch(drawn, [advantages(group) for group in rewards])
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(
                batch.tokens, batch.positions, batch.mask(torch.bfloat16), batch.learnt
            )
        said = torch.log_softmax(logits.float(), -1).gather(1, batch.targets)[:, 0]
        loss = -(torch.tensor(weights) * said).sum() / (plan.problems * plan.chains)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        looks.append(_look(drawn, rewards))
    return looks


def _draw(plan: Plan, step: int, family: Exits, network: Network, shape: Shape) -> Drawn:
    """Draw chains from what the network is now."""
    model = model_of(network, shape)
    rng = Random(f"reinforce:{plan.seed}:{step}")
    problems = [family.problem(rng) for _ in range(plan.problems)]
    groups = [
        [Chain(rng.getrandbits(62), plan.limit) for _ in range(plan.chains)] for _ in problems
    ]
    prefixes = [
        SharedPrefix(model, model.read(problem.prompt), Sampling(), group)
        for problem, group in zip(problems, groups, strict=True)
    ]
    decode(model, prefixes, plan.limit)
    return [
        (problem, [tuple(chain.tokens) for chain in group])
        for problem, group in zip(problems, groups, strict=True)
    ]


def _batch(drawn: Drawn, gains: list[list[float]]) -> tuple[Batch, list[float]]:
    """Put each problem's chains behind its prompt; return what each drawn token weighs too."""
    rows: list[list[tuple[int, int, int, int]]] = []  # token, position, segment, target or -1
    weights: list[float] = []
    for (problem, group), gained in zip(drawn, gains, strict=True):
        *prompt, first = problem.prompt
        row = [(symbol, i, 0, -1) for i, symbol in enumerate(prompt)]
        for k, (ids, gain) in enumerate(zip(group, gained, strict=True), 1):
            pairs = zip((first, *ids[:-1]), ids, strict=True)
            row += [(symbol, len(prompt) + i, k, to) for i, (symbol, to) in enumerate(pairs)]
            weights += [gain] * len(ids)
        rows.append(row)
    length = max(map(len, rows))
    cells = torch.tensor([row + [(0, 0, -1, -1)] * (length - len(row)) for row in rows])
    tokens, positions, segments, targets = cells.unbind(-1)
    learnt = targets >= 0
    probes = torch.zeros_like(learnt)
    return Batch(tokens, positions, segments, probes, learnt, targets[learnt][:, None]), weights


def _look(drawn: Drawn, rewards: list[list[float]]) -> Look:
    counts = [strategy(ids) for _, group in drawn for ids in group]
    right = [reward for group in rewards for reward in group]
    return Look(
        round(sum(right) / len(right), 4),
        round(sum(count.is_breadth_first for count in counts) / len(counts), 4),
        round(sum(count.tokens for count in counts) / len(counts), 2),
    )
