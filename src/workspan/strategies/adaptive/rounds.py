"""The loop that adaptive votes share: draw a round, ask the rule, draw the next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Protocol, TypeAlias

from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least, first_error
from workspan.strategies.reading import read


class Rounds(Protocol):
    """The dials of a strategy that draws samples one after another until a rule is content."""

    @property
    def n(self) -> int:
        """Samples, at most."""
        ...

    @property
    def batch(self) -> int:
        """Samples drawn at once, between two looks."""
        ...

    @property
    def max_tokens(self) -> int:
        """Of a sample."""
        ...

    @property
    def temperature(self) -> float:
        """Of all samples."""
        ...


IsEnough: TypeAlias = Callable[[Answer, list[Candidate]], Awaitable[bool]]
"""A stop rule: sees the vote over everything and the candidates of the last round."""


def check_rounds(dials: Rounds) -> None:
    """Refuse dials out of range."""
    at_least(1, n=dials.n, batch=dials.batch, max_tokens=dials.max_tokens)
    at_least(0, temperature=dials.temperature)


async def vote_until(
    dials: Rounds, problem: Problem, session: Session, is_enough: IsEnough
) -> Answer:
    """Vote in rounds of `batch`, until a rule is content or n are drawn; see `vote_in_rounds`."""
    request = Request(problem.prompt, max_tokens=dials.max_tokens, temperature=dials.temperature)
    return await vote_in_rounds(problem, session, request, rounds(dials.n, dials.batch), is_enough)


async def vote_in_rounds(
    problem: Problem,
    session: Session,
    request: Request,
    sizes: Iterable[int],
    is_enough: IsEnough,
) -> Answer:
    """Draw rounds of so many samples, each round at once, until `is_enough`; return the vote.

    `sizes` has the samples of each round; one that fails counts as drawn.

    Raises:
        BudgetExceeded: not even one sample fits.
        EngineError: every sample failed.
    """
    candidates: list[Candidate] = []
    errors: list[BudgetExceeded | EngineError] = []
    for size in sizes:
        try:
            latest = read(problem, await session.samples(request, size))
        except BudgetExceeded as error:
            errors.append(error)
            break
        except EngineError as error:
            errors.append(error)
            continue
        candidates += latest
        vote = await session.vote(candidates, problem.kind)
        if vote.best is not None:
            session.best(vote.best)
        if await is_enough(vote, latest):
            return vote
    if not candidates:
        raise first_error(errors)
    return await session.vote(candidates, problem.kind)


def rounds(n: int, size: int) -> Iterator[int]:
    """Split n samples into rounds of `size`; the last may be smaller."""
    return (min(size, n - drawn) for drawn in range(0, n, size))


def tally(vote: Answer) -> list[int]:
    """Return the votes of each answer, most first."""
    return [round(votes.weight) for votes in vote.votes]
