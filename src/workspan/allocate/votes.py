"""When whole samples are drawn and voted on: is one more worth its price?

What a vote over the full width would say is what a sample buys; the vote shapes of other problems
say how likely the leader still changes. Their samples are shuffled many times, and the rule is
found by backward induction over (samples, votes of the leader, votes of the runner-up): go on where
the expected rise of P(the leader is what the full width elects), less the price of every further
sample, is above zero. That is optimal stopping under the empirical prior of Huang, Ma and Zhou
2026 (arXiv:2602.05395), solved by regression on simulated runs (Longstaff and Schwartz 2001). It
needs no label. A vote that hardly settles is followed only as far as a sample tells more than its
price.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from workspan.allocate.library import Library
from workspan.allocate.state import NONE, Decision, State
from workspan.search.stopping import ShapePrior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

PRICE = 0.005
"""P(the full width's answer) that a sample must be worth where nobody says otherwise."""
_RUNS = 20_000
_EXACT = 24
"""Samples from which on counts are told apart in steps of two; of twice as many, of three."""
_LIKE_IT = 1.0
"""Problems' worth of runs that a state borrows from those of the same lead."""


class Outlook(NamedTuple):
    """What is known of a state of the vote."""

    belief: float
    """P(the leader is what the full width elects)."""
    gain: float
    """Expected rise of it by going on; 0 where going on is not worth the price."""
    more: float
    """Expected samples for that gain."""


class Votes(NamedTuple):
    """Shuffled samples of problems and how their vote stood after each; arrays [run, sample]."""

    problem: Ints
    """[run]"""
    order: Ints
    lead: Ints
    """The leading group, the first to be drawn of equals; `NONE` without answers."""
    first: Ints
    second: Ints
    agrees: NDArray[np.bool_]
    """The leader is the last one."""


@dataclass(frozen=True, slots=True)
class VoteShapes:
    """The samples of problems sampled before, as groups [problem, sample]; no label."""

    groups: Ints
    tokens: float = 0.0
    """Of a sample, mean; 0 where unknown."""

    @classmethod
    def of_library(cls, library: Library) -> VoteShapes:
        """Take each line's last answer; every problem gives as many as the one with fewest.

        Raises:
            ValueError: no problem has two lines.
        """
        cases = [case for case in library.problems if len(case.lines) > 1]
        if not cases:
            raise ValueError("a library without two lines of a problem shows no vote")
        n = min(len(case.lines) for case in cases)
        groups = [[line.groups[-1] for line in case.lines[:n]] for case in cases]
        tokens = fmean(line.depths[-1] for case in cases for line in case.lines)
        return cls(np.array(groups), tokens)

    @classmethod
    def broad(cls, width: int, seed: int = 0) -> VoteShapes:
        """Simulate problems of the broad prior of `ShapePrior`, for when nothing is known.

        What a shape leaves out of 1 are answers that are given once.
        """
        rng = np.random.default_rng(seed)
        rows = []
        for shape in ShapePrior.broad().shapes * 2:
            rest = max(0.0, 1 - sum(shape))
            p = np.array([*shape, rest])
            drawn = rng.choice(len(p), size=width, p=p / p.sum())
            rows.append(np.where(drawn < len(shape), drawn, len(shape) + np.arange(width)))
        return cls(np.stack(rows))

    @property
    def width(self) -> int:
        """Samples of a problem."""
        return int(self.groups.shape[1])

    def shuffled(self, runs: int = _RUNS, seed: int = 0) -> Votes:
        """Draw every problem's samples in random orders, about `runs` in all, and count."""
        n, width = self.groups.shape
        problem = np.repeat(np.arange(n), max(2, runs // n))
        order = np.random.default_rng(seed).random((len(problem), width)).argsort(axis=1)
        return count(self.groups, problem, order)


def count(groups: Ints, problem: Ints, order: Ints) -> Votes:
    """Count votes sample by sample; those without an answer do not vote."""
    rows, width = np.arange(len(problem)), order.shape[1]
    kinds = max(2, int(groups.max()) + 1)
    scale = width + 1
    counts = np.zeros((len(problem), kinds), np.int32)  # votes * scale, less the place of the first
    lead, first, second = (np.zeros(order.shape, np.int64) for _ in range(3))
    for i in range(width):
        drawn = groups[problem, order[:, i]]
        voting = np.flatnonzero(drawn != NONE)
        said = drawn[voting]
        counts[voting, said] += scale - np.where(counts[voting, said] == 0, i + 1, 0)
        top = counts.argmax(axis=1)
        best = counts[rows, top]
        counts[rows, top] = -1
        runner = counts.max(axis=1)
        counts[rows, top] = best
        lead[:, i] = np.where(best > 0, top, NONE)
        first[:, i], second[:, i] = (-(-np.maximum(x, 0) // scale) for x in (best, runner))
    return Votes(problem, order, lead, first, second, lead == lead[:, -1:])


def _key(n: int, first: Ints | int, second: Ints | int) -> Ints:
    """Return which votes are alike after n samples."""
    step = 1 + n // _EXACT
    return cast("Ints", np.asarray(first) // step * 4096 + np.asarray(second) // step)


@dataclass(frozen=True, slots=True)
class VoteRule:
    """Draw one sample after another until none is worth its price. A `Policy`."""

    table: tuple[Mapping[int, Outlook], ...]
    """After 1, 2, … samples: the outlook of each kind of vote."""
    leads: tuple[Sequence[Outlook], ...]
    """The same by the leader's lead alone, for votes that never came up."""
    floor: float = 0.0
    """Abstain below it."""
    confidence: float = inf
    """Stop from it on, whatever more would bring."""
    width: int = 1
    """Samples at the start, drawn side by side."""

    def outlook(self, n: int, first: int, second: int) -> Outlook:
        """Return what is known after n samples, `first` and `second` of them for the leaders."""
        if n > len(self.table):
            n = len(self.table)
        leads = self.leads[n - 1]
        found = self.table[n - 1].get(int(_key(n, first, second)))
        return found or leads[min(first - second, len(leads) - 1)]

    def decide(self, state: State) -> Decision:
        """Choose what to do next; lines that are open are let end first."""
        votes = Counter(line.group for line in state.lines if line.ended and line.group != NONE)
        (leader, first), (_, second) = [*votes.most_common(2), (NONE, 0), (NONE, 0)][:2]
        n = len(state.lines)
        now = self.outlook(n, first, second) if n else Outlook(0.0, 1.0, 1.0)
        belief = now.belief if leader != NONE else 0.0
        each = fmean(line.depth + line.cost_of_looks for line in state.lines) if n else 0.0
        told: dict[str, float | str] = {"leader": first, "second": second, "samples": n}
        room = min(x for x in (state.work_left, state.span_left, 1 << 40) if x is not None)
        live = tuple(i for i, line in enumerate(state.lines) if not line.ended)
        if live and room >= len(live):
            block = room // len(live)
            return Decision("deepen", live, 0, block, leader, belief, why=told)
        is_worth = now.gain > 0 and belief < self.confidence and n < len(self.table)
        if is_worth and room > 0 and room >= each:
            more = 1 if n else self.width
            more = max(1, min(more, len(self.table) - n, room))
            cost = now.more * each
            return Decision("widen", (), more, room // more, leader, belief, now.gain, cost, told)
        told["because"] = "the budget is spent" if is_worth else "no sample is worth its price"
        ends = leader == NONE or belief < self.floor
        return Decision("abstain" if ends else "stop", leader=leader, confidence=belief, why=told)


def settled(votes: Votes, price: float = PRICE) -> VoteRule:
    """Find the rule for a price by backward induction over shuffled samples.

    Args:
        votes: of other problems than those that the rule will run on.
        price: P(the full width's answer) that a sample must be worth, at least 0.
    """
    runs, width = votes.lead.shape
    agrees = votes.agrees.astype(float)
    borrowed = _LIKE_IT * runs / max(1, len(np.unique(votes.problem)))
    won, more = agrees[:, -1], np.zeros(runs)
    tables: list[dict[int, Outlook]] = []
    leads: list[list[Outlook]] = []
    for i in range(width - 1, -1, -1):
        now = agrees[:, i]
        key = _key(i + 1, votes.first[:, i], votes.second[:, i])
        lead = votes.first[:, i] - votes.second[:, i]
        kinds, place = np.unique(key, return_inverse=True)
        size = np.bincount(place)
        of = np.zeros(len(kinds), np.int64)
        of[place] = lead
        seen = np.bincount(lead)
        if i < width - 1:
            more = more + 1
        means = []
        for values in (now, won - now, more):
            parent = np.bincount(lead, values) / np.maximum(1, seen)
            own = (np.bincount(place, values) + borrowed * parent[of]) / (size + borrowed)
            means.append((own, parent))
        found = _outlooks([own for own, _ in means], price)
        tables.append(dict(zip(kinds.tolist(), found, strict=True)))
        leads.append(_outlooks([parent for _, parent in means], price))
        goes = np.array([one.gain > 0 for one in found])[place]
        won, more = np.where(goes, won, now), np.where(goes, more, 0.0)
    return VoteRule(tuple(tables[::-1]), tuple(leads[::-1]))


def _outlooks(means: Sequence[Floats], price: float) -> list[Outlook]:
    belief, gain, more = means
    is_worth = (gain > price * more) & (more > 0)
    columns = (belief, np.where(is_worth, gain, 0.0), np.where(is_worth, more, 0.0))
    return [Outlook(*row) for row in np.stack(columns, axis=1).tolist()]


def stops(rule: VoteRule, votes: Votes) -> Ints:
    """Return after how many samples the rule stops on each run; for judging it."""
    runs, width = votes.lead.shape
    found = np.full(runs, width)
    going = np.arange(runs)
    for i in range(min(width, len(rule.table))):
        pairs = votes.first[going, i] * 4096 + votes.second[going, i]
        kinds, place = np.unique(pairs, return_inverse=True)
        outlooks = (rule.outlook(i + 1, *divmod(kind, 4096)) for kind in kinds.tolist())
        rests = np.array([one.gain <= 0 for one in outlooks])[place]
        found[going[rests]] = i + 1
        going = going[~rests]
        if not len(going):
            break
    return found


def votes_rule(
    library: Library | None, price: float = PRICE, floor: float = 0.0, width: int = 40
) -> VoteRule:
    """Make the rule of a library, or a cold one for `width` samples."""
    shapes = VoteShapes.of_library(library) if library else VoteShapes.broad(width)
    return replace(settled(shapes.shuffled(), price), floor=floor)
