"""The promises of the core, on strategies that use every door of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.engine import Capability
from workspan.core.session import Session, Strategy
from workspan.data.budget import Budget
from workspan.data.types import Answer, Candidate, Problem, Request, Sample
from workspan.errors import BudgetExceeded
from workspan.testing import strategy_suite as suite


def first(samples: list[Sample]) -> Answer:
    words = [s.text.split()[-1] for s in samples if s.text.split()]
    candidates = tuple(Candidate(word, word) for word in words)
    return Answer(candidates[0] if candidates else None, candidates)


@dataclass(frozen=True)
class Nested:
    """Branches that fork again, under accounts of their own."""

    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        async def branch(part: Session, size: int) -> list[Sample]:
            drawn = []
            with part.child(Budget(work=150 * size, span=120)) as capped:
                try:
                    drawn = await capped.samples(Request(problem.prompt, max_tokens=300), size)
                    drawn += [await capped.sample(Request(problem.prompt, drawn[0].text))]
                except BudgetExceeded:
                    pass
            return drawn

        draft = await session.sample(
            Request(problem.prompt, max_tokens=20 + session.rng.randint(0, 9))
        )
        parts = await session.map(branch, [1, 2, 3])
        return first([draft, *(sample for part in parts for sample in part)])


@dataclass(frozen=True)
class Race:
    """Stops at the first three arrivals, then goes on."""

    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        got: list[Sample] = []
        async with session.as_completed([Request(problem.prompt, max_tokens=500)] * 6) as race:
            async for sample in race:
                got.append(sample)
                if len(got) == 3:
                    break
        got.append(await session.sample(Request(problem.prompt, max_tokens=30)))
        return first(got)


@dataclass(frozen=True)
class Tool:
    """Calls a tool between two samples."""

    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        async def shout(text: str) -> str:
            return text.upper()

        draft = await session.sample(Request(problem.prompt, max_tokens=40))
        loud = await session.call(shout, draft.text)
        session.best(Candidate(loud, loud))
        return first([draft, await session.sample(Request(problem.prompt, loud, max_tokens=40))])


cases = pytest.mark.parametrize(
    "strategy", [Nested(), Race(), Tool()], ids=lambda s: type(s).__name__
)
limits = st.none() | st.integers(0, 1200)
budgets = st.builds(
    Budget,
    work=limits,
    span=st.none() | st.integers(0, 500),
    prefill=st.none() | st.integers(0, 300),
    calls=st.none() | st.integers(0, 12),
    width=st.none() | st.integers(1, 4),
)


@cases
@settings(max_examples=60, deadline=None)
@given(budget=budgets, cut=st.none() | st.integers(0, 400), overshoot=st.sampled_from([0, 0, 16]))
def test_spent_is_journaled_is_billed(
    strategy: Strategy, budget: Budget, cut: int | None, overshoot: int
) -> None:
    suite.check_account(strategy, budget, cut, overshoot)


@cases
@settings(max_examples=30, deadline=None)
@given(budget=budgets)
def test_work_and_span_equal_brute_force(strategy: Strategy, budget: Budget) -> None:
    suite.check_work_and_span(strategy, budget)


@cases
@settings(max_examples=10, deadline=None)
@given(budget=budgets)
def test_every_journal_prefix_resumes(strategy: Strategy, budget: Budget) -> None:
    suite.check_resume(strategy, budget)


@cases
@settings(max_examples=40, deadline=None)
@given(budget=budgets, cut=st.integers(0, 300))
def test_killed_runs_resume_and_replay(strategy: Strategy, budget: Budget, cut: int) -> None:
    suite.check_kill_and_resume(strategy, budget, cut)
