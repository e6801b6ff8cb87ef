"""Rules that decide for many runs at once are the rules that decide for one."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.journal import seed_for
from workspan.data.budget import Budget
from workspan.data.types import Message, Problem
from workspan.errors import InputError
from workspan.lab.replay.direct import run_directly
from workspan.lab.replay.episodes import Account, Chains, orders, play
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Chain, Recording
from workspan.search.batch import NONE
from workspan.search.cmc_batch import CmcBatch
from workspan.strategies.adaptive.cmc import Cmc
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.replayed import Shape
from workspan.strategies.auto.policies.evidence import Evidence
from workspan.strategies.auto.policies.plan import NEVER, Plan
from workspan.strategies.auto.policies.planned_batch import PlannedBatch
from workspan.strategies.auto.policies.policy import Planned
from workspan.strategies.auto.policies.race_batch import RaceBatch
from workspan.strategies.auto.policies.support import Support


def recorded(seed: int, *, problems: int = 2, chains: int = 70) -> Recording:
    rng = random.Random(seed)
    found = {}
    for number in range(problems):
        sure = rng.random()
        many = []
        for _ in range(chains):
            end = rng.randint(1, 4000)
            depths = (*range(200, end, 200), end)
            answers = ["1" if rng.random() < sure else rng.choice("23450") for _ in depths]
            if rng.random() < 0.1:
                answers[-1] = None  # type: ignore[call-overload]  # it never came to one
            many.append(Chain(depths, tuple(answers)))
        found[f"p{number}"] = tuple(many)
    asked = tuple(Problem(name, (Message("user", name),)) for name in found)
    return Recording("m", asked, found, dict.fromkeys(found, "1"))


@given(st.integers(0, 10_000), st.sampled_from((0.0, 0.1, 0.3, 0.5, 0.8, 1.0)))
@settings(max_examples=40, deadline=None)
def test_cmc_on_many_runs_is_cmc_on_one(seed: int, beta: float) -> None:
    one = recorded(seed)
    chains, longest = Chains.of(one), one.longest
    found = play(CmcBatch(beta, 200, longest), chains, *orders(chains, 1))
    strategy = Cmc(beta, 200, max_tokens=longest)
    for row, problem in enumerate(one.problems):
        order = seed_for(0, f"0 {problem.id}")
        engine = ReplayEngine(one.keep({problem.id}), order=order, once=True)
        done = run_directly(strategy, problem, engine, Budget(), order)
        assert (found.work[row], found.span[row]) == (done.work, done.span)
        answer = int(found.answer[row])
        assert done.answer.text == (None if answer == NONE else chains.answers[row][answer])
        assert found.right[row] == one.grade(problem, done.answer.text)


PLANS = (
    Plan(Shape(1, 4000, 400), 8, 0.05),
    Plan(Shape(4, 3000, 200, 4), 12, 0.02),
    Plan(Shape(4, 4000, 400, dive=800), 12, 0.04),
    Plan(Shape(8, 1000, 1000), 8, NEVER),
    Plan(Shape(3, 1500, 400), 3, NEVER),
)


@given(st.integers(0, 10_000), st.sampled_from(PLANS))
@settings(max_examples=40, deadline=None)
def test_a_plan_on_many_runs_is_the_plan_on_one(seed: int, plan: Plan) -> None:
    one, evidence = recorded(seed), Evidence(1500)
    chains = Chains.of(one)
    found = play(PlannedBatch(plan, evidence, one.longest), chains, *orders(chains, 1))
    strategy = Auto(max_tokens=one.longest, fitted=Planned(plan, evidence))
    for row, problem in enumerate(one.problems):
        order = seed_for(0, f"0 {problem.id}")
        engine = ReplayEngine(one.keep({problem.id}), order=order, once=True)
        done = run_directly(strategy, problem, engine, Budget(), order)
        assert (found.work[row], found.span[row]) == (done.work, done.span)
        answer = int(found.answer[row])
        assert done.answer.text == (None if answer == NONE else chains.answers[row][answer])


RACES = (
    Plan(Shape(4, 4000, 200, joins=0), 4, 0.05),
    Plan(Shape(4, 4000, 400, joins=2), 16, 0.01),
    Plan(Shape(12, 2500, 200, joins=0), 12, NEVER),
)


@given(st.integers(0, 10_000), st.sampled_from(PLANS + RACES), st.integers(1, 30_000))
@settings(max_examples=120, deadline=None)
def test_a_limit_on_many_runs_is_the_limit_on_one(seed: int, plan: Plan, work: int) -> None:
    one, reserve = recorded(seed), seed % 12
    chains, budget = Chains.of(one), Budget(work=work)
    evidence = Support(1500) if plan.is_race else Evidence(1500)
    rule = Planned(plan, evidence, reserve=reserve, probe_tokens=24)
    many = (
        RaceBatch(plan, evidence, one.longest, None, 24, work, reserve)
        if isinstance(evidence, Support)
        else PlannedBatch(plan, evidence, one.longest, work, reserve)
    )
    found = play(many, chains, *orders(chains, 2), Account(work, 24))
    strategy = Auto(max_tokens=one.longest, fitted=rule)
    for row in np.flatnonzero(found.is_whole).tolist():
        problem = one.problems[row // 2]
        order = seed_for(0, f"{row % 2} {problem.id}")
        engine = ReplayEngine(one.keep({problem.id}), order=order, once=True)
        done = run_directly(strategy, problem, engine, budget, order)
        assert (found.work[row], found.span[row]) == (done.work, done.span)
        answer = int(found.answer[row])
        assert done.answer.text == (None if answer == NONE else chains.answers[row // 2][answer])


def test_what_an_account_might_refuse_is_left_to_a_session() -> None:
    one, plan = recorded(5), RACES[0]
    chains = Chains.of(one)
    tight = RaceBatch(plan, Support(1500), one.longest, None, 24, 5000, 0)
    ample = RaceBatch(plan, Support(1500), one.longest, None, 24, 5000, 9)
    told = (chains, *orders(chains, 20), Account(5000, 24))
    assert play(tight, *told).is_whole.mean() < play(ample, *told).is_whole.mean()
    assert play(ample, *told).is_whole.mean() > 0.5


def test_runs_do_not_hang_on_those_beside_them() -> None:
    chains = Chains.of(recorded(1))
    problem, order = orders(chains, 3)
    whole = play(CmcBatch(0.5, 200), chains, problem, order)
    for row in range(len(problem)):
        alone = play(CmcBatch(0.5, 200), chains, problem[row : row + 1], order[row : row + 1])
        pairs = zip(alone, whole, strict=True)
        assert all(np.array_equal(own[0], column[row]) for own, column in pairs)


def test_a_run_has_no_more_chains_than_its_rule_says() -> None:
    chains = Chains.of(recorded(2))
    found = play(CmcBatch(1.0, 200), chains, *orders(chains, 4))
    assert np.all(found.chains <= CmcBatch(1.0).chains)
    assert np.all(found.span <= found.work)


def test_a_recording_may_hold_fewer_chains_than_a_rule_would_begin() -> None:
    chains = Chains.of(recorded(4, chains=3))
    found = play(CmcBatch(0.5, 200), chains, *orders(chains, 4))
    assert np.all(found.chains <= 3)
    assert np.all(found.answer != NONE)


def test_problems_of_uneven_numbers_of_chains_are_refused() -> None:
    one = recorded(3)
    uneven = Recording(
        one.model, one.problems, {**one.chains, "p0": one.chains["p0"][:5]}, one.references
    )
    with pytest.raises(InputError, match="as many chains"):
        Chains.of(uneven)
