"""What a form is: a way to write an answer whose value the generator knows beforehand."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Written:
    """One answer, written one way.

    Attributes:
        text: the answer as it stands in a reply.
        truth: the same answer, as plainly as it can be written; "" where `text` gives no answer.
        differs: other answers, among them what a careless reader takes `text` for.
        equals: other ways to write the same answer.
    """

    text: str
    truth: str
    differs: tuple[str, ...]
    equals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A named way to write an answer.

    Attributes:
        name: family and form, "thousands.swiss".
        kinds: the kinds of answer it is written for.
        write: draws one answer.
        latex: it belongs between dollars, and stands in a box.
        prose: it can stand in the middle of a sentence, before a unit word or a reason.
        boxes: it can stand in a box.
        source: where the field writes so, or "".
    """

    name: str
    kinds: tuple[str, ...]
    write: Callable[[random.Random], Written]
    latex: bool = False
    prose: bool = True
    boxes: bool = True
    source: str = ""


NUMERIC = ("number", "math")


def other_than(truth: str, *answers: str) -> tuple[str, ...]:
    """Return the answers that are not the truth itself, each once."""
    known = _fraction(truth)
    other = (a for a in answers if a and a != truth and (known is None or _fraction(a) != known))
    return tuple(dict.fromkeys(other))


def _fraction(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
