"""Runs by their numbers, side by side on one event loop, and the promises that they broke."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import anyio

from workspan.testing.fuzz.judge import Problem


class Numbered(Protocol):
    """What a run is, drawn from its number."""

    @property
    def number(self) -> int:
        """Repeats it."""
        ...


C = TypeVar("C", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Failure(Generic[C]):
    """A broken promise, and how to see it again."""

    case: C
    problem: Problem
    program: str
    """The module that runs such cases, with what else its command line says of them."""

    def __str__(self) -> str:
        again = f"python -m {self.program} --run {self.case.number}"
        return f"{self.problem.code}: {self.problem.text}\n    {self.case}\n    {again}"


@dataclass(slots=True)
class Failures(Generic[C]):
    """Those of all runs of a program."""

    program: str
    found: list[Failure[C]] = field(default_factory=list)

    def add(self, case: C, problems: Iterable[Problem], options: str = "") -> None:
        """Take what one run broke; `options` are of its command line, beside its number."""
        program = f"{self.program} {options}".rstrip()
        self.found += [Failure(case, problem, program) for problem in problems]

    @property
    def runs(self) -> int:
        """Runs that broke any."""
        return len({failure.case.number for failure in self.found})

    def sort(self) -> None:
        """Put them in the order of the runs, whichever ended first."""
        self.found.sort(key=lambda failure: failure.case.number)


def side_by_side(
    one: Callable[[int], Awaitable[None]], numbers: Sequence[int], at_once: int
) -> None:
    """Do `one` for each number, so many at a time."""
    waiting = iter(numbers)

    async def one_after_another() -> None:
        for number in waiting:
            await one(number)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(one_after_another)

    anyio.run(main)


def arguments(program: str, at_once: int, about: str | None = None) -> argparse.ArgumentParser:
    """Return a command line that says which runs, how many at a time, and how many are shown."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=about)
    parser.add_argument("--run", type=int, help="one run, by its number")
    parser.add_argument("--first", type=int, default=0, help="number of the first run")
    parser.add_argument("--runs", type=int, default=1000, help="how many")
    parser.add_argument("--at-once", type=int, default=at_once, help="runs in flight")
    parser.add_argument("--shown", type=int, default=3, help="runs shown of each kind of failure")
    return parser


def numbers_of(told: argparse.Namespace) -> Sequence[int]:
    """Return the numbers of the runs that such a line says."""
    return range(told.first, told.first + told.runs) if told.run is None else [told.run]
