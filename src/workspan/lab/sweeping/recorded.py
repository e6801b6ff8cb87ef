"""Recorded chains in place of a model: every number of votes from one pass over arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from workspan.answers import canonical
from workspan.core.journal import seed_for
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.lab.replay.grid import Pluralities
from workspan.lab.sweeping.nested import Family
from workspan.lab.sweeping.outcome import TrialRow, kept
from workspan.legible import legible
from workspan.recordings.engine import ReplayEngine, draw_order
from workspan.recordings.recording import Recording
from workspan.spec import parse_strategy
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.tasks.base import NO_ANSWER, Grade, Task

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

_VOTED = ("text", "math", "number", "choice")
"""Kinds whose answers are voted on by the key that they share."""


@dataclass(frozen=True, slots=True)
class AsRecorded:
    """Grades as the recording does: by its own verdicts, else by its reference."""

    recording: Recording = field(repr=False)
    chains: str
    """Hash of the recording."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer."""
        if answer is None:
            return NO_ANSWER
        return Grade(self.recording.grade(task.problem, answer))


def hash_of(recording: Recording) -> str:
    """Hash the chains of a recording: other chains are other cells."""
    told = [
        (
            name,
            [(one.depths, one.answers) for one in many],
            recording.references.get(name),
            recording.verdicts.get(name),
        )
        for name, many in sorted(recording.chains.items())
    ]
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=8).hexdigest()


class Votes(NamedTuple):
    """The chains of one problem, in the order they were recorded; arrays [chain]."""

    group: NDArray[np.int64]
    """Number of the answer, -1 for none."""
    grade: NDArray[np.float64]
    tokens: NDArray[np.int64]
    texts: tuple[str | None, ...]


@dataclass(frozen=True)
class Recorded:
    """One recording that stands for an engine."""

    recording: Recording

    def engine(self, problem: Problem, seed: int) -> ReplayEngine:
        """Return the chains of a problem as an engine that gives each once, in a seed's order."""
        held = self.recording.keep({problem.id})
        return ReplayEngine(held, order=_order(seed, problem), once=True)

    def all_chains(self) -> ReplayEngine:
        """Return all of it as an engine, to hold strategies against."""
        return ReplayEngine(self.recording)

    def tasks(self) -> dict[str, list[Task]]:
        """Return the problems of each task, in their order."""
        one = self.recording
        grader = AsRecorded(one, hash_of(one))
        found: dict[str, list[Task]] = {}
        for problem in one.problems:
            task = Task(problem, one.references.get(problem.id, ""), grader)
            found.setdefault(one.tasks.get(problem.id, "") or "recorded", []).append(task)
        return found

    def at_once(self, family: Family, tasks: Sequence[Task]) -> dict[str, list[TrialRow]] | None:
        """Vote on the first n chains of every problem, for each n of a family.

        None where a run is needed: another strategy, a budget, a cap that cuts a chain, too few
        chains, or answers that are no votes by a key.
        """
        sizes = self._sizes(family, tasks)
        if sizes is None:
            return None
        problems = [task.problem for task in tasks]
        once = self.recording.once
        votes = [once("votes", one, partial(self._votes, one)) for one in problems]
        n, seed = max(sizes), family.largest.seed
        pairs = zip(problems, votes, strict=True)
        orders = [draw_order(_order(seed, p), p.id, len(own.texts))[:n] for p, own in pairs]
        return _rows(family, sizes, problems, votes, orders)

    def _sizes(self, family: Family, tasks: Sequence[Task]) -> list[int] | None:
        """Return each cell's number of chains; None where votes alone don't tell what comes."""
        strategies = [parse_strategy(cell.strategy) for cell in family.cells]
        sizes, longest = [], self.recording.longest
        for cell, strategy in zip(family.cells, strategies, strict=True):
            if type(strategy) is not SelfConsistency or cell.budget != str(Budget()):
                return None
            if strategy.max_tokens < longest:
                return None
            sizes.append(strategy.n)
        fewest = min((len(self.recording.chains[one.problem.id]) for one in tasks), default=0)
        is_voted = all(one.problem.kind in _VOTED for one in tasks)
        return sizes if is_voted and max(sizes) <= fewest else None

    def _votes(self, problem: Problem) -> Votes:
        groups: dict[Hashable, int] = {}
        known: dict[str, tuple[int, float]] = {}
        chains = self.recording.chains[problem.id]
        texts = tuple(chain.answers[-1] for chain in chains)
        for text in texts:
            if text is not None and text not in known:
                group = groups.setdefault(canonical(text, problem.kind), len(groups))
                known[text] = group, self.recording.grade(problem, text)
        held = [(-1, 0.0) if text is None else known[text] for text in texts]
        tokens = np.array([chain.tokens for chain in chains])
        numbers, grades = np.array([n for n, _ in held]), np.array([right for _, right in held])
        return Votes(numbers, grades, tokens, texts)


def _order(seed: int, problem: Problem) -> int:
    return seed_for(seed, problem.id)


def _rows(
    family: Family,
    sizes: Sequence[int],
    problems: Sequence[Problem],
    votes: Sequence[Votes],
    orders: Sequence[Sequence[int]],
) -> dict[str, list[TrialRow]]:
    """Count the votes of all problems after each number of chains."""
    pairs = [*zip(votes, orders, strict=True)]
    group = np.stack([own.group[[*order]] for own, order in pairs])  # [problem, draw]
    grade = np.stack([own.grade[[*order]] for own, order in pairs])
    tokens = np.stack([own.tokens[[*order]] for own, order in pairs])
    lead = Pluralities.of(group, int(group.max(initial=-1)) + 1)
    rows = np.arange(len(problems))
    asked = [len("".join(turn.text for turn in one.prompt).encode()) for one in problems]
    work, span = tokens.cumsum(axis=1), np.maximum.accumulate(tokens, axis=1)
    has, best = group >= 0, np.maximum.accumulate(grade, axis=1)
    answered, total = has.cumsum(axis=1), grade.cumsum(axis=1)
    found: dict[str, list[TrialRow]] = {}
    for cell, n in zip(family.cells, sizes, strict=True):
        winner = lead.after(n)
        first = lead.first[rows, winner]
        any_vote = answered[:, n - 1] > 0
        right = np.where(any_vote, grade[rows, first], 0.0)
        drawn = np.where(any_vote, total[:, n - 1] / np.maximum(1, answered[:, n - 1]), 0.0)
        squares = _squares(lead, n)
        columns = (right, any_vote, first, work[:, n - 1], span[:, n - 1], drawn, best[:, n - 1])
        every = (*columns, answered[:, n - 1], squares)
        told = zip(*(column.tolist() for column in every), strict=True)
        found[cell.id] = [
            TrialRow(
                place,
                legible(problems[place].id),
                correct,
                kept(votes[place].texts[orders[place][at]]) if voted else None,
                "",
                "done",
                spent,
                deep,
                asked[place] * n,
                n,
                None,
                spent,
                chance,
                cover,
                count**2 / square if square else None,
                cell is not family.largest,
            )
            for place, (correct, voted, at, spent, deep, chance, cover, count, square) in enumerate(
                told
            )
        ]
    return found


def _squares(lead: Pluralities, n: int) -> NDArray[np.int64]:
    """Return the sum of the squared votes of each problem's answers, after n chains."""
    orders, groups = lead.first.shape
    cells = lead.votes[:, :n] + groups * np.arange(orders)[:, None]
    counts = np.bincount(cells.ravel(), minlength=orders * groups).reshape(orders, groups)
    found: NDArray[np.int64] = (counts[:, :-1] ** 2).sum(axis=1)
    return found
