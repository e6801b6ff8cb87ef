"""Rush Hour: cars that slide along their line until the red one is out."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from workspan.tasks.graders.puzzles.forms import Entry, words

_SIDE = 6
_RED = "A"
_MOVE = re.compile(r"([A-Z])([+-])(\d)")
_State = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Lot:
    """What does not change: which car lies along which line, and the walls."""

    cars: tuple[str, ...]
    sizes: tuple[int, ...]
    lines: tuple[int, ...]
    """Row of a car that lies across, column of one that stands."""
    lies: tuple[bool, ...]
    walls: frozenset[int]

    def cells(self, car: int, at: int) -> range:
        """Return where a car is whose first cell is the `at`-th of its line."""
        if self.lies[car]:
            start = self.lines[car] * _SIDE + at
            return range(start, start + self.sizes[car])
        start = at * _SIDE + self.lines[car]
        return range(start, start + self.sizes[car] * _SIDE, _SIDE)

    def taken(self, state: _State, but: int) -> frozenset[int]:
        """Return the cells of walls and of all cars but one."""
        cars = (c for c in range(len(self.cars)) if c != but)
        return self.walls.union(*(self.cells(c, state[c]) for c in cars))

    def slide(self, state: _State, car: int, by: int) -> _State | None:
        """Move a car; None where something is in its way."""
        taken, step = self.taken(state, car), 1 if by > 0 else -1
        for at in range(state[car] + step, state[car] + by + step, step):
            inside = 0 <= at <= _SIDE - self.sizes[car]
            if not inside or taken & set(self.cells(car, at)):
                return None
        return (*state[:car], state[car] + by, *state[car + 1 :])

    def is_out(self, state: _State) -> bool:
        """Tell whether the red car is at the right edge."""
        red = self.cars.index(_RED)
        return state[red] == _SIDE - self.sizes[red]


def _lot(board: str) -> tuple[_Lot, _State]:
    places: dict[str, list[int]] = {}
    for at, sign in enumerate(board):
        places.setdefault(sign, []).append(at)
    walls = frozenset(places.pop("x", []))
    for empty in ("o", "."):
        places.pop(empty, None)
    cars = tuple(sorted(places))
    lies = tuple(places[car][1] - places[car][0] == 1 for car in cars)
    firsts = [places[car][0] for car in cars]
    lines = tuple(
        at // _SIDE if flat else at % _SIDE for at, flat in zip(firsts, lies, strict=True)
    )
    state = tuple(
        at % _SIDE if flat else at // _SIDE for at, flat in zip(firsts, lies, strict=True)
    )
    sizes = tuple(len(places[car]) for car in cars)
    return _Lot(cars, sizes, lines, lies, walls), state


def drives_out(answer: str, entry: Entry) -> bool:
    """Tell whether moves, none through a car or wall, bring the red car to the exit."""
    lot, state = _lot(entry["metadata"]["board_config"])
    moves = words(answer).removesuffix(".").split()
    for move in moves[:1_000]:
        found = _MOVE.fullmatch(move.strip(","))
        if found is None or found[1] not in lot.cars or found[3] == "0":
            return False
        by = int(found[3]) * (1 if found[2] == "+" else -1)
        after = lot.slide(state, lot.cars.index(found[1]), by)
        if after is None:
            return False
        state = after
    return 0 < len(moves) <= 1_000 and lot.is_out(state)


def driven_out(entry: Entry) -> str:
    """Find a shortest solution, breadth first."""
    lot, start = _lot(entry["metadata"]["board_config"])
    before: dict[_State, tuple[_State, str]] = {}
    queue = deque([start])
    seen = {start}
    while queue:
        state = queue.popleft()
        if lot.is_out(state):
            return " ".join(_back(state, before))
        for after, move in _next(lot, state):
            if after not in seen:
                seen.add(after)
                before[after] = (state, move)
                queue.append(after)
    return ""


def _next(lot: _Lot, state: _State) -> Iterator[tuple[_State, str]]:
    board = lot.walls.union(*(lot.cells(c, at) for c, at in enumerate(state)))
    for car, at in enumerate(state):
        for step in (1, -1):
            by = step
            while True:
                front = at + by + (lot.sizes[car] - 1 if step > 0 else 0)
                if not 0 <= front < _SIDE:
                    break
                cell = (
                    lot.lines[car] * _SIDE + front
                    if lot.lies[car]
                    else front * _SIDE + lot.lines[car]
                )
                if cell in board:
                    break
                yield (*state[:car], at + by, *state[car + 1 :]), f"{lot.cars[car]}{by:+d}"
                by += step


def _back(state: _State, before: dict[_State, tuple[_State, str]]) -> list[str]:
    moves = []
    while state in before:
        state, move = before[state]
        moves.append(move)
    return moves[::-1]
