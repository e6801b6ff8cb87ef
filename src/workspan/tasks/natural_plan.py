"""Reads the published Natural Plan problems (arXiv:2406.04520, CC BY 4.0) into instances.

A row has the field ``task``, natural_plan_trip_planning, natural_plan_meeting_planning or
natural_plan_calendar_scheduling, the published prompt, and ``meta`` with the published fields.
What the fields lack is read from the prompt: which flights go both ways, and whose calendar it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from workspan.planning import Instance, dump
from workspan.planning.calendar import Busy, Calendar
from workspan.planning.clock import minutes
from workspan.planning.meeting import Friend, Meetings
from workspan.planning.trip import Trip, Visit
from workspan.tasks.base import Task
from workspan.tasks.graders.plan import Plan

_DAYS = r"(?:Mon|Tues|Wednes|Thurs|Fri)day"
_BUSY_DAY = re.compile(rf"({_DAYS}) during ((?:\d+:\d+ to \d+:\d+(?:, )?)+)")
_SPAN = re.compile(r"(\d+:\d+) to (\d+:\d+)")
_AGAINST = re.compile(
    r"(\w+) (?:would rather not meet|would like to avoid more meetings|can ?not meet"
    r"|do(?:es)? not want to meet) on ((?:[A-Z][a-z]+day(?: (?:before|after) \d+:\d+)?\. ?)+)"
)
_AGAINST_DAY = re.compile(rf"({_DAYS})(?: (before|after) (\d+:\d+))?\.")
_EARLIEST = re.compile(r"ear(?:lie|li)st availability")
_FLIGHT = re.compile(r"(from )?([\w' -]+?) (and|to) ([\w' -]+)")


def planned(task: Task, name: str, meta: Mapping[str, Any]) -> Task:
    """Give a task, read from a published row, its instance and the grader of plans.

    Raises:
        ValueError: as `natural_plan`.
    """
    problem = task.problem
    instance = natural_plan(name, problem.prompt[-1].text, meta)
    metadata = {**problem.metadata, **dump(instance)}
    reference = task.reference
    if instance.form == "meeting" and reference.startswith("["):
        reference = "SOLUTION: " + " ".join(msgspec.json.decode(reference, type=list[str]))
    problem = replace(problem, kind="open", metadata=metadata)
    return replace(task, problem=problem, reference=reference, grader=Plan())


def natural_plan(task: str, prompt: str, meta: Mapping[str, Any]) -> Instance:
    """Return the instance that a published row describes.

    Raises:
        ValueError: the task is none of the three, or a field is missing or not as published.
    """
    reader = READERS.get(task)
    if reader is None:
        raise ValueError(f"task must be one of {', '.join(READERS)}, not {task!r}")
    try:
        return reader(prompt, meta)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not as Natural Plan publishes {task}: {error!r}") from None


def _trip(prompt: str, meta: Mapping[str, Any]) -> Trip:
    given = meta["constraints_struct"]["constraints"]
    stays = tuple((stay["city"], int(stay["days"])) for stay in given["city_length"])
    events = (Visit(e["city"], e["start"], e["end"]) for e in given["city_day_ranges"])
    _, _, after = prompt.rpartition("direct flights:")
    flights = dict.fromkeys(_flights(after.strip().split("\n")[0]))
    return Trip(int(given["trip_length"]), stays, tuple(flights), tuple(events))


def _flights(listed: str) -> Iterator[tuple[str, str]]:
    """Yield from "Rome and Oslo, from Oslo to Bonn." each flight one way."""
    for item in listed.rstrip(". ").split(","):
        found = _FLIGHT.fullmatch(item.strip())
        if found is None:
            raise ValueError(f"not a pair of cities with direct flights: {item.strip()!r}")
        yield found[2], found[4]
        if found[3] == "and":
            yield found[4], found[2]


def _meeting(prompt: str, meta: Mapping[str, Any]) -> Meetings:  # noqa: ARG001
    (place, begins), *friends = meta["constraints"]
    away = meta["dist_matrix"]
    return Meetings(
        place,
        _time(begins),
        tuple(_friend(*friend) for friend in friends),
        tuple((a, b, int(away[a][b])) for a in sorted(away) for b in sorted(away[a])),
    )


def _friend(name: str, place: str, span: str, length: int) -> Friend:
    start, end = span.split(" to ")
    return Friend(name, place, _time(start), _time(end), length)


def _calendar(prompt: str, meta: Mapping[str, Any]) -> Calendar:
    task = prompt.rpartition("TASK:")[2]
    head, _, schedules = task.partition("existing schedules")
    length = minutes_of(meta["duration"])
    hours = _SPAN.search(head)
    if hours is None:
        raise ValueError("the prompt does not tell the working hours")
    start, end = _time(hours[1]), _time(hours[2])
    days = tuple(dict.fromkeys(re.findall(_DAYS, head)))
    busy = (*_booked(schedules), *_against(schedules, end))
    return Calendar(days, length, busy, start, end, bool(_EARLIEST.search(schedules)))


def minutes_of(hours: str) -> int:
    """Read a duration in hours, such as "0.5"."""
    return round(float(hours) * 60)


def _booked(schedules: str) -> Iterator[Busy]:
    for line in schedules.splitlines():
        name = line.split(" ")[0]
        for day, spans in _BUSY_DAY.findall(line):
            for start, end in _SPAN.findall(spans):
                yield Busy(name, day, _time(start), _time(end))


def _against(schedules: str, evening: int) -> Iterator[Busy]:
    for name, days in _AGAINST.findall(schedules):
        for day, side, time in _AGAINST_DAY.findall(days):
            start = _time(time) if side == "after" else 0
            end = _time(time) if side == "before" else max(evening, 24 * 60)
            yield Busy(name, day, start, end)


def _time(text: str) -> int:
    time = minutes(text)
    if time is None:
        raise ValueError(f"not a time of day: {text!r}")
    return time


READERS: Mapping[str, Callable[[str, Mapping[str, Any]], Instance]] = {
    "natural_plan_trip_planning": _trip,
    "natural_plan_meeting_planning": _meeting,
    "natural_plan_calendar_scheduling": _calendar,
}
