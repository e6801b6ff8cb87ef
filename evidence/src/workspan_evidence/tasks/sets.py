"""The reasoner's families as task sets: in its grammar, or in English for language models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import TypeAlias

from workspan.data.types import Message, Problem
from workspan.errors import InputError, SpecError, nearest
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence
from workspan.tasks.written import written
from workspan_evidence.families.bits import Majority, Parity
from workspan_evidence.families.connectivity import Bridge, Deep, Path
from workspan_evidence.families.heavy import Heavy
from workspan_evidence.families.planning import Timetable
from workspan_evidence.families.serial import Compose, Rule110
from workspan_evidence.grammar import FORMATS, VOCABULARY
from workspan_evidence.tasks._wording import choices, worded
from workspan_evidence.tasks.grading import Timetables

Known: TypeAlias = Path | Deep | Bridge | Heavy | Rule110 | Compose | Parity | Majority | Timetable


@dataclass(frozen=True, slots=True)
class FamilyTasks:
    """A family of one size as a task set; see `Sized`."""

    name: str
    """As written, parameters included."""
    family: Known
    english: bool = False
    source: str = "this package; connectivity after arXiv:2505.21825, Rule 110 after 2507.12549"

    @property
    def summary(self) -> str:
        """What its problems are."""
        return (type(self.family).__doc__ or "").partition("\n")[0].rstrip(".:")

    @property
    def serial_depth(self) -> int | None:
        """Steps that each need the one before; None where they may be taken in any order."""
        return getattr(self.family, "serial_depth", None)

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Make `limit` tasks, the i-th the same whatever the limit, and in both languages.

        Raises:
            InputError: no limit, or one below 1: there is no end to these problems.
        """
        if limit is None or limit < 1:
            raise InputError(f"say how many problems of {self.name} to make, at least 1")
        return [self._task(seed, i) for i in range(limit)]

    def _task(self, seed: int, i: int) -> Task:
        instance = self.family.problem(Random(f"{self.family} {seed} {i}"))
        name = type(self.family).__name__.lower()
        metadata = {"task": name}
        id = f"{self.name}/{seed}/{i}"
        named: tuple[str, ...] = ()
        if name == "timetable":
            plans = Problem(id, (Message("user", instance.text),), "open", metadata)
            return Task(plans, "", Timetables(), data={"instance": instance})
        if self.english:
            text, kind, answer = worded(name, instance)
            named = choices(name, instance)
        else:
            text, kind, answer = instance.text, "symbols", VOCABULARY[instance.answer]
        problem = Problem(id, (Message("user", text),), kind, metadata, named)
        return Task(problem, answer, Equivalence(), data={"instance": instance})


@dataclass(frozen=True, slots=True)
class Sized:
    """A family by name, at the size that its name without parameters stands for."""

    family: Known

    @property
    def parameters(self) -> dict[str, object]:
        """What may be told, with what holds unless it is."""
        return {**asdict(self.family), "english": False}

    def from_text(self, text: str) -> FamilyTasks:
        """Open a set, such as ``deep(d=6)``, ``heavy(m=1, h=4)`` or ``deep(d=6, english=True)``.

        Raises:
            SpecError: no such parameter, or a value that it refuses.
        """
        said = written(text)
        values = said.literals(self.parameters)
        english = bool(values.pop("english", False))
        if english and said.name == "timetable":
            raise SpecError("timetable is not told in English", text=said.text)
        try:
            family = type(self.family)(**{**asdict(self.family), **values})
            family.problem(Random(0))
        except (ValueError, LookupError) as error:
            raise SpecError(f"{said.name} refuses {_why(error)}", text=said.text) from None
        return FamilyTasks(said.text, family, english)


PATH = Sized(Path(6))
DEEP = Sized(Deep(6))
BRIDGE = Sized(Bridge(3))
HEAVY = Sized(Heavy(1, 4))
RULE110 = Sized(Rule110(4))
COMPOSE = Sized(Compose(6))
PARITY = Sized(Parity(8))
MAJORITY = Sized(Majority(9))
TIMETABLE = Sized(Timetable(8, 14))


def _why(error: ValueError | LookupError) -> str:
    if isinstance(error, KeyError):
        return f"the format {error}: {nearest(str(error), FORMATS)}"
    if isinstance(error, IndexError):
        return "its parameters: the grammar has no names for so many nodes"
    return f"its parameters: {error}"
