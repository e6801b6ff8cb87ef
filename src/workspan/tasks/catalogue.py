"""Task sets by name."""

from __future__ import annotations

from workspan.errors import MissingDependency, SpecError
from workspan.tasks.base import TaskSet
from workspan.tasks.demo import Demo
from workspan.tasks.families import FAMILIES, families
from workspan.tasks.files import ENDINGS, TaskFile
from workspan.tasks.hops import Hops, hops
from workspan.tasks.hub import hub
from workspan.tasks.planning import MAKERS, planning
from workspan.tasks.procedural import names, procedural


def open_tasks(spec: str) -> TaskSet:
    """Open the task set that a text names.

    That is ``demo``; a planning set, with parameters if need be, such as ``trip_planning`` or
    ``trip_planning(cities=8)``; ``hops(hops=3, fanout=2)``, which brings its corpus; a family of
    the reasoner's, such as ``deep(d=6)``, or ``deep(d=6, english=True)`` for language models; a
    data set of reasoning-gym, such as ``chain_sum(max_terms=3)``; a path ending in .jsonl, .json,
    .csv or .parquet; or ``hf:OWNER/NAME[:CONFIG][:SPLIT]``.

    Raises:
        SpecError: there is no such set, or its parameters are wrong.
        MissingDependency: the set's extra is not installed.
    """
    spec = spec.strip()
    if spec.startswith("hf:"):
        return hub(spec)
    if spec.lower().endswith(ENDINGS):
        return TaskFile(spec)
    if "/" in spec or "\\" in spec or spec.endswith((".txt", ".xlsx", ".yaml", ".yml", ".gz")):
        raise SpecError(f"a file of problems ends in {', '.join(ENDINGS)}", text=spec)
    if spec.partition("(")[0].strip() in MAKERS:
        return planning(spec)
    if spec.partition("(")[0].strip() == "hops":
        return hops(spec)
    if spec.partition("(")[0].strip() in FAMILIES:
        return families(spec)
    return Demo() if spec == "demo" else procedural(spec)


def catalogue() -> list[TaskSet]:
    """Return every set that has a name, the demonstration first."""
    built_in: list[TaskSet] = [
        Demo(),
        *(families(name) for name in FAMILIES),
        Hops(),
        *(planning(name) for name in MAKERS),
    ]
    try:
        return [*built_in, *(procedural(name) for name in names())]
    except MissingDependency:
        return built_in
