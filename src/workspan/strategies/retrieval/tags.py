"""What a searching model wrote: an answer, queries, or neither. Only its own text is read here."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from workspan.answers import extract
from workspan.data.types import Candidate, Problem, Sample
from workspan.strategies.reading import candidate

STOP = ("</search>", "</answer>")
"""A turn ends with the first of them."""

_TAG = re.compile(r"<(/?)(search|answer)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the model."""

    text: str
    """Up to the first closing tag, which is put back where the stop took it."""
    tag: Literal["search", "answer", ""] = ""
    inside: str = ""


def read_turn(text: str, *, finished: bool) -> Turn:
    """Find what the turn does: the last tag opened before the first that closes.

    An open tag counts as closed where the model ended (`finished`), since the closing one is where
    it was told to stop; not where it was cut.
    """
    opened: re.Match[str] | None = None
    for tag in _TAG.finditer(text):
        if not tag[1]:
            opened = tag
        elif opened is not None and opened[2].lower() == tag[2].lower():
            return _turn(text[: tag.end()], opened, tag.start())
    if opened is None or not finished:
        return Turn(text)
    name = opened[2].lower()
    return _turn(f"{text}</{name}>", opened, len(text))


def _turn(text: str, opened: re.Match[str], end: int) -> Turn:
    is_search = opened[2].lower() == "search"
    return Turn(text, "search" if is_search else "answer", text[opened.end() : end].strip())


def read_attempt(problem: Problem, sample: Sample, turn: Turn) -> tuple[Candidate, bool]:
    """Return what a turn answers, and whether it marked that as its answer."""
    if turn.tag and not (turn.tag == "answer" and turn.inside):
        return Candidate(turn.text, None, key=sample.key), False
    if turn.tag and problem.kind == "open":
        return Candidate(turn.text, turn.inside, key=sample.key), True
    read = candidate(problem, replace(sample, text=turn.text))
    marked = turn.tag or extract(turn.text + "\n", problem.kind, finished=False) is not None
    return read, bool(marked) and read.answer is not None
