"""Accounts hold where tools are told of and servers send calls in every form, cut or whole."""

from __future__ import annotations

import math
import random
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import anyio
import pytest

from workspan.core.engine import Capability
from workspan.core.journal import Journal
from workspan.core.ledger import Ledger
from workspan.core.session import Session
from workspan.data.budget import Budget
from workspan.data.content import ToolSpec
from workspan.data.types import Amount, Answer, Problem, Request
from workspan.engines.endpoint import Endpoint
from workspan.errors import WorkspanError
from workspan.runner import run
from workspan.testing.faults import FAULTS, Fault, FaultyServer, Habits
from workspan.testing.faults.answering import CALLS
from workspan.testing.fuzz.case import case
from workspan.testing.fuzz.judge import due

PROBLEM = Problem.ask("What is the weather in Paris?")


@dataclass(frozen=True)
class Calling:
    """Draw several times at once, tools told of; an answer is of no account here."""

    n: int = 3
    max_tokens: int = 60
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        tools = (ToolSpec.function("f", "does it", {"type": "object"}),)
        request = Request(problem.prompt, max_tokens=self.max_tokens, tools=tools)
        await session.samples(request, self.n)
        await session.sample(request)
        return Answer(None)


@dataclass
class Left:
    """What a run left behind."""

    account: Ledger
    journal: Journal
    server: FaultyServer


async def called(habits: Habits, faults: tuple[Fault, ...], budget: Budget, cut: float) -> Left:
    """Run once; cancel when the server has decoded so much."""
    left = Left(
        Ledger(Budget()), Journal(sink=lambda _: None), FaultyServer(habits, faults, 1.0, seed=1)
    )
    async with left.server.serve():
        engine = Endpoint(left.server.url, "m", api_key="")
        try:
            async with anyio.create_task_group() as group:

                def count() -> None:
                    if left.server.tally.work >= cut:
                        group.cancel_scope.cancel()

                left.server.tally.watchers.append(count)
                with suppress(WorkspanError):
                    await run(
                        Calling(),
                        PROBLEM,
                        engine,
                        budget=budget,
                        journal=left.journal,
                        account=left.account,
                    )
        finally:
            with anyio.CancelScope(shield=True):
                await engine.aclose()
                await left.server.settle()
    return left


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("form", CALLS, ids=lambda form: form.name)
@pytest.mark.parametrize("other", ["", "whole_reply", "sixteen_a_piece", "runs_past"])
def test_nothing_that_was_decoded_for_a_call_is_missing(form: Fault, other: str) -> None:
    """By the server's own count, over budgets, habits and moments of a cancellation."""
    faults = (form, *([FAULTS[other]] if other else []))
    for number in range(6):
        rng = random.Random(f"{form.name} {other} {number}")
        reports: Literal["last", "always", "never"] = rng.choice(("last", "always", "never"))
        habits = Habits(per_piece=rng.choice((1, 4)), reports=reports, length=(5, 80))
        budget = Budget(work=rng.choice((None, 20, 90, 400)))
        left = anyio.run(called, habits, faults, budget, rng.choice((math.inf, 10, 60)))
        told = replace(case(0), faults=faults, habits=habits, kill=None, overshoot=64)
        spent = left.account.spent
        assert left.server.tally.rows
        served = sum(due(row, told) for row in left.server.tally.rows)
        assert spent.output_tokens + spent.unseen_tokens >= served
        assert spent == left.journal.usage()
        assert left.account.held == Amount()
        assert budget.work is None or spent.amount.work <= budget.work
