"""Reading answers out of model text and telling whether two of them are the same.

Nothing here sees a reference answer. The text is untrusted: it is bounded, never evaluated, and
read in linear time. What can't be read is no answer, never a plausible guess. `docs/answers.md`
states the rules; `read` says which of them an answer was read by and where it stood.

Before anything else, thinking is cut, and so is a question that a model went on to ask itself. Then
two steps:

1. *Marked* answers count first, the last one: ``\\boxed{...}``, ``<answer>...</answer>``, ``####
...``,
   ``Answer: ...``, ``the answer is ...``, a heading, a member of a JSON object.
2. Without one, a finished text still says something: its last line (text), last formula or number
   (math), last number (number), the option letter that it names at its end (choice), its program
   (code), its last value (json).

An *open* answer is the whole text: an essay, a plan. *Symbols* are those of a small grammar: a
finished chain's come after its last ``=``, and ``?`` is no answer.

An unfinished text (`finished=False`: the model was cut) has only the first step, and only marks
that were closed before the cut: half a chain of thought is no answer, and half a number neither.

Two answers are the same when their *keys* are equal (`canonical`). So equality is reflexive,
symmetric and transitive in every kind, and a vote costs a key for each answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from workspan.answers import signs
from workspan.answers.said import CUT, Found, Said
from workspan.answers.thinking import Visible, visible
from workspan.answers.turns import contained, reply_end
from workspan.data.types import AnswerKind

__all__ = [
    "MARKED",
    "Reading",
    "canonical",
    "compared",
    "equivalent",
    "extract",
    "is_cut",
    "may_take_long",
    "prepare",
    "read",
]

MARKED = "Think step by step. End with a line of the form: Answer: <answer>"
"""An instruction that makes a model mark its answer as `extract` reads it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer, and why it was read as one."""

    answer: str
    kind: AnswerKind
    span: tuple[int, int]
    """Characters of the text that it stands in, the end excluded."""
    rule: str
    """What made it the answer, in a few words."""


class _Reader(Protocol):
    def read(self, said: Said) -> Found | None: ...
    def key(self, answer: str) -> Hashable: ...


_READERS: Mapping[AnswerKind, str] = {
    "text": "text",
    "math": "math",
    "number": "number",
    "choice": "choice",
    "code": "code",
    "open": "whole",
    "symbols": "symbols",
    "json": "structured",
}
"""The module of each kind, loaded for its first answer: all together are most of an import."""
_WINDOW = 131_072
_IN_TAGS = ("number", "math", "choice", "text", "json")
"""Kinds whose answers may stand in a tag such as <output>, which none of them would hold."""
_ENDLESS = ("open", "code")
"""Kinds that no question of the model's own follows."""


@cache
def _reader(kind: AnswerKind) -> _Reader:
    return cast("_Reader", import_module(f"workspan.answers.{_READERS[kind]}"))


def read(
    text: str,
    kind: AnswerKind,
    *,
    finished: bool = True,
    reasoning: str = "",
    asked: str = "",
    schema: Mapping[str, Any] | None = None,
) -> Reading | None:
    """Return the answer that `text` gives and where, or None where it gives none.

    Args:
        text: what a model wrote; the last 131,072 characters of it are read.
        kind: how the answer is written.
        finished: the model ended by itself (`Sample.finish` is "stop").
        reasoning: its thinking as the engine reported it apart; never read, and cut where the text
            repeats it.
        asked: the name that a program must define (kind "code"), if the task says it.
        schema: what a JSON value must be like (kind "json"); another is no answer.

    Raises:
        InputError: the schema says something that is not understood.
    """
    found = _found(text, kind, finished, reasoning, asked, schema)
    if found is None:
        return None
    (answer, *span, rule), seen, skipped = found
    first, last = (skipped + place for place in span)
    if seen:
        first, last = seen.original(first), seen.original(last, is_end=True)
    return Reading(answer, kind, (first, last), rule)


def _found(
    text: str,
    kind: AnswerKind,
    finished: bool,  # noqa: FBT001  # of this module alone, and called for every reply
    reasoning: str = "",
    asked: str = "",
    schema: Mapping[str, Any] | None = None,
) -> tuple[Found, Visible | None, int] | None:
    """Return what was found, what was visible, and how much of that was not looked at."""
    plain = signs.plain(text)
    low = signs.lower(plain)
    seen = visible(text, low, reasoning)
    if seen is not None:
        text = seen.text
        plain = signs.plain(text)
        low = signs.lower(plain)
    end = len(text) if kind == "symbols" else reply_end(text, low, has_answer=kind not in _ENDLESS)
    start = max(0, end - _WINDOW) if kind != "open" else 0
    closed = (finished and not (seen and seen.is_open)) or end < len(text)
    if ">" in low[-4:] and kind in _IN_TAGS and (inside := contained(low[start:end])):
        start, end, closed = start + inside[0], start + inside[1], True
    if start or end < len(text):
        text, plain, low = text[start:end], plain[start:end], low[start:end]
    if not text:
        return None
    found = _reader(kind).read(Said(text, plain, low, closed, asked, schema))
    return (found, seen, start) if found is not None and found.answer else None


def extract(text: str, kind: AnswerKind, *, finished: bool = True) -> str | None:
    """Return the answer that `text` gives, or None where it gives none.

    Args:
        text: what a model wrote.
        kind: how the answer is written.
        finished: the model ended by itself (`Sample.finish` is "stop").
    """
    found = _found(text, kind, finished)
    return None if found is None else found[0].answer


def canonical(answer: str, kind: AnswerKind, seconds: float | None = None) -> Hashable:
    """Return what answers that say the same share, and others do not.

    Args:
        answer: an answer, or a reference.
        kind: how it is written.
        seconds: wall clock that there is; only some formulas take any (`may_take_long`). One that
        was
            cut shares its key with its own text alone: see `is_cut`.
    """
    if kind == "math":
        from workspan.answers import math

        return math.key(answer, seconds)
    return _reader(kind).key(answer)


def is_cut(key: Hashable) -> bool:
    """Say whether a key stands for a formula that there was no time to compute."""
    return isinstance(key, tuple) and key[:1] == (CUT,)


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
    left, right = canonical(a, kind, seconds), canonical(b, kind, seconds)
    return True if left == right else None if is_cut(left) or is_cut(right) else False


def prepare(kind: AnswerKind) -> None:
    """Load what comparing answers of this kind may take: seconds, the first time.

    Raises:
        GraderError: it can't be loaded.
    """
    _reader(kind)
    if kind == "math":
        from workspan.answers import algebra

        algebra.prepare()


def may_take_long(answers: Set[str], kind: AnswerKind) -> bool:
    """Say whether comparing these answers with each other may take more than milliseconds."""
    if kind != "math" or len(answers) < 2:
        return False
    from workspan.answers import structures

    return any(map(structures.needs_help, answers))
