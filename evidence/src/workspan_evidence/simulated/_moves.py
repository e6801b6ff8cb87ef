"""How the simulated planner drafts, edits and recombines plans, form by form. No model is here.

A plan is handled as what it is about, an order of cities or friends, a time, a row of numbers, and
written out whole again after every change.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from workspan.planning import Instance
from workspan.planning.calendar import GRID, Calendar, Slot
from workspan.planning.calendar import parse as parse_slot
from workspan.planning.calendar import write as write_slot
from workspan.planning.meeting import Meetings
from workspan.planning.meeting import parse as parse_steps
from workspan.planning.meeting import write as write_meetings
from workspan.planning.steg_poet import Poem, StegPoet, decode
from workspan.planning.steg_poet import parse as parse_poem
from workspan.planning.steg_poet import write as write_poem
from workspan.planning.trip import Trip, in_order
from workspan.planning.trip import parse as parse_trip
from workspan.planning.trip import write as write_trip

P = TypeVar("P")
Order = tuple[str, ...]


class Moves(Protocol[P]):
    """The operators of one form, on plans of type P."""

    def draft(self, rng: random.Random, skill: float) -> P:
        """Draw a plan; each choice in it is a sensible one with probability `skill`."""
        ...

    def edit(self, plan: P, rng: random.Random) -> P:
        """Change one thing at random."""
        ...

    def cross(self, one: P, other: P, rng: random.Random) -> P:
        """Take the beginning or one side from one plan and the rest from the other."""
        ...

    def write(self, plan: P) -> str:
        """Write the plan in the answer form."""
        ...

    def read(self, text: str) -> list[P]:
        """Return every plan that a text holds."""
        ...

    def persists(self, said: str, after: Sequence[str]) -> bool:
        """Tell whether a violation is still among those after a change."""
        ...


def moves_for(instance: Instance) -> Moves[Any]:
    """Return the operators of an instance's form."""
    moves: Moves[Any] = _MOVES[type(instance)](instance)
    return moves


@dataclass(frozen=True, slots=True)
class TripMoves:
    """Orders of all cities; stays are always as long as they must be."""

    trip: Trip

    def draft(self, rng: random.Random, skill: float) -> Order:
        """Go from city to city, with probability `skill` by a direct flight where there is one."""
        left = [city for city, _ in self.trip.stays]
        order: list[str] = []
        while left:
            flown = [city for city in left if order and (order[-1], city) in self.trip.flights]
            order.append(rng.choice(flown if flown and rng.random() < skill else left))
            left.remove(order[-1])
        return tuple(order)

    def edit(self, plan: Order, rng: random.Random) -> Order:
        """Swap two cities, or move one."""
        return _reorder(plan, rng)

    def cross(self, one: Order, other: Order, rng: random.Random) -> Order:
        """Begin as one, end in the other's order."""
        head = one[: rng.randrange(len(one) + 1)]
        return (*head, *(city for city in other if city not in head))

    def write(self, plan: Order) -> str:
        """Write stays and flights."""
        return write_trip(in_order(self.trip, plan))

    def read(self, text: str) -> list[Order]:
        """Read each plan that begins on day 1; cities that it lacks are put at its end."""
        cities = [city for city, _ in self.trip.stays]
        plans = []
        for part in re.split(r"(?=\bDay 1-)", text)[1:]:
            visited = dict.fromkeys(visit.city for visit in parse_trip(part))
            known = [city for city in visited if city in cities]
            plans.append((*known, *(city for city in cities if city not in known)))
        return plans

    def persists(self, said: str, after: Sequence[str]) -> bool:
        """Tell it by the sentence itself."""
        return said in after


@dataclass(frozen=True, slots=True)
class MeetingMoves:
    """Orders of the friends to meet, who need not be all."""

    day: Meetings

    def draft(self, rng: random.Random, skill: float) -> Order:
        """Take friends by when they leave with probability `skill`, in any order otherwise."""
        left = sorted(self.day.friends, key=lambda friend: friend.end)
        order = []
        while left:
            friend = left[0] if rng.random() < skill else rng.choice(left)
            left.remove(friend)
            order.append(friend.name)
        return tuple(order[: rng.randint((len(order) + 1) // 2, len(order))])

    def edit(self, plan: Order, rng: random.Random) -> Order:
        """Put one more friend in, leave one out, or change the order."""
        unmet = [friend.name for friend in self.day.friends if friend.name not in plan]
        what = rng.randrange(3)
        if what == 0 and unmet:
            place = rng.randrange(len(plan) + 1)
            return (*plan[:place], rng.choice(unmet), *plan[place:])
        if what == 1 and len(plan) > 1:
            gone = rng.randrange(len(plan))
            return (*plan[:gone], *plan[gone + 1 :])
        return _reorder(plan, rng)

    def cross(self, one: Order, other: Order, rng: random.Random) -> Order:
        """Begin as one, go on as the other with those not met yet."""
        head = one[: rng.randrange(len(one) + 1)]
        return (*head, *(name for name in other if name not in head))

    def write(self, plan: Order) -> str:
        """Write the walk, right or wrong."""
        return write_meetings(self.day, plan)

    def read(self, text: str) -> list[Order]:
        """Read each plan up to the first sentence that is no step."""
        names = [friend.name for friend in self.day.friends]
        plans = []
        for part in text.split("SOLUTION:")[1:]:
            order: dict[str, None] = {}
            for step in parse_steps(part):
                if not step.verb:
                    break
                if step.verb == "meet" and step.what in names:
                    order[step.what] = None
            if order:
                plans.append(tuple(order))
        return plans

    def persists(self, said: str, after: Sequence[str]) -> bool:
        """Tell it by the friend, as an edit changes the numbers of steps and the times."""
        who = [f.name for f in self.day.friends if re.search(rf"\b{re.escape(f.name)}\b", said)]
        return any(name in line for name in who for line in after)


@dataclass(frozen=True, slots=True)
class CalendarMoves:
    """Times on the grid, always as long as the meeting."""

    calendar: Calendar

    def draft(self, rng: random.Random, skill: float) -> Slot:
        """Take a time in the working hours; with probability `skill` one free of somebody."""
        everyone = sorted({busy.name for busy in self.calendar.busy})
        name = rng.choice(everyone) if everyone and rng.random() < skill else ""
        slots = [slot for slot in self._all() if not self._is_busy(name, slot)]
        return rng.choice(slots or self._all())

    def edit(self, plan: Slot, rng: random.Random) -> Slot:
        """Move it by up to an hour, or to another day or time."""
        if rng.random() < 0.5:
            return rng.choice(self._all())
        near = [s for s in self._all() if s.day == plan.day and abs(s.start - plan.start) <= 60]
        return rng.choice(near or self._all())

    def cross(self, one: Slot, other: Slot, rng: random.Random) -> Slot:
        """Take the day of one and the hour of the other."""
        day, hour = (one, other) if rng.random() < 0.5 else (other, one)
        return Slot(day.day, hour.start, hour.end)

    def write(self, plan: Slot) -> str:
        """Write the proposal."""
        return write_slot(plan)

    def read(self, text: str) -> list[Slot]:
        """Read the time in each line that has one."""
        slots = map(parse_slot, text.splitlines())
        return [slot for slot in slots if slot is not None]

    def persists(self, said: str, after: Sequence[str]) -> bool:
        """Tell it by the sentence itself."""
        return said in after

    def _all(self) -> list[Slot]:
        calendar = self.calendar
        starts = range(calendar.start, calendar.end - calendar.minutes + 1, GRID)
        return [Slot(day, s, s + calendar.minutes) for day in calendar.days for s in starts]

    def _is_busy(self, name: str, slot: Slot) -> bool:
        return any(
            busy.name == name and busy.day == slot.day
            and slot.start < busy.end and busy.start < slot.end
            for busy in self.calendar.busy
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hidden:
    """What a poem hides, and how many words apart."""

    numbers: tuple[int, ...]
    gap: int


@dataclass(frozen=True, slots=True)
class StegMoves:
    """Rows of numbers, written with made-up code words in meaningless verse."""

    steg: StegPoet

    def draft(self, rng: random.Random, skill: float) -> Hidden:
        """Get each number right with probability `skill`, and leave some distance."""
        message = self.steg.message
        numbers = (n if rng.random() < skill else rng.choice(message) for n in message)
        return Hidden(tuple(numbers), rng.randint(1, self.steg.between + 1))

    def edit(self, plan: Hidden, rng: random.Random) -> Hidden:
        """Change the distance by a word, or set one number or put it right."""
        if rng.random() < 0.3:
            return Hidden(plan.numbers, max(0, plan.gap + rng.choice((-1, 1))))
        place = rng.randrange(len(self.steg.message))
        number = rng.choice((self.steg.message[place], *self.steg.message))
        return Hidden((*plan.numbers[:place], number, *plan.numbers[place + 1 :]), plan.gap)

    def cross(self, one: Hidden, other: Hidden, rng: random.Random) -> Hidden:
        """Begin as one, end as the other."""
        cut = rng.randrange(len(self.steg.message) + 1)
        return Hidden((*one.numbers[:cut], *other.numbers[cut:]), rng.choice((one.gap, other.gap)))

    def write(self, plan: Hidden) -> str:
        """Write cipher and verse; the code words are w followed by letters."""
        known = sorted({*self.steg.message, *plan.numbers})
        words = {
            number: f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i, number in enumerate(known)
        }
        lines = [" ".join(["la"] * plan.gap + [words[number]]) for number in plan.numbers]
        return write_poem(Poem(tuple(words.items()), "\n".join(lines)))

    def read(self, text: str) -> list[Hidden]:
        """Read each cipher with its poem."""
        poems = map(parse_poem, re.split(r"(?=\bCIPHER:)", text)[1:])
        found = [decode(poem) for poem in poems if poem is not None]
        return [Hidden(numbers, round(min(gap, 20))) for numbers, gap in found]

    def persists(self, said: str, after: Sequence[str]) -> bool:
        """Tell the distance by its beginning, code words by the sentence."""
        return any(line == said or line[:10] == said[:10] == "There are " for line in after)


def _reorder(plan: Order, rng: random.Random) -> Order:
    """Swap two, or move one."""
    order = [*plan]
    a, b = rng.randrange(len(order)), rng.randrange(len(order))
    if rng.random() < 0.5:
        order[a], order[b] = order[b], order[a]
    else:
        order.insert(b, order.pop(a))
    return tuple(order)


_MOVES: Mapping[type, Any] = {
    Trip: TripMoves,
    Meetings: MeetingMoves,
    Calendar: CalendarMoves,
    StegPoet: StegMoves,
}
