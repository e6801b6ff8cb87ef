"""What trained weights can do on a family of problems, one value a problem and measure.

Chains are sampled to their natural end once; every cap is then read off the same chains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from workspan_evidence.families.base import Family, Instance, Verdict, split_answer
from workspan_evidence.families.graph import GraphInstance
from workspan_evidence.grammar import ABSTAIN, ANSWER
from workspan_evidence.reasoner.chain import Chain
from workspan_evidence.reasoner.model import Context, Model
from workspan_evidence.reasoner.sampling import Sampling, logprobs
from workspan_evidence.reasoner.shared_prefix import SharedPrefix, decode

TOGETHER = 256
"""Chains in one batch; a problem's stay together."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A problem, and what became of its chains."""

    instance: Instance
    context: Context
    """The prompt, read."""
    chains: tuple[tuple[int, ...], ...]
    verdicts: tuple[Verdict, ...]

    @property
    def accuracy(self) -> float:
        """Share of chains with the right answer."""
        return self._share([verdict.correct for verdict in self.verdicts])

    @property
    def wrong(self) -> float:
        """Share of chains that commit to a wrong answer."""
        return self._share([v.answer is not None and not v.correct for v in self.verdicts])

    @property
    def legal(self) -> float:
        """Share of chains without a step that the problem forbids."""
        return self._share([verdict.legal for verdict in self.verdicts])

    @property
    def tokens(self) -> float:
        """Mean tokens before ``=``."""
        return sum(verdict.moves for verdict in self.verdicts) / len(self.verdicts)

    def found(self, cap: int) -> float:
        """Share of chains whose legal steps prove the right answer within `cap` tokens."""
        return self._share([v.found and v.moves <= cap for v in self.verdicts])

    def _share(self, outcomes: Sequence[bool]) -> float:
        return sum(outcomes) / len(outcomes)


def judge(
    model: Model,
    family: Family[Any],
    *,
    problems: int,
    chains: int,
    limit: int,
    min_p: float,
    seed: int = 0,
) -> list[Judged]:
    """Sample `chains` chains, of at most `limit` tokens, for each of fresh problems.

    Temperature is 1. The seed draws the problems too: they are not those of training, whose seeds
    name a recipe.
    """
    rng = Random(f"evaluation:{family}:{seed}")
    instances = [family.problem(rng) for _ in range(problems)]
    width = max(1, TOGETHER // chains)
    judged: list[Judged] = []
    for begin in range(0, problems, width):
        prefixes, groups = [], []
        for i, instance in enumerate(instances[begin : begin + width], begin):
            group = [Chain((seed << 40) + (i << 20) + k, limit) for k in range(chains)]
            context = model.read(instance.prompt)
            prefixes.append(SharedPrefix(model, context, Sampling(min_p=min_p), group))
            groups.append((instance, context, group))
        decode(model, prefixes, limit)
        for instance, context, group in groups:
            ids = tuple(tuple(chain.tokens) for chain in group)
            verdicts = tuple(family.check(instance, chain) for chain in ids)
            judged.append(Judged(instance, context, ids, verdicts))
    return judged


def abstains(model: Model, judged: Judged, rng: Random, cuts: int = 2) -> float:
    """Return the mean probability of ``= ?`` where chains are made to answer too early.

    Args:
        model: what drew the chains.
        judged: a problem whose chains are cut at random, before their last step.
        rng: draws chains and cuts.
        cuts: how many; the first is right behind the prompt.
    """
    total = 0.0
    for i in range(cuts):
        steps, _ = split_answer(rng.choice(judged.chains))
        cut = rng.randrange(max(len(steps), 1)) if i else 0
        read = model.read((*steps[:cut], ANSWER), judged.context)
        total += float(np.exp(logprobs(read.logits)[0, ABSTAIN]))
    return total / cuts


def first_fork(judged: Judged) -> tuple[float, ...]:
    """Return the share of each child in the model's first step; equal shares are the ideal."""
    instance = judged.instance
    if not isinstance(instance, GraphInstance):
        raise TypeError("only a graph has forks")
    children = list(instance.rows[instance.source])
    weights = np.exp(logprobs(judged.context.logits)[0, children])
    return tuple((weights / weights.sum()).tolist())
