"""A plan fitted on a profile: what it may and may not do."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.strategies.auto.fit.evaluation import Evaluation
from workspan.strategies.auto.fit.profile import Case, Profile, Record
from workspan.strategies.auto.fit.replayed import Shape
from workspan.strategies.auto.fit.rules import evaluated, fitted
from workspan.strategies.auto.policies.evidence import Evidence
from workspan.strategies.auto.policies.plan import NEVER, Plan
from workspan.strategies.auto.policies.policy import Planned
from workspan.strategies.auto.policies.state import NONE, Chain, Probe, State

EVIDENCE = Evidence(scale=4_000)
BUDGETS = (1_000, 4_000, 8_000, 16_000, 32_000, 64_000)


def simulated(n_problems: int = 16, n_chains: int = 16, seed: int = 0) -> Profile:
    """Half of the problems are easy; the chains of the others are long and right 6 times in 10."""
    rng = random.Random(seed)
    cases = []
    for i in range(n_problems):
        length, p = (2_000, 0.97) if i % 2 else (8_000, 0.6)
        chains = []
        for _ in range(n_chains):
            end = round(length * rng.uniform(0.7, 1.5))
            final = 0 if rng.random() < p else rng.randrange(1, 5)
            depths = [*range(500, end, 500), end]
            groups = [final if d > 0.7 * end else rng.randrange(5, 9) for d in depths]
            chains.append(Record(tuple(depths), tuple(groups), ended=True))
        cases.append(Case(tuple(chains), right=(0,)))
    return Profile("simulated", "tokens", tuple(cases), asked=4.0)


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return evaluated(simulated())


def test_accuracy_on_the_profile_rises_with_the_budget(found: Evaluation) -> None:
    best = [found.best(work) for work in BUDGETS]
    assert [one.accuracy for one in best] == sorted(one.accuracy for one in best)
    assert [one.work <= work for one, work in zip(best[1:], BUDGETS[1:], strict=True)] == [True] * 5


def test_work_falls_as_the_price_rises(found: Evaluation) -> None:
    work = [found.best(price=price).work for price in (0.0, 1e-6, 1e-5, 1e-4, 1e-3)]
    assert work == sorted(work, reverse=True)


def test_no_fixed_split_is_better_on_the_profile_by_more_than_luck(found: Evaluation) -> None:
    luck = 0.25 / len(found.table.tokens) ** 0.5  # half a standard error, where a race is chosen
    for split in (one for one in found.outcomes if one.plan.least == NEVER):
        best = found.best(split.work, split.span)
        allowed = luck if best.plan.is_race else 0.0
        assert best.accuracy >= split.accuracy - allowed - 1e-9


def test_watching_beats_the_fixed_splits_where_problems_differ(found: Evaluation) -> None:
    splits = [one for one in found.outcomes if one.plan.least == NEVER]
    fixed = max(one.accuracy for one in splits if one.work <= 16_000)
    assert found.best(16_000).accuracy > fixed + 0.02


def test_a_stop_comes_when_chains_agree_and_not_before() -> None:
    rule = Planned(Plan(Shape(1, 8_000, 1_000), 8, 0.04), EVIDENCE)
    agreeing = tuple(Chain(4_000, group=1, ended=True) for _ in range(6))
    torn = tuple(Chain(4_000, group=i % 3, ended=True) for i in range(6))
    assert rule.decide(State(agreeing)).action == "stop"
    assert rule.decide(State(agreeing)).leader == 1
    assert rule.decide(State(torn)).action == "widen"


def test_only_the_first_chain_goes_further_than_a_dive() -> None:
    rule = Planned(Plan(Shape(3, 8_000, 1_000, dive=2_000), 8, 0.01), EVIDENCE)
    assert rule.decide(State()).n == 3
    dived = (Chain(2_000), Chain(2_000), Chain(2_000))
    deepened = rule.decide(State(dived))
    assert (deepened.action, deepened.chains, deepened.n) == ("deepen", (0,), 0)
    rested = (Chain(8_000), Chain(2_000), Chain(2_000))
    assert (rule.decide(State(rested)).action, rule.decide(State(rested)).n) == ("widen", 1)


def mixed(problems: int) -> Profile:
    """Half of the problems need 40 tokens; of the others half of the chains are right at 8."""
    rng = random.Random(0)
    deep = Record((*range(4, 44, 4),), (*(9 * (-1,)), 0), ended=True)
    stuck = Record((*range(4, 104, 4),), (-1,) * 25, ended=False)
    short = Record((4, 8), (-1, 0), ended=True)
    cases = [Case((deep,) * 16, right=(0,)) for _ in range(problems)]
    for _ in range(problems):
        chains = tuple(short if rng.random() < 0.5 else stuck for _ in range(16))
        cases.append(Case(chains, right=(0,)))
    return Profile("simulated", "tokens", tuple(cases))


def test_half_serial_and_half_parallel_is_served_by_dives_beside_one_long_chain() -> None:
    found = evaluated(mixed(12), 72)
    best, splits = found.best(72), [one for one in found.outcomes if one.plan.least == NEVER]
    assert best.plan.shape.dive == 8
    assert best.accuracy > max(one.accuracy for one in splits if one.work <= 72) + 0.1
    rule = fitted(found, work=72)
    assert isinstance(rule, Planned)
    assert rule.reserve == 0


def test_abstains_below_the_floor() -> None:
    rule = Planned(Plan(Shape(1, 8_000, 1_000), 3, NEVER), EVIDENCE, floor=0.8)
    torn = tuple(Chain(12_000, group=i, ended=True) for i in range(3))
    assert rule.decide(State(torn)).action == "abstain"
    assert rule.decide(State(())).action == "widen"


def test_a_pass_of_the_verifier_ends_the_run() -> None:
    rule = Planned(Plan(Shape(1, 8_000, 1_000), 8, 0.1), EVIDENCE)
    chains = (Chain(4_000, group=2, ended=True), Chain(3_000, group=1, ended=True, score=1.0))
    assert rule.decide(State(chains)).leader == 1


def test_restarts_stop_chains_that_a_verifier_would_hardly_pass() -> None:
    short = Record((500, 1_000), (0, 0), ended=True)
    endless = Record((*range(500, 20_500, 500),), (1,) * 40, ended=True)
    profile = Profile("simulated", "tokens", (Case((short, endless) * 8, right=(0,)),) * 4)
    rule = fitted(evaluated(profile), work=20_000, is_judged=True)
    first = rule.decide(State(()))
    assert 1_000 <= first.block <= 2_500
    left = (Chain(first.block, group=1),)
    assert rule.decide(State(left, work_left=9_000)).action == "widen"


def test_lines_that_were_never_asked_still_teach_when_to_stop() -> None:
    cases = [
        Case(tuple(Record(r.depths[-1:], r.groups[-1:], r.ended) for r in case.chains), case.right)
        for case in simulated().problems
    ]
    found = evaluated(Profile("simulated", "tokens", tuple(cases)))
    rule = fitted(found, price=2e-6)
    same, torn = (
        State(tuple(Chain(8_000, group=i % kinds, ended=True) for i in range(4)))
        for kinds in (1, 4)
    )
    assert rule.decide(same).action == "stop"
    assert rule.decide(torn).action == "widen"
    assert rule.decide(torn).gain > rule.decide(same).gain >= 0


def test_problems_without_a_label_teach_when_votes_settle() -> None:
    cases = tuple(Case(case.chains) for case in simulated().problems)
    found = evaluated(Profile("simulated", "tokens", cases, asked=4.0))
    assert found.best(30_000).accuracy > found.best(3_000).accuracy


def test_a_limit_on_each_run_is_kept_in_the_evaluation() -> None:
    found = evaluated(simulated(), limit=6_000)
    assert all(one.work <= 6_000 for one in found.outcomes)


chains = st.builds(
    lambda depth, group, ended, probes: Chain(
        depth, tuple(Probe(d, g) for d, g in sorted(probes.items()) if d < depth), group, ended
    ),
    st.integers(1, 20_000),
    st.integers(NONE, 4),
    st.booleans(),
    st.dictionaries(st.integers(1, 20_000), st.integers(NONE, 4), max_size=6),
)
plans = st.builds(
    Plan,
    st.builds(
        Shape,
        st.integers(1, 8),
        st.integers(1, 20_000),
        st.integers(1, 4_000),
        dive=st.integers(0, 20_000),
        joins=st.none() | st.integers(0, 4),
    ),
    st.integers(1, 16),
    st.sampled_from((0.02, 0.3, NEVER)),
)


@settings(max_examples=200, deadline=None)
@given(
    plans,
    st.lists(chains, max_size=8),
    st.none() | st.integers(0, 50_000),
    st.none() | st.integers(0, 50_000),
)
def test_never_asks_for_more_than_is_left(
    plan: Plan, chains: list[Chain], work_left: int | None, span_left: int | None
) -> None:
    rule = Planned(plan, EVIDENCE, reserve=9)
    state = State(tuple(chains), work_left=work_left, span_left=span_left)
    decision = rule.decide(state)
    assert decision == rule.decide(state)
    if decision.action in ("widen", "deepen"):
        assert decision.block > 0
        assert decision.n + len(decision.chains) > 0
        named = [chains[i] for i in decision.chains]
        assert not any(chain.ended for chain in named)
        caps = [plan.shape.cap_of(i) for i in decision.chains]
        ends = [chain.depth + decision.block for chain in named]
        assert all(end <= cap for end, cap in zip(ends, caps, strict=True))
        asked = (len(named) + decision.n) * decision.block
        assert work_left is None or asked <= work_left
        assert span_left is None or decision.block <= span_left
        assert len(chains) + decision.n <= max(plan.chains, len(chains))


def test_the_rule_is_the_same_for_the_same_profile() -> None:
    first, second = (fitted(evaluated(simulated(6, 8)), work=9_000) for _ in range(2))
    assert first == second
