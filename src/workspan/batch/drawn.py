"""What a run drew, beside what it chose: how right a random pick is, and the best there was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import fsum

from workspan.data.types import Answer, Candidate

MOST_GRADED = 64
"""Different answers of one run, beyond which they are not graded."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """How right the candidates of one run are. It uses the reference: no strategy sees it."""

    random: float
    """Mean grade of the candidates with an answer: what a random selector gets. A vote or judge
    that is not above it does not select."""
    coverage: float
    """The best grade among them: whether the right answer was drawn at all."""


NOTHING = Drawn(0.0, 0.0)
"""Of a run without an answer."""


def drawn(grades: Sequence[float]) -> Drawn:
    """Sum up the grades of a run's candidates with an answer, one each."""
    return Drawn(fsum(grades) / len(grades), max(grades)) if grades else NOTHING


def answers_of(answer: Answer) -> list[str]:
    """Return the answer of each candidate that has one; the answer alone where none are told."""
    held: Sequence[Candidate | None] = answer.candidates or (answer.best,)
    return [one.answer for one in held if one is not None and one.answer is not None]


async def graded(
    answer: Answer, chosen: float, grade: Callable[[str], Awaitable[float]]
) -> Drawn | None:
    """Grade what a run drew, each different text once; None where it is too many.

    Args:
        answer: what came of the run.
        chosen: the grade of the answer itself.
        grade: grades another one.
    """
    answers = answers_of(answer)
    if len({*answers}) > MOST_GRADED:
        return None
    known = {} if answer.text is None else {answer.text: chosen}
    for one in answers:
        if one not in known:
            known[one] = await grade(one)
    return drawn([known[one] for one in answers])
