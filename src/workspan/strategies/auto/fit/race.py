"""Races on a profile's own chains: all side by side, looked at together after every block.

Many runs go block by block at once, as in `replayed`, but here what a run has seen hangs on all of
its chains: an answer that chains said and left speaks against itself. So each block is laid out in
turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workspan.errors import MissingDependency
from workspan.strategies.auto.fit.replayed import Draws, Grown, Replayed, Shape, draw, worth
from workspan.strategies.auto.fit.table import Table
from workspan.strategies.auto.policies.evidence import sigmoid
from workspan.strategies.auto.policies.state import NONE
from workspan.strategies.auto.policies.support import (
    ANSWER_PRIOR,
    LEADER_PRIOR,
    Answers,
    Leavers,
    Said,
    Support,
    weigh,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_WIDTHS = (4, 8, 16, 32, 64)
"""Of the races that the support is learnt on."""
_TIMES = 2
"""Orders of a problem's chains for each of them."""
_EVERY = 4
"""Blocks from one moment that is learnt on to the next."""
_ANSWER_PROBLEM, _LEADER_PROBLEM = 6.0, 10.0
"""Observations that a problem counts for: its moments are not independent."""
_ANSWER_PULL = (2.0, 2.0, 2.0, 4.0, 4.0, 0.1)
_LEADER_PULL = (0.5, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Toward the priors: one over their variance."""


class Moment(NamedTuple):
    """All runs after some blocks; arrays [run]."""

    said: Said
    tokens: Ints
    probes: Ints
    blocks: int
    """That the first chains have grown by."""
    begun: Ints
    n_open: Ints
    is_over: Bools
    """No chain can grow, and none will join."""


def moments(table: Table, draws: Draws, shape: Shape) -> Iterator[Moment]:
    """Yield all runs after each block, until all are over; `draws` say of how many chains."""
    order = draws.order
    problem, most = draws.problem[:, None], order.shape[1]
    joins = [shape.width + i * (shape.joins or 0) for i in range(table.steps + most + 1)]
    start = np.searchsorted(joins, np.arange(most), side="right")
    if not shape.joins:
        order, start, most = order[:, : shape.width], start[: shape.width], min(shape.width, most)
    tokens, ended = table.tokens[problem, order], table.ended[problem, order]
    stride = shape.block // table.block
    last = -(-tokens // table.block)
    leavers, step = Leavers(len(order), most), 0
    while True:
        step += 1
        age = np.maximum(0, step - start) * stride
        depth = np.minimum(age * table.block, np.minimum(tokens, shape.cap))
        column = np.where(depth >= tokens, last, np.minimum(age, table.steps))
        at = (problem, order, np.where(depth >= shape.cap, depth // table.block, column))
        group, is_end = table.group[at], (depth >= tokens) & (depth > 0)
        leavers.see(group)
        said = Said(group, is_end & ended, depth, table.since[at], leavers.left)
        probes = np.minimum(age // stride, -(-depth // shape.block) - is_end).sum(axis=1)
        is_open = (depth < np.minimum(tokens, shape.cap)) & (depth > 0)
        begun = (depth > 0).sum(axis=1)
        spent = (depth.sum(axis=1), np.maximum(probes, 0), step)
        is_over = ~is_open.any(axis=1) & (begun == most)
        yield Moment(said, *spent, begun, is_open.sum(axis=1), is_over)
        if is_over.all():
            return


def run_race(
    table: Table, support: Support, draws: Draws, shape: Shape, *, enough: float = -1.0
) -> Replayed:
    """Play every run until its chains are used up, or going on is worth less than `enough`."""
    truth = right_groups(table)
    columns: list[tuple[NDArray[Any], ...]] = []
    is_over = np.zeros(len(draws.order), bool)
    for now in moments(table, draws, shape):
        leaders, belief = support.of(now.said)
        right = truth[draws.problem, leaders] & (leaders != NONE)
        depth = now.said.depth.sum(axis=1) / now.begun
        value = worth(belief, now.begun - now.n_open, depth, support.scale)
        blocks = np.full(len(right), now.blocks)
        told = (now.begun, right, belief, value, ~is_over)
        columns.append((now.tokens, now.probes, blocks, *told))
        is_over = is_over | now.is_over | (value < enough)
        if is_over.all():
            break
    *each, there = (np.stack(one, axis=1) for one in zip(*columns, strict=True))
    tokens, probes, blocks, begun, right, belief, value = (one[there] for one in each)
    sizes = there.sum(axis=1)
    starts = sizes.cumsum() - sizes
    step = np.broadcast_to(np.arange(there.shape[1]), there.shape)[there]
    none = np.zeros((len(step), 0))
    grown = Grown(tokens, probes, blocks, table.asked, shape.block + table.asked)
    return Replayed(starts, step, grown, begun, right, belief, value, none)


def right_groups(table: Table) -> Bools:
    """Return which answers are right [problem, group]; the last column stands for none."""
    truth = np.zeros((len(table.group), int(table.group.max(initial=0)) + 2), bool)
    for row, group, right in zip(truth, table.group, table.right, strict=True):
        row[group[right]] = True
    truth[:, -1] = False
    return truth


class Seen(NamedTuple):
    """Answers of some runs, to learn from."""

    answers: Answers
    right: Bools
    """[answer]"""
    runs: int


class _Moment(NamedTuple):
    """A moment of some runs, laid out to learn from."""

    said: Said
    seen: Seen
    problem: Ints
    """[run]"""


def learn_support(table: Table, seed: int = 0) -> Support:
    """Fit what chains side by side are worth, on races of a few widths; else it is the prior."""
    seen = [one for width in _widths(table) for one in _seen(table, width, seed)]
    if not seen:  # too few chains for any
        return Support(table.scale, ANSWER_PRIOR, LEADER_PRIOR)
    truth = right_groups(table)
    answer = fit_answers([one.seen for one in seen], len(table.tokens))
    known = Support(table.scale, answer)
    told, right = [], []
    for one in seen:
        leaders, features = known.leading(one.said, one.seen.answers)
        told.append(features[leaders != NONE])
        right.append(truth[one.problem, leaders][leaders != NONE])
    loss = _leader_loss(np.concatenate(told), np.concatenate(right))
    leader = _fit(loss, np.array(LEADER_PRIOR), np.array(_LEADER_PULL), len(table.tokens))
    return Support(table.scale, answer, leader)


def _widths(table: Table) -> list[int]:
    return [width for width in _WIDTHS if width <= table.tokens.shape[1]]


def _seen(table: Table, width: int, seed: int) -> Iterator[_Moment]:
    draws = draw(table, _TIMES, width, seed)
    truth = right_groups(table)
    shape = Shape(width, int(table.tokens.max()), table.block, joins=0)
    stride = max(1, round(_EVERY * table.scale / table.block / 32))
    for step, now in enumerate(moments(table, draws, shape)):
        if step % stride == 2 % stride:
            said = now.said._replace(left=now.said.left.copy())
            answers = weigh(said)
            right = truth[draws.problem[answers.run], answers.group]
            yield _Moment(said, Seen(answers, right, len(draws.problem)), draws.problem)


def fit_answers(seen: Sequence[Seen], problems: int) -> tuple[float, ...]:
    """Fit what speaks for an answer, as `Support.answer` has it, to runs on so many problems."""
    return _fit(_answer_loss(seen), np.array(ANSWER_PRIOR), np.array(_ANSWER_PULL), problems)


def _answer_loss(seen: Sequence[Seen]) -> Callable[[Floats], tuple[float, Floats]]:
    """Return the loss of weights: of a softmax over the answers of a run and "none of them"."""
    sizes = [one.runs for one in seen]
    before = np.cumsum([0, *sizes])
    runs = int(before[-1])
    run = np.concatenate([one.answers.run + at for one, at in zip(seen, before, strict=False)])
    features = np.concatenate([one.answers.features for one in seen])
    right = np.concatenate([one.right for one in seen])
    has = np.bincount(run, right, runs) > 0
    weight = _ANSWER_PROBLEM / runs

    def loss(beta: Floats) -> tuple[float, Floats]:
        odds, none = np.clip(features @ beta[:-1], -30, 30), np.exp(np.clip(beta[-1], -30, 30))
        each = np.exp(odds)
        total = np.bincount(run, each, runs) + none
        hit = np.where(has, np.bincount(run, each * right, runs), none)
        slope = each * right / hit[run] * has[run] - each / total[run]
        missed = (~has - none / total).sum()
        return -weight * float(np.log(hit / total).sum()), -weight * np.append(
            slope @ features, missed
        )

    return loss


def _leader_loss(features: Floats, right: Bools) -> Callable[[Floats], tuple[float, Floats]]:
    """Return the loss of a logistic regression."""
    weight = _LEADER_PROBLEM / max(1, len(features))

    def loss(beta: Floats) -> tuple[float, Floats]:
        odds = features @ beta
        value = float((np.logaddexp(0, odds) - right * odds).sum())
        return weight * value, weight * (features.T @ (sigmoid(odds) - right))

    return loss


def _fit(
    loss: Callable[[Floats], tuple[float, Floats]], prior: Floats, pull: Floats, n_problems: int
) -> tuple[float, ...]:
    """Minimise a mean loss a problem, pulled to a prior where data are few."""
    try:
        from scipy.optimize import minimize  # it takes longer to import than all the rest
    except ImportError:
        raise MissingDependency("a calibration profile", "lab") from None

    def whole(beta: Floats) -> tuple[float, Floats]:
        value, slope = loss(beta)
        away = beta - prior
        return n_problems * value + float(pull @ away**2) / 2, n_problems * slope + pull * away

    found = minimize(whole, prior, jac=True, method="L-BFGS-B", options={"maxiter": 100})
    return tuple(float(x) for x in found.x)
