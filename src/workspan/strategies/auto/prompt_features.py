"""What a prompt shows before anything is decoded: a few numbers, no word of it.

They stand for how much there is to read, to keep in mind and to work off (length, names, numbers,
operations, nesting), and for the form of the answer (options to choose from). What they say of a
model is not assumed: `segments` looks for it in a calibration profile.
"""

from __future__ import annotations

import re

from workspan.data.types import Problem

NAMES = (
    "characters",
    "words",
    "lines",
    "numbers",
    "digits of the longest number",
    "share of words that are new",
    "marks",
    "operations",
    "brackets deep",
    "options",
)

_NUMBER = re.compile(r"\d+")
_MARK = re.compile(r"[^\w\s]")
_OPERATION = re.compile(r"[-+*/=<>^%×÷·]")
_OPTION = re.compile(r"^\s*\(?[A-Za-z1-9][).:]\s", re.MULTILINE)
_OPENING, _CLOSING = "([{", ")]}"


def prompt_features(problem: Problem) -> tuple[float, ...]:
    """Return one number for each of `NAMES`, of all turns of the prompt together.

    Empty where the prompt is not known, as in a recording without questions.
    """
    if not problem.is_asked:
        return ()
    text = "\n".join(turn.text for turn in problem.prompt)
    words = text.split()
    numbers = _NUMBER.findall(text)
    return (
        float(len(text)),
        float(len(words)),
        float(len(text.splitlines())),
        float(len(numbers)),
        float(max(map(len, numbers), default=0)),
        round(len({*words}) / len(words), 3) if words else 0.0,
        float(len(_MARK.findall(text))),
        float(len(_OPERATION.findall(text))),
        float(_nesting(text)),
        float(len(_OPTION.findall(text))),
    )


def _nesting(text: str) -> int:
    """Return how deep brackets stand within one another; one that closes nothing is passed over."""
    deep = deepest = 0
    for character in text:
        if character in _OPENING:
            deep += 1
            deepest = max(deepest, deep)
        elif character in _CLOSING:
            deep = max(0, deep - 1)
    return deepest
