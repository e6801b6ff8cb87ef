"""Which of the texts that it was shown a reply chooses."""

from __future__ import annotations

import re

from workspan.answers.thinking import spoken
from workspan.verifiers.spoken import plain

_CHOICE = re.compile(
    r"\bchoice[*_`\"]{0,4}(?:\s(?:is|number))?\s?[:=][^\w\n+-]{0,8}"
    r"(?:(?:solution|response|candidate|choice|number)[^\w\n+-]{1,8})?"
    r"(?P<number>-?\d{1,9})(?P<end>[^\w\n%/-]{0,8}$|[.;!)\]}>,](?!\s?\d)|\s\()?",
    re.IGNORECASE | re.MULTILINE,
)
_LIST = re.compile(
    r"[^\w+-]{0,8}(?:(?:choices?|solutions?|numbers?|answer)[^\w\n+-]{1,8})?"
    r"((?:\d{1,4}(?:\s*,\s*and\s+|\s+and\s+|\s*[,;]\s*|\s+))*\d{1,4})[^\w%?-]{0,8}",
    re.IGNORECASE,
)
_LONGEST_BARE, _LONGEST_LIST = 64, 400
_BARE = re.compile(
    r"[^\w+-]{0,8}(?:solution|response|candidate|choice)?[^\w+-]{0,8}(\d{1,9})[^\w%?-]{0,8}",
    re.IGNORECASE,
)


def choice(reply: str, n: int, *, finished: bool = True) -> int | None:
    """Read which of `n` numbered texts a reply chooses, as an index from 0; None is no choice.

    ``Choice: 3`` counts: on the last line, as it was asked for, or anywhere where no other choice
    is named. A reply that is nothing but a number does too, unless it was cut. Any other number
    may be part of the reasoning, and thinking is not read.

    Args:
        reply: all that the model wrote.
        n: how many texts there are.
        finished: False for a reply that was cut: a choice at its very end may go on.
    """
    said = plain(spoken(reply))
    marked = [m for m in _CHOICE.finditer(said) if finished or said[m.end() :].strip()]
    bare = _BARE.fullmatch(said[:64]) if finished and len(said) <= _LONGEST_BARE else None
    if not marked:
        number = int(bare[1]) if bare else 0
    elif any(m["end"] is None for m in marked):
        return None
    else:
        is_last = not said[marked[-1].end() :].strip()
        numbers = {int(m["number"]) for m in (marked[-1:] if is_last else marked)}
        number = numbers.pop() if len(numbers) == 1 else 0
    return number - 1 if 1 <= number <= n else None


def choices(reply: str, n: int) -> list[int]:
    """Read a reply that is a list of numbers of `n` texts, or ends with one, as indexes from 0.

    Empty where the reply holds more than numbers; those that name no text are left out.
    """
    lines = plain(spoken(reply)).strip().splitlines()
    named = _LIST.fullmatch(lines[-1].strip()[:_LONGEST_LIST]) if lines else None
    if named is None:
        return []
    numbers = (int(number) for number in re.findall(r"\d+", named[1]))
    return list(dict.fromkeys(number - 1 for number in numbers if 1 <= number <= n))
