"""Reading answers out of model text and telling whether two of them are the same.

Nothing here sees a reference answer. The text is untrusted: it is bounded, never evaluated, and
read in linear time.

One rule for every kind, two steps:

1. *Marked* answers count first, the last one that can be read: ``\\boxed{...}``,
   ``<answer>...</answer>``, ``#### ...``, ``Answer: ...`` and ``the answer is ...``.
2. Without one, a finished text still says something: its last line (text), last formula or number
   (math), last number (number), last option letter (choice), last fenced block (code).

An *open* answer is the whole text: an essay, a plan. *Symbols* are those of a small grammar: a
finished chain's come after its last ``=``, and ``?`` is no answer.

An unfinished text (`finished=False`: the model was cut) has only the first step, and only marks
that were closed before the cut: half a chain of thought is no answer, and half a number neither.
"""

from collections.abc import Mapping, Set
from typing import Protocol

from workspan.answers import algebra, choice, code, math, number, symbols, text, whole
from workspan.types import AnswerKind

__all__ = ["MARKED", "compared", "equivalent", "extract", "may_take_long", "prepare"]

MARKED = "Think step by step. End with a line of the form: Answer: <answer>"
"""An instruction that makes a model mark its answer as `extract` reads it."""


class _Reader(Protocol):
    def extract(self, text: str, *, finished: bool) -> str | None: ...
    def equivalent(self, a: str, b: str) -> bool: ...


_KINDS: Mapping[AnswerKind, _Reader] = {
    "text": text,
    "math": math,
    "number": number,
    "choice": choice,
    "code": code,
    "open": whole,
    "symbols": symbols,
}
_WINDOW = 32_768


def extract(text: str, kind: AnswerKind, *, finished: bool = True) -> str | None:
    """Return the answer that `text` gives, or None where it gives none.

    Args:
        text: what a model wrote; only its last 32,768 characters are read.
        kind: how the answer is written.
        finished: the model ended by itself (`Sample.finish` is "stop").
    """
    return _KINDS[kind].extract(text[-_WINDOW:], finished=finished)


def equivalent(a: str, b: str, kind: AnswerKind, seconds: float | None = None) -> bool:
    """Tell whether two answers say the same, whatever their order.

    Those that can't be compared in time count as different: see `compared`.
    """
    return compared(a, b, kind, seconds) is True


def compared(a: str, b: str, kind: AnswerKind, seconds: float | None = None) -> bool | None:
    """Compare two answers; None if the time was up first.

    Args:
        a: an answer.
        b: another.
        kind: how they are written.
        seconds: wall clock for this comparison; its own default bound, in processor time, holds in
            any case.
    """
    if a == b:
        return True
    if kind == "math":
        return math.compared(a, b, seconds)
    return _KINDS[kind].equivalent(a, b)


def prepare(kind: AnswerKind) -> None:
    """Load what comparing answers of this kind takes: seconds, the first time.

    Raises:
        GraderError: it can't be loaded.
    """
    if kind == "math":
        algebra.prepare()


def may_take_long(answers: Set[str], kind: AnswerKind) -> bool:
    """Say whether comparing these answers with each other may take more than milliseconds."""
    return kind == "math" and len(answers) > 1
