"""The same work several times side by side, whatever part of it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from workspan.core.session import Session
from workspan.errors import BudgetExceeded, EngineError, first_error

T = TypeVar("T")


async def at_once(session: Session, fn: Callable[[Session], Awaitable[T]], n: int) -> list[T]:
    """Run `fn` n times, each in a session of its own, and leave out what fails; in order.

    Raises:
        BudgetExceeded: none fit.
        EngineError: every one failed; `keys` names the failed calls.
    """
    failures: list[BudgetExceeded | EngineError] = []

    async def one(session: Session, _: int) -> list[T]:
        try:
            return [await fn(session)]
        except (BudgetExceeded, EngineError) as error:
            failures.append(error)
            return []

    found = await session.map(one, range(session.branches(n)))
    done = [result for results in found for result in results]
    if not done:
        raise first_error(failures)
    return done
