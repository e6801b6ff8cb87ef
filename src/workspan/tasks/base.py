"""Sets of tasks: where problems with known answers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from workspan.graders.base import Task as Task

if TYPE_CHECKING:
    from workspan.retrieval.base import Passage

MOST = 1_000_000
"""Tasks that are asked of a set at a time: they are all in memory."""


class TaskSet(Protocol):
    """A source of tasks under one name."""

    @property
    def name(self) -> str:
        """How the user names it."""
        ...

    @property
    def summary(self) -> str:
        """What its problems are, in one line."""
        ...

    @property
    def source(self) -> str:
        """Who made it, or where it is kept."""
        ...

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Return up to `limit` tasks with different ids, the same for the same seed.

        Args:
            limit: None is all of them.
            seed: of the problems where they are generated, of their choice where they are stored.

        Raises:
            DataError: the source can't be read, or has problems without a reference.
            MissingDependency: an optional extra is not installed.
        """
        ...


@runtime_checkable
class BringsPassages(Protocol):
    """A source of tasks that comes with what they are to be answered from."""

    def passages(self, limit: int | None = None, seed: int = 0) -> list[Passage]:
        """Return the passages of the tasks that `load` returns: one corpus for all of them."""
        ...
