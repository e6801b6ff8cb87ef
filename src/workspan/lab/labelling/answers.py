"""Answers that were written by `solve`, and a fair choice of those to be judged."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from workspan.boundary.inputs import read_whole
from workspan.errors import DataError, InputError

STRATA = 5
"""Parts of equal size, from least agreement to most."""


MOST = 1_000_000
"""Draws of a problem; a file that tells of more is none of ours."""

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]


class Voted(msgspec.Struct, frozen=True):
    """An answer and its votes."""

    answer: str
    weight: Annotated[float, msgspec.Meta(ge=-MOST, le=MOST)]


class Answered(msgspec.Struct, frozen=True):
    """What a line of answers tells."""

    problem: str
    answer: str | None
    text: str | None = None
    votes: tuple[Voted, ...] = ()
    model: str = ""
    strategy: str = ""
    work: int = 0
    calls: Count = 0
    failures: Count = 0
    stop: str = "done"
    """What ended the run: the strategy, or a limit."""

    @property
    def agreement(self) -> float:
        """Share of the votes that the first answer has; 0 without any."""
        total = sum(one.weight for one in self.votes)
        return self.votes[0].weight / total if total else 0.0


class Chosen(msgspec.Struct, frozen=True):
    """An answer that is to be judged."""

    answered: Answered
    stratum: int
    """Which fifth of all answers it is of, by agreement; 0 has the least."""
    probability: float
    """With which it was chosen: the same for all."""


def read_answers(path: Path) -> list[Answered]:
    """Read what `solve --output` wrote; of two answers to a problem, the last.

    Raises:
        DataError: the file can't be read, or a line is no answer.
    """
    found: dict[str, Answered] = {}
    lines = read_whole(path).splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=Answered)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            said = f"not an answer of workspan solve --output: {error}"
            raise DataError(said, path=str(path), line=number) from error
        found[one.problem] = one
    return [*found.values()]


def choose(answers: Sequence[Answered], n: int, seed: int = 0) -> list[Chosen]:
    """Choose n answers to be judged, and shuffle them, so that any first part is a fair one too.

    Answers are put in order of agreement, equal ones at random, and every so many of them is taken
    from a random start (systematic sampling): each is chosen with the same probability, n / N, and
    every degree of agreement is there in its share.

    Raises:
        InputError: n is below 1, or there is no answer to judge.
    """
    if n < 1:
        raise InputError(f"n is {n}: at least 1 answer to judge")
    held = [one for one in answers if one.answer is not None]
    if not held:
        raise InputError("none of the problems has an answer: there is nothing to judge")
    rng = random.Random(seed)
    order = sorted(held, key=lambda one: (one.agreement, rng.random()))
    n, total = min(n, len(held)), len(held)
    start = rng.random()
    places = [int((start + i) * total / n) for i in range(n)]
    chosen = [Chosen(order[place], STRATA * place // total, n / total) for place in places]
    rng.shuffle(chosen)
    return chosen


def questions(rows: Mapping[str, str], chosen: Sequence[Chosen]) -> None:
    """Refuse questions that are of other problems.

    Raises:
        InputError: none of the chosen has one.
    """
    if rows and not any(one.answered.problem in rows for one in chosen):
        raise InputError(
            f"the problems are others: such as {min(rows)!r}, where the answers have "
            f"{chosen[0].answered.problem!r}"
        )
