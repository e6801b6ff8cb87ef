"""Chains of one family of problems, drawn once, from which every cap and every width is read off.

A chain that is cut before its answer abstains, so a cut needs no further decoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workspan.claims.base import Setting
from workspan.claims.measures import Floats
from workspan.errors import InputError
from workspan_evidence.families.base import Family, Verdict

if TYPE_CHECKING:
    from workspan_evidence.reasoner.model import Model

LIMIT = 240
"""Tokens of a chain, at most."""
ENDING = 2
"""Tokens of ``= answer``, which a cut chain is charged too."""


@dataclass(frozen=True)
class Chains:
    """Chains of many problems: arrays [problem, chain]."""

    moves: NDArray[np.int64]
    """Tokens before the answer."""
    votes: NDArray[np.int8]
    """1 right, -1 wrong, 0 none: abstained, or never came to an end."""

    @property
    def problems(self) -> int:
        """How many."""
        return len(self.moves)

    def votes_at(self, cap: int) -> NDArray[np.int8]:
        """Return the votes of chains that are cut at `cap` tokens."""
        return np.where(self.moves <= cap, self.votes, np.int8(0))

    def costs_at(self, cap: int) -> NDArray[np.int64]:
        """Return the tokens that they decode, the ending included."""
        return np.minimum(self.moves, cap) + ENDING


def ideal(family: Family[Any], problems: int, chains: int, setting: Setting) -> Chains:
    """Draw chains of the strategy that the reasoner was taught, by a program: simulated."""
    rng = Random(f"evaluation:{family}:{setting.seed}")
    verdicts = []
    for problem in [family.problem(rng) for _ in range(problems)]:
        drawn = (family.chain(problem, rng).ids for _ in range(chains))
        verdicts.append([family.check(problem, ids) for ids in drawn])
    return _chains(verdicts)


def trained(
    family: Family[Any],
    problems: int,
    chains: int,
    setting: Setting,
    *,
    limit: int = LIMIT,
    weights: str = "graphs",
) -> Chains:
    """Draw chains of the reasoner itself, on the problems that `ideal` draws too.

    Args:
        family: what the problems are.
        problems: how many.
        chains: for each.
        setting: which training run, and the seed.
        limit: the largest cap that will be asked for.
        weights: by the name of their recipe.
    """
    from workspan_evidence.reasoner.evaluation import judge

    model = reasoner(weights, setting)
    with one_thread():
        judged = judge(
            model,
            family,
            problems=problems,
            chains=chains,
            limit=limit + ENDING,
            min_p=model.shape.min_p,
            seed=setting.seed,
        )
    return _chains([one.verdicts for one in judged])


def reasoner(name: str, setting: Setting) -> Model:
    """Load a recipe's weights from the training run that a setting names, or the package.

    Raises:
        InputError: that run has none of them.
    """
    from workspan_evidence.reasoner.catalogue import find
    from workspan_evidence.reasoner.model import Model

    if setting.weights is None:
        return Model.load(find(name))
    file = setting.weights / f"{name}.safetensors"
    if not file.is_file():
        raise InputError(f"--weights {setting.weights}: a folder with {file.name} is asked for")
    return Model.load(file)


def one_thread() -> AbstractContextManager[object]:
    """Keep the linear algebra of small matrices from waiting for a second thread."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


def accuracy(votes: NDArray[np.int8], width: int) -> Floats:
    """Return for each problem how often a vote of `width` chains is right.

    Abstentions are no votes; a tie, or no vote at all, is a fair coin. The chains of a problem are
    dealt into as many votes as they give.
    """
    problems, chains = votes.shape
    n = chains // width
    if not n:
        raise ValueError(f"a vote of {width} needs more than the {chains} chains drawn")
    dealt = votes[:, : n * width].reshape(problems, n, width)
    right: Floats = ((np.sign(dealt.sum(axis=2, dtype=np.int64)) + 1) / 2).mean(axis=1)
    return right


def found(votes: NDArray[np.int8], width: int) -> Floats:
    """Return for each problem how often one of `width` chains is right: a perfect verifier."""
    problems, chains = votes.shape
    dealt = votes[:, : chains // width * width].reshape(problems, -1, width)
    share: Floats = (dealt == 1).any(axis=2).mean(axis=1)
    return share


def _chains(verdicts: Sequence[Sequence[Verdict]]) -> Chains:
    moves = np.array([[one.moves for one in row] for row in verdicts])
    votes = [[_vote(one) for one in row] for row in verdicts]
    return Chains(moves, np.array(votes, dtype=np.int8))


def _vote(verdict: Verdict) -> int:
    if verdict.answer is None:
        return 0
    return 1 if verdict.correct else -1
