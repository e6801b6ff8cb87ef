"""The stop rule of votes on whole samples: what it may and may not do."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workspan.search.stopping import beta_confidence
from workspan.strategies.auto.fit.evaluation import Evaluation
from workspan.strategies.auto.fit.profile import Case, Profile, Record
from workspan.strategies.auto.fit.rules import evaluated, fitted
from workspan.strategies.auto.fit.sampled_votes import SampledVotes, Votes
from workspan.strategies.auto.fit.vote_evaluation import (
    PRICE,
    Inductions,
    VoteEvaluation,
    evaluated_votes,
)
from workspan.strategies.auto.fit.vote_induction import PRICES
from workspan.strategies.auto.fit.weighing import learn_weigher
from workspan.strategies.auto.policies.conditional_logit import ConditionalLogit
from workspan.strategies.auto.policies.state import NONE, Chain, State
from workspan.strategies.auto.policies.votes import Outlook, VoteRule
from workspan.strategies.auto.policies.weigher import Weigher

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]

WIDTH = 20
SOME = (0, 8, 16, 24, len(PRICES) - 1)


def drawn_samples(problems: int, seed: int) -> tuple[Ints, Floats, Truth]:
    """Samples of problems from easy to hopeless; 0 is right, and the harder the longer."""
    rng = np.random.default_rng(seed)
    ease = rng.beta(0.7, 0.7, problems)[:, None]
    shares = np.hstack([ease, (1 - ease) * rng.dirichlet([0.4] * 8, problems)])
    place = rng.random((problems, WIDTH, 1)) > shares.cumsum(axis=1)[:, None, :-1]
    groups: Ints = place.sum(axis=-1)
    tokens = 100 * (1.5 - ease) * rng.uniform(0.5, 1.5, groups.shape)
    return groups, tokens, groups == 0


def simulated(problems: int, seed: int) -> SampledVotes:
    return SampledVotes.of(*drawn_samples(problems, seed))


def profile(*, is_labelled: bool = True) -> Profile:
    groups, tokens, _ = drawn_samples(60, 0)
    cases = []
    for said, spent in zip(groups.tolist(), tokens.round().astype(int).tolist(), strict=True):
        chains = (Record((t,), (g,), ended=True) for g, t in zip(said, spent, strict=True))
        cases.append(Case(tuple(chains), (0,) if is_labelled else None))
    return Profile("simulated", "tokens", tuple(cases))


@cache
def evaluation() -> VoteEvaluation:
    return evaluated_votes(simulated(400, 0))


@cache
def evaluated_profile(is_labelled: bool) -> Evaluation:
    return evaluated(profile(is_labelled=is_labelled))


def held(problems: int, seed: int, runs: int = 20) -> Votes:
    one = simulated(problems, seed)
    problem = np.repeat(np.arange(problems), runs)
    order = np.random.default_rng(seed).random((len(problem), WIDTH)).argsort(axis=1)
    return one.counted(problem, order)


def ended(*groups: int, depth: int = 100) -> tuple[Chain, ...]:
    return tuple(Chain(depth, (), group, ended=True) for group in groups)


def test_votes_are_counted_as_they_come_and_ties_go_to_the_first_drawn() -> None:
    worth = np.array([[0.2, 0.7]])
    one = SampledVotes(np.array([[1, 0, 0, NONE, 1]]), np.ones((1, 5)), worth, worth, 1)
    votes = one.counted(np.array([0]), np.array([[0, 1, 2, 3, 4]]))
    assert votes.lead.tolist() == [[1, 1, 0, 0, 1]]
    assert votes.first.tolist() == [[1, 1, 2, 2, 2]]
    assert votes.second.tolist() == [[0, 1, 1, 1, 2]]
    assert votes.chance.tolist() == [[0.7, 0.7, 0.2, 0.2, 0.7]]


def test_samples_without_an_answer_have_no_leader_and_no_chance() -> None:
    one = SampledVotes(np.array([[NONE, NONE]]), *3 * (np.ones((1, 2)),), 1)
    votes = one.counted(np.array([0]), np.array([[0, 1]]))
    assert votes.lead.tolist() == [[NONE, NONE]]
    assert votes.first.max() == 0
    assert votes.chance.max() == 0


def lengthy(problems: int, seed: int, *, wrong_is: float) -> tuple[Ints, Floats, Truth]:
    """Samples of which those that are wrong are so many times as long."""
    groups, tokens, right = drawn_samples(problems, seed)
    return groups, 100 * np.where(right, 1.0, wrong_is) * tokens / tokens.mean(), right


@pytest.mark.parametrize(("wrong_is", "sign"), [(2.0, 1), (0.5, -1)])
def test_what_length_is_worth_is_learnt_with_its_sign(wrong_is: float, sign: int) -> None:
    learnt = learn_weigher(*lengthy(60, 0, wrong_is=wrong_is))
    assert sign * learnt.by_length > 0.2
    short, long_ = [(0, 100.0)] * 2 + [(2, 100.0)], [(1, 200.0)] * 2
    assert learnt.tally([*long_, *short]).leader == (0 if sign > 0 else 1)


def test_where_length_says_nothing_a_vote_is_a_vote() -> None:
    groups, tokens, right = drawn_samples(400, 3)
    tokens = np.random.default_rng(0).permuted(tokens.ravel()).reshape(tokens.shape)
    assert abs(learn_weigher(groups, tokens, right).by_length) < 0.1


said_and_spent = st.lists(
    st.tuples(st.integers(NONE, 4), st.integers(1, 5_000)), min_size=1, max_size=30
)


@given(said_and_spent, st.sampled_from([-0.7, 0.0, 0.3, 1.2]))
def test_a_run_counts_as_the_evaluation_does(said: list[tuple[int, int]], by_length: float) -> None:
    groups, tokens = np.array([[x for x, _ in said]]), np.array([[float(t) for _, t in said]])
    worth = np.zeros((1, 5))
    one = SampledVotes(groups, tokens, worth, worth, 1, Weigher(by_length))
    votes = one.counted(np.array([0]), np.arange(len(said))[None])
    for n in range(1, len(said) + 1):
        told = Weigher(by_length).tally(said[:n])
        counted = (votes.lead[0, n - 1], votes.first[0, n - 1], votes.second[0, n - 1])
        if by_length == 0:
            assert told == counted
        else:  # equals differ by rounding
            assert told[1:] == pytest.approx(counted[1:], abs=1)
            assert told.leader == counted[0] or told.first - told.second <= 1


def test_chances_are_learnt_from_shares_and_a_single_label_is_not_believed() -> None:
    rng = np.random.default_rng(0)
    shares = rng.beta(1, 1, 2_000)
    groups = (rng.random((2_000, WIDTH)) >= shares[:, None]).astype(np.int64)
    own = (groups == 0).mean(axis=1)
    chances = np.stack([own**2, (1 - own) ** 2, np.full(2_000, 0.3)])
    truth = (rng.random(2_000) > (chances / chances.sum(axis=0)).cumsum(axis=0)).sum(axis=0)
    learnt = ConditionalLogit.learn(np.stack([own, 1 - own], axis=1), truth[:, None] == [[0, 1]])
    found = learnt.of(np.array([[0.75, 0.25], [0.5, 0.5]]))
    assert found[0].tolist() == pytest.approx([0.5625 / 0.925, 0.0625 / 0.925], abs=0.06)
    assert found[1, 0] == found[1, 1]


def test_without_labels_the_answer_of_the_most_samples_is_sure_to_be_right() -> None:
    found = ConditionalLogit().of(np.array([[0.5, 0.25, 0], [0, 0.5, 0.5], [0, 0, 0]]))
    assert found.tolist() == [[1, 0, 0], [0, 0.5, 0.5], [0, 0, 0]]


@settings(deadline=None)  # the first call evaluates
@given(st.sampled_from(SOME), st.lists(st.integers(NONE, 4), max_size=2 * WIDTH))
def test_what_is_said_of_a_state_is_a_probability_and_a_gain(i: int, groups: list[int]) -> None:
    decision = evaluation().rule(i).decide(State(ended(*groups)))
    assert 0 <= decision.confidence <= 1
    assert 0 <= decision.gain <= 1
    if decision.action == "widen" and groups:
        assert decision.gain >= PRICES[i] * decision.cost / evaluation().typical - 1e-9
    if len(groups) >= WIDTH:
        assert decision.action in ("stop", "abstain")


@settings(deadline=None)
@given(st.lists(st.integers(NONE, 4), max_size=WIDTH), st.integers(0, 500), st.integers(0, 500))
def test_it_never_widens_past_what_is_left(groups: list[int], work: int, span: int) -> None:
    decision = (
        evaluation()
        .rule(len(PRICES) - 1)
        .decide(State(ended(*groups), work_left=work, span_left=span))
    )
    if decision.action == "widen":
        assert decision.n >= 1
        assert decision.n * decision.block <= min(work, span)
        assert not groups or work >= 100  # a whole sample of the usual length
    else:
        assert decision.n == 0


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=WIDTH - 1))
def test_at_no_price_it_stops_when_nothing_can_overtake_the_leader_and_not_before(
    groups: list[int],
) -> None:
    first, second = sorted((groups.count(i) for i in range(4)), reverse=True)[:2]
    is_open = first - second <= WIDTH - len(groups)
    decision = evaluation().rule(len(PRICES) - 1).decide(State(ended(*groups)))
    assert (decision.action == "widen") == is_open


def test_runs_at_once_stop_where_the_rule_alone_does() -> None:
    votes = held(12, 5, 4)
    one = simulated(12, 5)
    order = np.random.default_rng(5).random((48, WIDTH)).argsort(axis=1)
    for i in (10, 20, 30):
        rule, drawn = evaluation().rule(i), evaluation().drawn(i, votes)
        for run, n in enumerate(drawn.tolist()):
            place = votes.problem[run], order[run]
            both = zip(one.groups[place].tolist(), votes.tokens[run].tolist(), strict=True)
            chains = tuple(Chain(t, (), g, ended=True) for g, t in both)
            asked = [rule.decide(State(chains[:k])).action for k in range(1, n + 1)]
            assert asked == ["widen"] * (n - 1) + ["stop"]


def test_fewer_samples_are_drawn_at_a_higher_price() -> None:
    votes = held(90, 1)
    drawn = [float(evaluation().drawn(i, votes).mean()) for i in SOME]
    assert drawn == sorted(drawn)
    assert drawn[0] < 2.5
    assert drawn[-1] > 10


def test_a_mean_budget_is_met_on_other_problems() -> None:
    votes = held(600, 2, 4)
    full = votes.tokens.sum(axis=1).mean()
    for part in (0.1, 0.2, 0.4):
        drawn = evaluation().drawn(evaluation().affordable(part * full), votes)
        work = votes.tokens.cumsum(axis=1)[np.arange(len(drawn)), drawn - 1].mean()
        assert work == pytest.approx(part * full, rel=0.2)


def test_the_stated_probability_is_calibrated_on_problems_held_out() -> None:
    one = simulated(600, 3)
    votes, rule = held(600, 3, 8), evaluation().rule(20)
    n = evaluation().drawn(20, votes)
    rows = np.arange(len(n))
    states = zip(n, votes.first[rows, n - 1], votes.second[rows, n - 1], strict=True)
    stated = np.array([rule.outlook(int(a), int(b), int(c)).belief for a, b, c in states])
    right = votes.lead[rows, n - 1] == 0
    assert one.n == 600
    assert stated.mean() == pytest.approx(right.mean(), abs=0.04)
    high = stated > 0.8
    assert high.sum() > 500
    assert stated[high].mean() == pytest.approx(right[high].mean(), abs=0.06)


def test_at_the_work_of_adaptive_consistency_it_is_right_more_often() -> None:
    votes = held(900, 4, 4)
    enough = np.array(
        [
            [beta_confidence(a, b) > 0.8 for a, b in zip(*row, strict=True)]
            for row in zip(votes.first.tolist(), votes.second.tolist(), strict=True)
        ]
    )
    enough[:, -1] = True
    rows, tokens = np.arange(len(enough)), votes.tokens.cumsum(axis=1)
    is_right = votes.lead == 0
    theirs = enough.argmax(axis=1)
    budget = tokens[rows, theirs].mean()
    ours = evaluation().drawn(evaluation().affordable(budget), votes) - 1
    assert tokens[rows, ours].mean() < 1.1 * budget
    assert is_right[rows, ours].mean() > is_right[rows, theirs].mean() + 0.005


def test_a_problem_of_long_samples_must_bring_more() -> None:
    rule = evaluation().rule(18)
    contested = (0, 1, 0)
    short = rule.decide(State(ended(*contested, depth=50)))
    long = rule.decide(State(ended(*contested, depth=5_000)))
    assert (short.action, long.action) == ("widen", "stop")


def test_a_profile_of_whole_samples_gets_votes_with_labels_and_without() -> None:
    for is_labelled in (True, False):
        found = evaluated_profile(is_labelled)
        rule = fitted(found, work=1_000)
        assert isinstance(rule, VoteRule)
        assert len(rule.table) == WIDTH
        assert not isinstance(fitted(found, work=1_000, span=500), VoteRule)
        assert not isinstance(fitted(found, work=1_000, is_judged=True), VoteRule)
    assert Inductions.of(Profile("m", "tokens", profile().problems[:0])) is None


def test_with_labels_hopeless_votes_are_left_sooner_than_without() -> None:
    votes = held(300, 6, 4)
    flat = votes.first[:, -1] < 6
    drawn = []
    for is_labelled in (True, False):
        one = evaluated_profile(is_labelled).voting
        assert one is not None
        drawn.append(one.drawn(one.affordable(600), votes)[flat].mean())
    assert drawn[0] < 0.9 * drawn[1]


def test_a_limit_on_each_run_does_not_make_a_sample_cheap() -> None:
    one = evaluated_votes(simulated(60, 0), limit=1_500)
    assert PRICES[one.affordable(1_500)] >= PRICE
    assert max(one.ended(i).work for i in range(len(PRICES))) <= 1_500
    assert PRICES[evaluation().affordable(10_000)] == 0


def test_a_price_is_found_alone_as_it_is_among_all() -> None:
    """Each price is looked at when somebody asks for it, in any order."""
    samples = simulated(60, 7)
    falling = [evaluated_votes(samples).rule(i) for i in SOME]
    one = evaluated_votes(samples)
    assert [one.rule(i) for i in reversed(SOME)] == falling[::-1]
    work = [one.ended(i).work for i in range(len(PRICES))]
    for budget in (0.9 * work[0], work[0], *np.linspace(work[0], work[-1], 7)):
        fits = [i for i, own in enumerate(work) if own <= budget]
        assert one.affordable(budget) == max(fits, default=0)
    assert evaluated_votes(samples).affordable(work[30]) == one.affordable(work[30])


def test_a_leader_whose_votes_fall_by_their_length_is_passed() -> None:
    """Two that are short for one answer, two of the usual length for another; then a long one."""
    said, spent = np.array([[0, 0, 1, 1, 0, 0]]), np.array([[400.0, 400, 500, 500, 90_000, 90_000]])
    worth = np.ones((1, 2))
    votes = SampledVotes(said, spent, worth, worth, 1, Weigher(0.5)).counted(
        np.array([0]), np.arange(6)[None]
    )
    assert votes.lead.tolist() == [[0, 0, 0, 0, 1, 1]]
    assert votes.first.tolist() == [[1, 2, 2, 2, 4, 6]]


def test_below_the_floor_it_abstains_and_open_chains_end_first() -> None:
    rule = replace(evaluation().rule(0), floor=0.999)
    assert rule.decide(State(ended(0, 1, 2, 3, 4))).action == "abstain"
    opened = (*ended(0), Chain(50))
    assert rule.decide(State(opened, work_left=200)).chains == (1,)


def test_a_vote_that_never_came_up_is_judged_by_its_lead() -> None:
    leads = (Outlook(0.5, 0.1, 2.0), Outlook(0.9, 0.0, 0.0))
    rule = VoteRule(0.01, 100.0, Outlook(0, 0.5, 2.0), ({},), (leads,))
    assert rule.outlook(1, 1, 0) == leads[1]
    assert rule.outlook(1, 9, 1) == leads[1]
    assert rule.outlook(1, 2, 2) == leads[0]


@pytest.mark.parametrize("span", [150, 250, 400])
def test_within_a_span_whole_samples_are_drawn_side_by_side(span: int) -> None:
    """One after the other they would not fit; and what the span cuts has no answer."""
    found = evaluated_profile(is_labelled=True)
    rule = fitted(found, work=20 * span, span=span)
    first = rule.decide(State(work_left=20 * span, span_left=span))
    assert (first.action, first.block) == ("widen", min(span, found.table.tokens.max()))
    assert first.n > 1
    cut = found.as_cut(span).table
    assert cut.tokens.max() <= span
    late = found.table.tokens > span
    assert (cut.group[late] == NONE).all()
    assert not cut.right[late].any()
    assert (cut.group[~late] == found.table.group[~late]).all()
