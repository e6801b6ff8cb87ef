"""Families with one right chain: its steps follow from the prompt, one after another.

Labels stand for numbers here (n3 is 3), so these families draw no fresh names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from workspan_evidence.families.base import Chain, Instance, Verdict, split_answer
from workspan_evidence.grammar import ABSTAIN, ANSWER, EOS

Format = Literal["steps", "direct"]
"""Every step written out before the answer, or the answer alone."""


@dataclass(frozen=True, slots=True)
class ScriptInstance(Instance):
    """A problem and the one chain that solves it."""

    steps: tuple[int, ...]
    """The chain before ``=``, whatever the format."""
    known: int
    """How many of `steps` must be there for the answer to stand among them."""
    format: Format


class Script:
    """What such families have in common."""

    __slots__ = ()

    def chain(self, instance: ScriptInstance, rng: Random) -> Chain:
        """Return the one chain there is, in the instance's format."""
        del rng
        ending = (ANSWER, instance.answer, EOS)
        is_direct = instance.format == "direct"
        ids = ending if is_direct else (*instance.steps, *ending)
        return Chain(ids, tuple((symbol,) for symbol in ids), 0 if is_direct else instance.known)

    def check(self, instance: ScriptInstance, ids: tuple[int, ...]) -> Verdict:
        """Compare a model's steps with the right ones; fewer are legal, but prove nothing."""
        steps, answer = split_answer(ids)
        is_legal = steps == instance.steps[: len(steps)]
        is_correct = answer == instance.answer
        return Verdict(
            answer=None if answer in (ABSTAIN, None) else answer,
            correct=is_correct,
            found=is_legal and is_correct and len(steps) >= instance.known,
            legal=is_legal,
            moves=len(steps),
        )


def rows(table: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Write rows one after another, each behind the number of steps that are left after it."""
    last = len(table) - 1
    return tuple(symbol for t, row in enumerate(table) for symbol in (last - t, *row))
