"""Calls side by side that survive one another's failures, and a model's pick among candidates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, FinishReason, Problem, Request, Sample, Usage
from workspan.errors import BudgetExceeded, EngineError, first_error
from workspan.strategies.chosen import choice
from workspan.strategies.listing import beside, listing
from workspan.verifiers.spoken import is_whole

T = TypeVar("T")
R = TypeVar("R")

CUT: frozenset[FinishReason] = frozenset({"budget", "deadline"})
"""How a sample ends that the account cut: half a thought, no match for a whole one before it."""


async def each(session: Session, requests: Sequence[Request]) -> list[Sample | None]:
    """Draw one sample of each request at once; see `surviving`."""
    return await surviving(session, lambda branch, request: branch.sample(request), requests)


async def surviving(
    session: Session, fn: Callable[[Session, T], Awaitable[R]], items: Sequence[T]
) -> list[R | None]:
    """Run `fn` over items at once; None where a call failed or did not fit.

    Raises:
        BudgetExceeded: nothing came back, and something did not fit.
        EngineError: nothing came back; `keys` names all failed calls.
    """
    errors: list[BudgetExceeded | EngineError] = []

    async def one(session: Session, item: T) -> R | None:
        try:
            return await fn(session, item)
        except (BudgetExceeded, EngineError) as error:
            errors.append(error)
            return None

    results = await session.map(one, items)
    if len(errors) == len(items):
        raise first_error(errors)
    return results


def cycled(engines: Sequence[str], n: int) -> list[str]:
    """Name an engine for each of `n` calls, in turn; the run's own if there are none to name."""
    return [engines[i % len(engines)] if engines else "" for i in range(n)]


async def select(
    session: Session, problem: Problem, candidates: Sequence[Candidate], rule: str, asked: Request
) -> Answer:
    """Let a model pick one of the candidates; its reply is then the pick's feedback.

    Where its choice can't be read, or there was none, the vote decides: the pick has no feedback.
    `rule` says what to choose by and how to write the choice; `asked` gives the cap, temperature
    and engine of the call.
    """
    vote = await session.vote(candidates, problem.kind)
    if len(candidates) < 2:
        return vote
    index, reply = await pick(session, problem, [one.text for one in candidates], rule, asked)
    if index is None:
        session.notice("no_verdict", "no choice of a candidate could be read: the vote decides")
        return vote
    return replace(vote, best=replace(candidates[index], feedback=reply), tied=False)


async def pick(
    session: Session, problem: Problem, texts: Sequence[str], rule: str, asked: Request
) -> tuple[int | None, str]:
    """Show a model some texts and return which one it chooses, with what it said.

    None is no choice: it could not be read, or there was no call. See `select` for the rest.
    """
    prompt = beside(problem.prompt, f"{listing(texts)}\n\n{rule}")
    reply, index = Sample("", "stop", Usage()), None
    with suppress(BudgetExceeded, EngineError):
        reply = await session.sample(replace(asked, prompt=prompt))
        index = choice(reply.text, len(texts), finished=is_whole(reply))
    return index, reply.text
