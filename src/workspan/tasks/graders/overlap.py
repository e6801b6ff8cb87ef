"""Exact match and F1 of words, as question answering measures itself (SQuAD, arXiv:1606.05250)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workspan.errors import GraderError
from workspan.tasks.base import NO_ANSWER, Grade, Task, references

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_LONGEST = 10_000


def normalise(text: str) -> str:
    """Lower the case, drop ASCII punctuation, then articles, then extra space."""
    plain = text[:_LONGEST].lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", plain).split())


def exact_match(answer: str, references: Iterable[str]) -> float:
    """Return 1.0 if the answer is one of the references once both are normalised, else 0.0."""
    return float(any(normalise(answer) == normalise(reference) for reference in references))


def f1(answer: str, references: Iterable[str]) -> float:
    """Return the harmonic mean of precision and recall of words, the best over the references.

    Words are counted with repetition. Texts that normalise to nothing agree with one another only.
    """
    return max((_f1(answer, reference) for reference in references), default=0.0)


def _f1(answer: str, reference: str) -> float:
    said, right = normalise(answer).split(), normalise(reference).split()
    if not said or not right:
        return float(said == right)
    shared = sum((Counter(said) & Counter(right)).values())
    return 2 * shared / (len(said) + len(right))


@dataclass(frozen=True, slots=True)
class ExactMatch:
    """Right is what equals the reference, or an alias, but for case, punctuation and articles."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Grade an answer 1 or 0; raises GraderError where the task has no reference."""
        return _grade(task, answer, exact_match)


@dataclass(frozen=True, slots=True)
class F1:
    """Grade by the words shared with the reference: between 0 and 1."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Grade an answer; raises GraderError where the task has no reference."""
        return _grade(task, answer, f1)


def _grade(task: Task, answer: str | None, measure: Callable[[str, Iterable[str]], float]) -> Grade:
    if not task.reference:
        raise GraderError(f"problem {task.problem.id} has no reference answer to grade by")
    if answer is None:
        return NO_ANSWER
    value = measure(answer, references(task))
    return Grade(value, "" if value == 1 else f"the reference is {task.reference[:200]!r}")
