"""Puzzles made on the spot by reasoning-gym, as many as asked for, with exact checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from workspan.answers import MARKED
from workspan.data.types import AnswerKind, Message, Problem
from workspan.errors import DataError, InputError, SpecError, nearest
from workspan.registry.card import Card
from workspan.registry.table import table
from workspan.spec.describing import Described, Told
from workspan.tasks import puzzles
from workspan.tasks.base import Task
from workspan.tasks.graders.puzzles import CHECKED, LEFT_OUT, Family, family
from workspan.tasks.graders.reasoning_gym import ReasoningGym
from workspan.tasks.written import written

SOURCE = "reasoning-gym, arXiv:2505.24760"

_TRIED = 4
"""Places that are looked at for each problem asked for: some hold what came before."""
_SPARE = 64


@dataclass(frozen=True, slots=True)
class Procedural:
    """A family of reasoning-gym with its parameters; see `procedural`."""

    name: str
    """As written, parameters included."""
    summary: str
    dataset: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Those that differ from the library's own."""
    source: str = SOURCE
    asking: str = MARKED
    """The instruction that ends every prompt; may be empty."""

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Make `limit` different tasks; fewer where there are not so many.

        An id names one question whatever the limit, in any process: it holds the family, the
        parameters that differ from the library's, the library's version where it is not the one
        that was checked, the seed and the task's number.

        Raises:
            InputError: no limit, or one below 1: there is no end to these problems.
            DataError: files that the family needs can't be read, or it made nothing.
        """
        if limit is None or limit < 1:
            raise InputError(f"say how many problems of {self.name} to make, at least 1")
        tasks: dict[str, Task] = {}
        for entry in self._entries(limit, seed):
            question = entry["question"].strip()
            if question not in tasks:
                tasks[question] = self._task(entry, f"{self._stem}/{seed}/{len(tasks)}")
            if len(tasks) == limit:
                break
        if not tasks:
            raise DataError(f"{self.name} made no problem whose answer can be checked")
        return [*tasks.values()]

    @property
    def _stem(self) -> str:
        given = ", ".join(f"{key}={value!r}" for key, value in sorted(self.parameters.items()))
        name = f"{self.dataset}({given})" if given else self.dataset
        return name if puzzles.version() == CHECKED else f"{name}@{puzzles.version()}"

    def _task(self, entry: dict[str, Any], name: str) -> Task:
        prompt = (Message("user", f"{entry['question'].strip()}\n\n{self.asking}".strip()),)
        kind: AnswerKind = "number" if self._family.is_number else "text"
        problem = Problem(name, prompt, kind, {"task": self.dataset})
        lines = (line.rstrip() for line in entry["answer"].splitlines() if line.strip())
        return Task(problem, "\n".join(lines), ReasoningGym(self.dataset), data={"entry": entry})

    @property
    def _family(self) -> Family:
        known = family(self.dataset)
        assert known is not None  # `procedural` opens no other
        return known

    def _entries(self, limit: int, seed: int) -> Iterator[dict[str, Any]]:
        """Yield entries in their order, but those whose own answer can't be told to be right."""
        places = range(_TRIED * limit + _SPARE)
        for first in range(0, len(places), limit):
            found = places[first : first + limit]
            for entry in puzzles.entries(self.dataset, self.parameters, seed, found):
                if entry is not None and (right := self._answered(entry)):
                    yield right

    def _answered(self, entry: dict[str, Any]) -> dict[str, Any] | None:
        """Return the entry with an answer that is right by its check, or None."""
        known = self._family
        if known.reference is not None:
            entry = {**entry, "answer": known.reference(entry)}
        answer = entry["answer"]
        is_whole = isinstance(answer, str) and bool(answer.strip())
        return entry if is_whole and known.check(answer, entry) else None


def names() -> list[str]:
    """Return the names of all families whose answers can be checked.

    Raises:
        MissingDependency: reasoning-gym is not installed.
    """
    return sorted(name for name in puzzles.registry() if family(name) is not None)


def left_out() -> dict[str, str]:
    """Return the families that the library has and this package does not offer, and why.

    Raises:
        MissingDependency: reasoning-gym is not installed.
    """
    others = (name for name in sorted(puzzles.registry()) if family(name) is None)
    return {name: LEFT_OUT.get(name, f"is not in version {CHECKED}") for name in others}


def procedural(text: str) -> Procedural:
    """Open a family of reasoning-gym: ``chain_sum`` or ``chain_sum(min_terms=2, max_terms=3)``.

    Every prompt ends with the instruction that `workspan.answers.extract` reads by.

    Raises:
        SpecError: no such family or parameter, or a value that it refuses; or it is left out.
        MissingDependency: reasoning-gym is not installed.
    """
    name, parameters = _read(text)
    opened = Procedural(text, _summary(name), name, parameters)
    if parameters:
        puzzles.make(name, parameters, 1, 0)  # it refuses wrong values now, not when tasks are made
    return opened


def described(name: str) -> Described:
    """Say all of a family of reasoning-gym.

    Raises:
        SpecError: there is none of that name, or it is left out.
        MissingDependency: reasoning-gym is not installed.
    """
    opened = procedural(name)
    config = puzzles.registry()[name][1]
    known = [item for item in fields(config) if item.name not in ("seed", "size")]
    told = tuple(
        Told(item.name, type(item.default).__name__, repr(item.default), "")
        for item in known
        if item.default is not MISSING
    )
    path = f"{config.__module__}:{config.__qualname__}"
    card = Card(example=name, source=SOURCE, extra="tasks")
    version = f"reasoning-gym {puzzles.version()}"
    return Described(name, opened.summary, "", told, (), card, path, version)


def _summary(name: str) -> str:
    described = (puzzles.registry()[name][0].__doc__ or "").strip().split("\n")[0].rstrip(".: ")
    return described or name.replace("_", " ")


def _read(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``name(key=value, …)``; values are literals."""
    said = written(text)
    if why := left_out().get(said.name):
        raise SpecError(f"{said.name} is left out: it {why}", text=text, column=0)
    if said.name not in names():
        hint = nearest(said.name, [*names(), *table("tasks")])
        raise SpecError(f"unknown task set {said.name!r}: {hint}", text=text, column=0)
    known = {item.name: item.default for item in fields(puzzles.registry()[said.name][1])}
    for given_elsewhere in ("seed", "size"):
        known.pop(given_elsewhere, None)
    given = said.literals(known)
    return said.name, {key: value for key, value in given.items() if value != known[key]}
