"""Recorded answers as a replay says them: so that what is read back is what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workspan.answers import equivalent, extract
from workspan.data.types import AnswerKind

_LETTERS = str.maketrans("0123456789", "abcdefghij")


def spoken(answers: Iterable[str], kind: AnswerKind) -> Mapping[str, str]:
    """Map each answer of one problem to what its chain says.

    That is the answer itself where the reader of answers finds it again after "Answer: ", and
    a name of its own where it does not: grids and programs over several lines, for one.
    """
    said: dict[str, str] = {}
    for answer in answers:
        if answer not in said:
            found = extract(f"\nAnswer: {answer}", kind)
            is_same = found is not None and equivalent(found, answer, kind)
            said[answer] = answer if is_same else unnamed(len(said))
    return said


def unnamed(number: int) -> str:
    """Name an answer that can't be said, or was not logged: equal to no other of its problem."""
    return "unnamed " + str(number).translate(_LETTERS)
