"""The planning task sets by name."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Protocol

from workspan.data.types import Message, Problem
from workspan.errors import InputError, SpecError
from workspan.planning import dump
from workspan.tasks.base import Task
from workspan.tasks.graders.plan import Plan
from workspan.tasks.planning.calendar import CalendarScheduling
from workspan.tasks.planning.made import Made
from workspan.tasks.planning.meeting import MeetingPlanning
from workspan.tasks.planning.steg_poet import StegPoetry
from workspan.tasks.planning.trip import TripPlanning
from workspan.tasks.written import written


class Maker(Protocol):
    """Makes instances of one form and one difficulty: a frozen dataclass of parameters."""

    def make(self, rng: random.Random) -> Made:
        """Make one, with a solution."""
        ...


@dataclass(frozen=True, slots=True)
class Planning:
    """A maker as a task set."""

    name: str
    """As written, parameters included."""
    maker: Maker
    summary: str
    source: str

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Make `limit` tasks, the i-th the same whatever the limit.

        Raises:
            InputError: no limit, or one below 1: there is no end to these problems.
        """
        if limit is None or limit < 1:
            raise InputError(f"say how many problems of {self.name} to make, at least 1")
        return [self._task(f"{self.name}/{seed}/{i}") for i in range(limit)]

    def _task(self, id: str) -> Task:
        """Make the task that its id, which names the set and the seed, stands for."""
        made = self.maker.make(random.Random(id))
        metadata = {"task": self.name.partition("(")[0], **dump(made.instance)}
        problem = Problem(id, (Message("user", made.prompt),), "open", metadata)
        return Task(problem, made.solution, Plan())


@dataclass(frozen=True, slots=True)
class Form:
    """A form of planning problems by name; its parameters say how hard they are."""

    maker: type[TripPlanning | MeetingPlanning | CalendarScheduling | StegPoetry]
    source: str = "in the form of Natural Plan, arXiv:2406.04520"

    @property
    def parameters(self) -> dict[str, object]:
        """What may be told, with what holds unless it is."""
        return asdict(self.maker())

    def from_text(self, text: str) -> Planning:
        """Open a set, such as ``trip_planning`` or ``meeting_planning(friends=8)``.

        Raises:
            SpecError: no such parameter, or a value that it refuses.
        """
        said = written(text)
        values = said.literals(self.parameters)
        try:
            made = self.maker(**values)  # type: ignore[arg-type]  # of the defaults' types
        except ValueError as error:
            why = f"{said.name} refuses its parameters: {error}"
            raise SpecError(why, text=said.text) from None
        summary = (self.maker.__doc__ or "").split("\n")[0].rstrip(".")
        return Planning(said.text, made, summary, self.source)


TRIP_PLANNING = Form(TripPlanning)
MEETING_PLANNING = Form(MeetingPlanning)
CALENDAR_SCHEDULING = Form(CalendarScheduling)
STEG_POET = Form(StegPoetry, source="arXiv:2501.09891")
