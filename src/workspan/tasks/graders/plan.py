"""Right is a plan that keeps every constraint and is as good as the reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workspan.errors import GraderError, InputError
from workspan.planning import Instance, read
from workspan.planning.base import LONGEST
from workspan.planning.calendar import Calendar
from workspan.planning.calendar import parse as parse_slot
from workspan.planning.meeting import Meetings
from workspan.planning.meeting import parse as parse_steps
from workspan.tasks.base import NO_ANSWER, Grade, Task

_DAYS = re.compile(r"(\d{1,4})-(\d{1,4})")
_TOTAL = re.compile(r"European cities for (\d{1,4}) days")
_FLIGHT = re.compile(r"Day (\d{1,4})\b.{0,40}?\bfrom (\w{1,40}) to (\w{1,40})")


@dataclass(frozen=True, slots=True)
class Plan:
    """Evaluate the plan, and hold it against the reference plan.

    A plan is right that solves the instance or gets a raw score as high as the reference's: where
    the most meetings that can be had are unknown, the reference tells how many are enough. Natural
    Plan itself compares with its golden plan; see `as_published`, which the reason mentions where
    it differs.
    """

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer.

        Raises:
            GraderError: the task holds no instance.
        """
        if answer is None:
            return NO_ANSWER
        try:
            instance = read(task.problem.metadata)
        except InputError as error:
            raise GraderError(f"problem {task.problem.id}: {error}") from error
        evaluation = instance.evaluate(answer)
        enough = instance.evaluate(task.reference).raw if task.reference else float("inf")
        is_right = evaluation.solved or (evaluation.is_readable and evaluation.raw >= enough)
        reason = "as good as the reference" if is_right else evaluation.feedback
        if is_right and task.reference and not as_published(instance, answer, task.reference):
            reason += "; Natural Plan's own scoring would not count it: it is not the golden plan"
        return Grade(float(is_right), reason)


def as_published(instance: Instance, text: str, golden: str) -> bool:
    """Tell whether Natural Plan's own scoring counts a text as right (arXiv:2406.04520).

    Trips must visit the golden plan's cities in its order and for as long, as the flights that the
    text states say; meetings must be as many as the golden plan's, counted up to the first
    violation; of a calendar, the first time that is proposed must be the golden one.
    """
    if isinstance(instance, Meetings):
        counts = [instance.walk(parse_steps(plan)).met_soundly for plan in (text, golden)]
        return counts[0] == counts[1]
    if isinstance(instance, Calendar):
        return parse_slot(text) == parse_slot(golden)
    stays, wanted = [*_flown(text)], [*_flown(golden)]
    return stays[: len(wanted)] == wanted


def _flown(text: str) -> Iterator[tuple[str, int]]:
    """Yield each city and the days there, from one stated flight to the next.

    Reading ends on the day on which the announced length is reached. Names are single words, as
    in all published trips.
    """
    total, last, flights = 0, 0, []
    for line in text[:LONGEST].splitlines():
        if announced := _TOTAL.search(line):
            total = int(announced[1])
        if days := _DAYS.search(line):
            last = int(days[2])
            if last == total:
                break
        if flown := _FLIGHT.search(line):
            flights.append((int(flown[1]), flown[2], flown[3]))
    if not last or not flights:
        return
    days_of_flight = [1, *(day for day, _, _ in flights), last]
    cities = [flights[0][1], *(there for _, _, there in flights)]
    for i, city in enumerate(cities):
        yield city, days_of_flight[i + 1] - days_of_flight[i] + 1
