"""The problems that ``--task`` and ``--input`` give, where a few of them are enough."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workspan.app.problems import named_tasks
from workspan.app.specs import as_kind
from workspan.cli.standard_input import problems_file
from workspan.tasks.base import Task
from workspan.tasks.files import sampled


def given_tasks(
    names: Sequence[str], source: Path | None, limit: int, seed: int, kind: str | None
) -> list[Task]:
    """Read task sets by name, or a file: of that a sample, drawn by the seed.

    Args:
        names: of task sets.
        source: a file of problems; "-" is standard input.
        limit: of the problems.
        seed: of the sample.
        kind: how answers are read, where the file does not say.
    """
    read_as = as_kind(kind) if kind else None
    with problems_file(source) as path:
        found = named_tasks(names, path, None if path else limit, seed, kind=read_as)
    return sampled(found, limit, seed) if source else found
