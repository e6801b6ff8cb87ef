"""A cell: one engine, task, strategy, budget, effort and seed, known by what decides it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from workspan import __version__
from workspan.core.journal import digest
from workspan.data.budget import Budget
from workspan.tasks.base import Task

FORMAT = 1
"""Of a cell's key. Another version of Workspan may draw otherwise: it is part of the key, too."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Cell:
    """One point of a sweep, on all problems of its task."""

    engine: str
    """As the sweep calls it."""
    identity: str
    """All engines of a run with their models, and what was stated that changes their answers."""
    model: str
    task: str
    """As the sweep calls it."""
    problems: str
    """Hash of the problems, their references and graders."""
    strategy: str
    """As `spec.write` writes it."""
    budget: str
    """Of each run, as `str(budget)` writes it."""
    effort: str
    """Sent as the reasoning effort; "" is the server's own."""
    seed: int
    """Root of the randomness of its runs."""

    @cached_property
    def id(self) -> str:
        """The key: a hash of everything that decides the outcome. Names are not part of it."""
        told = (
            *(FORMAT, __version__, self.identity, self.problems, self.strategy, self.budget),
            *(self.effort, self.seed),
        )
        return hashlib.blake2b(msgspec.json.encode(told), digest_size=10).hexdigest()


def limits(budget: str) -> Budget:
    """Return the budget that a cell writes; that without a limit is "unlimited"."""
    return Budget() if budget == str(Budget()) else Budget.parse(budget)


def problems_digest(tasks: Iterable[Task]) -> str:
    """Hash problems with all that grades their answers, stable between processes."""
    told = [
        (digest(task.problem), task.reference, task.tests, _said(task.grader), _said(task.data))
        for task in tasks
    ]
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=10).hexdigest()


def sweep_digest(name: str, cells: Sequence[Cell]) -> str:
    """Hash a sweep: the same cells under the same name are the same sweep, whatever its total."""
    told = (name, [cell.id for cell in cells])
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=6).hexdigest()


def _said(value: object) -> str:
    """Write what grades; what is known only by its place in memory is named by its class."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__} {_ADDRESS.sub('', repr(value))}"
