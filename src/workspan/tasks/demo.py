"""The demonstration's problems: hard enough for a small model to fail at, easy enough to solve."""

from __future__ import annotations

from dataclasses import dataclass

from workspan.tasks.base import Task
from workspan.tasks.procedural import SOURCE, procedural

SPEC = "chain_sum(min_terms=2, max_terms=2, min_digits=2, max_digits=2)"


@dataclass(frozen=True, slots=True)
class Demo:
    """The demonstration's task set."""

    name: str = "demo"
    summary: str = "sums that the embedded model gets right now and then"
    source: str = SOURCE

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Make `limit` tasks; raises as `Procedural.load` does."""
        return procedural(SPEC).load(limit, seed)
