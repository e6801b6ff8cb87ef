"""Task sets by name."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol, runtime_checkable

from workspan.errors import MissingDependency, PluginError, SpecError, WorkspanError
from workspan.registry.table import WRITTEN, Row, load_written, said, table
from workspan.spec import make
from workspan.spec.parameters import parameters
from workspan.tasks.base import KnowsSerialDepth, TaskSet
from workspan.tasks.files import ENDINGS, TaskFile
from workspan.tasks.hub import hub
from workspan.tasks.procedural import names, procedural


@runtime_checkable
class FromText(Protocol):
    """What reads its parameters from the text itself, since problems are called after it."""

    def from_text(self, text: str) -> TaskSet:
        """Open the set that ``name`` or ``name(key=value)`` stands for."""
        ...


def open_tasks(spec: str, *, imports: bool = False) -> TaskSet:
    """Open the task set that a text names.

    That is ``demo``; a planning set, with parameters if need be, such as ``trip_planning`` or
    ``trip_planning(cities=8)``; ``hops(hops=3, fanout=2)``, which brings its corpus; what an
    installed distribution brings, such as ``deep(d=6)`` of workspan-evidence; a data set of
    reasoning-gym, such as ``chain_sum(max_terms=3)``; a path ending in .jsonl, .json, .csv or
    .parquet; ``hf:OWNER/NAME[:CONFIG][:SPLIT]``; or, with `imports`, ``module:Name(key=value)``.

    Args:
        spec: the text.
        imports: ``module:Name`` is imported; only for what the user wrote.

    Raises:
        SpecError: there is no such set, or its parameters are wrong.
        MissingDependency: the set's extra, or the distribution that brings it, is not installed.
        PluginError: a distribution brings it, and it can't be used.
    """
    spec = spec.strip()
    if spec.startswith("hf:"):
        return hub(spec)
    if spec.lower().endswith(ENDINGS):
        return TaskFile(spec)
    if WRITTEN.match(spec):
        return _called(spec, imports=imports)
    head = spec.partition("(")[0]
    if "/" in head or "\\" in head or spec.endswith((".txt", ".xlsx", ".yaml", ".yml", ".gz")):
        raise SpecError(f"a file of problems ends in {', '.join(ENDINGS)}", text=spec)
    row = table("tasks").seek(head.strip())
    return procedural(spec) if row is None else _opened(row, spec)


def _opened(row: Row, spec: str) -> TaskSet:
    """Open the set of a row; what others wrote and failed is named with who brought it."""
    if row.is_ours:
        made = row.load()
        return made.from_text(spec) if isinstance(made, FromText) else _called(spec)
    with suppress(MissingDependency):
        if not row.is_official and row.name in names():
            raise PluginError(f"the task set {row.name!r} of {row.distribution} has our own's name")
    made = row.load()
    try:
        opened = made.from_text(spec) if isinstance(made, FromText) else _called(spec)
    except WorkspanError:
        raise
    except Exception as error:  # the boundary to the code of others
        who = f"the task set {row.name!r} of {row.distribution}"
        raise PluginError(f"{who} can't be opened: {said(error)}") from error
    return opened


def _called(spec: str, *, imports: bool = False) -> TaskSet:
    """Open what is called with its parameters, and with the text as its `name` if it takes one.

    Raises:
        SpecError: what comes of it is no task set.
    """
    path = WRITTEN.match(spec)
    opener = load_written(path[0]) if path and imports else None
    if path is None:
        opener = table("tasks").find(spec.partition("(")[0].strip()).load()
    given = {"name": spec} if opener is not None and "name" in parameters(opener) else {}
    made = make(spec, "tasks", imports=imports, is_called=True, given=given)
    missing = [name for name in ("name", "summary", "source", "load") if not hasattr(made, name)]
    if missing:
        kind = type(made).__name__
        raise SpecError(f"it is no task set: the {kind} it gives has no {missing[0]}", text=spec)
    found: TaskSet = made
    return found


def catalogue() -> list[TaskSet]:
    """Return every set that has a name and is this project's, the demonstration first."""
    ours = [open_tasks(row.name) for row in table("tasks").values() if row.is_official]
    try:
        return [*ours, *(procedural(name) for name in names())]
    except MissingDependency:
        return ours


def serial_depth(spec: str) -> int | None:
    """Return the serial depth that a set states of its problems; None where none is stated.

    Only sets with a name in the registry are asked: no file is read, and nothing is imported that
    the text names, which may come from anywhere.
    """
    if WRITTEN.match(spec):
        return None
    try:
        row = table("tasks").seek(spec.partition("(")[0].strip())
        opened = _opened(row, spec) if row is not None else None
    except WorkspanError:
        return None
    return opened.serial_depth if isinstance(opened, KnowsSerialDepth) else None
