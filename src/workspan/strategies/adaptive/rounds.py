"""The loop that adaptive votes share: draw a round, ask the rule, draw the next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator

from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, first_error
from workspan.strategies.reading import read


async def vote_in_rounds(
    problem: Problem,
    session: Session,
    request: Request,
    sizes: Iterable[int],
    is_enough: Callable[[Answer, list[Candidate]], Awaitable[bool]],
) -> Answer:
    """Draw rounds of so many samples, each round at once, until `is_enough`; return the vote.

    `sizes` has the samples of each round; one that fails counts as drawn. `is_enough` sees the vote
    over everything and the candidates of the last round.

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
