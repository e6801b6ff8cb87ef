"""Races: chains side by side under a vote that is learnt, alone and many at once."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.journal import seed_for
from workspan.data.budget import Budget
from workspan.data.types import Message, Problem
from workspan.lab.calibrating import calibrate
from workspan.lab.replay.direct import run_directly
from workspan.lab.replay.episodes import Chains, orders, play
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Chain as RecordedChain
from workspan.recordings.recording import Recording
from workspan.spec import parse_strategy, write
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.race import learn_support, right_groups, run_race
from workspan.strategies.auto.fit.replayed import Shape, draw
from workspan.strategies.auto.fit.rules import evaluated, fitted
from workspan.strategies.auto.fit.table import Table, tabulate
from workspan.strategies.auto.policies.plan import Plan
from workspan.strategies.auto.policies.policy import Planned
from workspan.strategies.auto.policies.race_batch import RaceBatch
from workspan.strategies.auto.policies.state import NONE, Chain, Probe
from workspan.strategies.auto.policies.support import Leavers, Support

SUPPORT = Support(scale=1500.0)


def recorded(
    seed: int, *, problems: int = 2, chains: int = 24, short_is: str = "right"
) -> Recording:
    """Chains that say this and that before they end; short ones are right, or wrong."""
    rng = random.Random(seed)
    found = {}
    for number in range(problems):
        many = []
        for _ in range(chains):
            end = rng.randint(300, 4000)
            is_right = (end < 1800) == (short_is == "right")
            last = "1" if is_right else rng.choice("22345")
            depths = (*range(200, end, 200), end)
            said = [last if d > end * rng.uniform(0.3, 0.9) else rng.choice("2345") for d in depths]
            said[-1] = last
            if rng.random() < 0.05:
                said[-1] = None  # type: ignore[call-overload]  # it never came to one
            many.append(RecordedChain(depths, tuple(said)))
        found[f"p{number}"] = tuple(many)
    asked = tuple(Problem(name, (Message("user", name),)) for name in found)
    return Recording("m", asked, found, dict.fromkeys(found, "1"))


@given(
    st.integers(0, 10_000),
    st.sampled_from([(4, 0, 4), (2, 1, 8), (12, 0, 12), (4, 3, 20)]),
    st.sampled_from([0.003, 0.05, 0.3]),
    st.sampled_from([None, 900, 2_500]),
)
@settings(max_examples=25, deadline=None)
def test_many_races_are_each_what_one_is_alone(
    seed: int, size: tuple[int, int, int], least: float, span: int | None
) -> None:
    one, (width, joins, most) = recorded(seed), size
    plan = Plan(Shape(width, one.longest, 200, joins=joins), most, least)
    chains, budget = Chains.of(one).heard(8), Budget(span=span)
    rule = RaceBatch(plan, SUPPORT, one.longest, span, 8)
    found = play(rule, chains, *orders(chains, 1))
    fit = Planned(plan, SUPPORT, probe_tokens=8)
    auto = Auto(n=24, max_tokens=one.longest, probe_tokens=8, fitted=fit)
    for row, problem in enumerate(one.problems):
        order = seed_for(0, f"0 {problem.id}")
        engine = ReplayEngine(one.keep({problem.id}), order=order, once=True)
        done = run_directly(auto, problem, engine, budget, order)
        assert (found.work[row], found.span[row]) == (done.work, done.span)
        assert found.right[row] == one.grade(problem, done.answer.text)
        assert span is None or done.span <= span


def test_what_was_left_speaks_against_itself() -> None:
    ends = [Chain(1000, (), group, ended=True) for group in (0, 0, 1, 1)]
    strays = [Chain(900, (Probe(300, 0), Probe(900, 2)), 2) for _ in range(4)]
    loyal = [Chain(900, (Probe(300, 3), Probe(900, 2)), 2) for _ in range(4)]
    assert SUPPORT.read([*ends, *strays])[0] == 1
    assert SUPPORT.read([*ends, *loyal])[0] == 0  # drawn first, of equals


def test_a_run_without_an_answer_has_no_leader() -> None:
    assert SUPPORT.read([]) == (NONE, 0.0)
    assert SUPPORT.read([Chain(500), Chain(500, (Probe(500, NONE),))]) == (NONE, 0.0)


def test_a_chain_that_returns_has_not_left() -> None:
    seen = Leavers(1, 2)
    for says in ([0, NONE], [1, 5], [0, 5], [0, 1]):
        seen.see(np.array([says]))
    assert seen.left[0, [0, 1, 5]].tolist() == [0, 1, 1]


def table_of(short_is: str) -> Table:
    return tabulate(calibrate([recorded(3, problems=12, chains=24, short_is=short_is)]))


def test_the_sign_of_a_short_chain_is_learnt() -> None:
    right, wrong = (learn_support(table_of(short_is)) for short_is in ("right", "wrong"))
    assert right.answer[3] > 0.2 > -0.2 > wrong.answer[3]


def test_its_probability_of_being_right_holds_on_other_problems() -> None:
    table = table_of("right")
    known, others = table.on(np.arange(6)), table.on(np.arange(6, 12))
    support = learn_support(known)
    draws = draw(others, 20, 12)
    replayed = run_race(others, support, draws, Shape(12, int(table.tokens.max()), 200, joins=0))
    assert replayed.belief.mean() == pytest.approx(replayed.right.mean(), abs=0.12)


def test_a_race_counts_what_its_chains_decode() -> None:
    table = table_of("right")
    draws = draw(table, 2, 6)
    cap = int(table.tokens.max())
    replayed = run_race(table, SUPPORT, draws, Shape(2, cap, table.block, joins=2))
    last = np.append(replayed.starts[1:], len(replayed.step)) - 1
    whole = table.tokens[draws.problem[:, None], draws.order].sum(axis=1)
    probes = replayed.work[last] - whole
    assert (replayed.n[last] == 6).all()
    assert (probes >= 0).all()
    assert (probes <= table.asked * (whole / table.block + 1)).all()
    assert right_groups(table).any(axis=1).all()


@pytest.mark.slow
def test_a_profile_with_wide_chains_gives_races_where_the_budget_is_wide() -> None:
    profile = calibrate([recorded(5, problems=16, chains=24)])
    rule = fitted(evaluated(profile), work=30_000, span=2_500, probe_tokens=8)
    assert isinstance(rule, Planned)
    assert rule.plan.is_race
    assert rule.plan.chains > 4
    assert isinstance(rule.evidence, Support)


@pytest.mark.slow
def test_a_price_on_both_gives_a_frontier_of_work_and_span() -> None:
    """The dearer span is, the shorter the plans: with a price, and where only about as good."""
    found = evaluated(calibrate([recorded(5, problems=16, chains=24)]))
    outcomes = {one.plan: one for one in found.plans(30_000)}
    for price in (0.0, 1e-5):
        spans, works = [], []
        for rate in (0.0, 2.0, 50.0):
            rule = fitted(found, work=30_000, price=price, rate=rate, probe_tokens=8)
            assert isinstance(rule, Planned)
            spans.append(outcomes[rule.plan].span)
            works.append(outcomes[rule.plan].work)
        assert spans[0] >= spans[1] >= spans[2]
        assert spans[0] > spans[2]
        assert max(works) <= 30_000


def test_what_is_dear_is_a_word_or_a_number() -> None:
    rates = [Auto(prefers=one).rate for one in ("work", "span", 12.5)]
    assert rates == [0.0, float("inf"), 12.5]
    assert parse_strategy(write(Auto(prefers=12.5))) == Auto(prefers=12.5)
    with pytest.raises(ValueError, match="prefers"):
        Auto(prefers=-1.0)
