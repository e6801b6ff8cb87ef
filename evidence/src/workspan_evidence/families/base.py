"""What every family makes: instances, the chains to learn from, and verdicts on a model's chain."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeVar

from workspan_evidence.grammar import ANSWER, EOS, decode

Problem = TypeVar("Problem", bound="Instance")


@dataclass(frozen=True, slots=True)
class Instance:
    """One problem in the grammar, with what a checker needs."""

    prompt: tuple[int, ...]
    """Token ids; the last is the chain's first symbol (a source node, a first cell)."""
    answer: int
    """The right answer's token id."""
    candidates: tuple[int, ...]
    """The ids an answer is chosen from: 1 / len(candidates) is chance."""

    @property
    def text(self) -> str:
        """The prompt as text, for any engine."""
        return decode(self.prompt)


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain to learn from: what follows a prompt."""

    ids: tuple[int, ...]
    """Token ids up to and with ``= answer </s>``, or cut at the family's longest chain."""
    choices: tuple[tuple[int, ...], ...]
    """For each of `ids`, the tokens that the strategy would pick from with equal probability."""
    unsure: int
    """At the first `unsure` positions of `ids`, a forced ``=`` is to be followed by ``?``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a checker says of a model's chain."""

    answer: int | None
    """The token after ``=``; None where there is none or the chain abstained."""
    correct: bool
    found: bool
    """Every step is legal and the last one before ``=`` proves the right answer."""
    legal: bool
    """Every step up to ``=``, or to the chain's end, is one that the problem allows."""
    moves: int
    """Tokens before ``=``."""
    backtracks: int = 0


class Family(Protocol[Problem]):
    """Problems of one kind and size."""

    def problem(self, rng: Random) -> Problem:
        """Draw a problem with fresh labels."""
        ...

    def chain(self, instance: Problem, rng: Random) -> Chain:
        """Draw a chain of the family's strategy, in the family's format."""
        ...

    def check(self, instance: Problem, ids: tuple[int, ...]) -> Verdict:
        """Judge a model's chain: the ids after the prompt, with or without their end."""
        ...


def split_answer(ids: tuple[int, ...]) -> tuple[tuple[int, ...], int | None]:
    """Return the steps before the first ``=`` and the token after it, where there is one."""
    if ANSWER not in ids:
        return tuple(i for i in ids if i != EOS), None
    at = ids.index(ANSWER)
    return ids[:at], ids[at + 1] if at + 1 < len(ids) else None
