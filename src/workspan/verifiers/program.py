"""Verifiers that are programs: what they share is what they don't need, a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import InputError, VerifierError
from workspan.registry.card import Card


class Program(ABC):
    """Base of a verifier that reads a problem's own constraints and costs no call.

    Example:
        >>> class Short(Program):
        ...     def judge(self, problem, candidate):
        ...         return Score(float(len(candidate.text) < 80))
    """

    requires: ClassVar[frozenset[Capability]] = frozenset()

    @abstractmethod
    def judge(self, problem: Problem, candidate: Candidate) -> Score:
        """Judge one candidate.

        Raises:
            InputError: the problem is none of those that it knows.
        """

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:  # noqa: ARG002
        """Judge one candidate.

        Raises:
            VerifierError: the problem is none of those that it knows.
        """
        try:
            return self.judge(problem, candidate)
        except InputError as error:
            raise VerifierError(f"problem {problem.id}: {error}") from error


def free(example: str, *, source: str, needs: str, helps: str) -> Card:
    """Make the card of a verifier that costs nothing and knows one kind of problem."""
    return Card(
        example=example,
        source=source,
        calls="0",
        work="0",
        span="0",
        needs=needs,
        helps=helps,
        hurts="Nothing else: other problems have no verdict.",
    )
