"""What a pool and its workers say to one another: plain data, in an order of their own.

Calls between processes arrive out of order, twice or never. So each line has a number, a worker
tells its lines again until the pool says that it has them, and the pool takes each once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from workspan.batch.drawn import Drawn
from workspan.batch.trials import Trial
from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.data.entry import Entry
from workspan.data.types import Usage
from workspan.errors import WorkspanError
from workspan.runner import Result
from workspan.tasks.base import Grade, Task

LaneName: TypeAlias = tuple[str, ...]
"""What engines are known by on both sides."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One strategy on one problem, as a worker is told to run it."""

    id: int
    lane: LaneName
    strategy: str
    """As `spec.write` writes it."""
    task: Task
    budget: Budget
    seed: int
    """Root of the randomness of all runs; the run's own follows from it and the problem."""
    planned: int
    """Runs of this strategy in all."""
    entries: tuple[Entry, ...] = ()
    """What the run's journal holds by now."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a unit came out: a `Trial` without its task, or what was raised."""

    usage: Usage = field(default_factory=Usage)
    result: Result | None = None
    grade: Grade | None = None
    error: str = ""
    drawn: Drawn | None = None
    raised: WorkspanError | None = None

    @classmethod
    def of(cls, trial: Trial) -> Ended:
        """Leave the task out: whoever asked has it."""
        return cls(trial.usage, trial.result, trial.grade, trial.error, trial.drawn)

    def trial(self, unit: Unit) -> Trial:
        """Put it together with its task.

        Raises:
            WorkspanError: what ended the unit in place of a trial.
        """
        if self.raised is not None:
            raise self.raised
        return Trial(
            unit.strategy, unit.task, self.usage, self.result, self.grade, self.error, self.drawn
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a worker tells: an entry of a journal, or how a unit ended."""

    number: int
    """From 1, by the worker."""
    unit: int
    what: Entry | Ended


@dataclass(frozen=True, slots=True)
class Engines:
    """What a worker has opened for a lane."""

    engine: Engine
    """The runs' own."""
    engines: Mapping[str, Engine] = field(default_factory=dict)
    """Further ones, by the names that strategies give them."""


class EngineFactory(Protocol):
    """How a lane's engines are opened, on whatever machine: a frozen dataclass that holds no key.

    Keys are read there, from the environment.
    """

    async def open(self) -> Engines:
        """Open them.

        Raises:
            WorkspanError: they can't be, or are others than here.
        """
        ...


class Worker(Protocol):
    """A worker as the pool sees it, such as an actor of Ray."""

    async def begin(self, unit: Unit) -> None:
        """Begin a unit; one that was begun is left alone.

        Raises:
            WorkerLost: it is gone.
        """
        ...

    async def stop(self, unit: int) -> None:
        """Stop a unit that nobody waits for any more, and return when it asks nothing more."""
        ...

    async def exchange(self, kept: int) -> tuple[Line, ...]:
        """Say up to which line all is kept, and wait for those that follow: none after a while.

        Raises:
            WorkerLost: it is gone.
        """
        ...

    async def aclose(self) -> None:
        """End it; idempotent."""
        ...
