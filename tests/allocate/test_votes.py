"""The stop rule of votes on whole samples: what it may and may not do."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.allocate.library import Case, Library, Record
from workspan.allocate.state import NONE, Line, State
from workspan.allocate.votes import (
    Outlook,
    VoteRule,
    VoteShapes,
    count,
    settled,
    stops,
    votes_rule,
)
from workspan.search.stopping import beta_confidence

WIDTH = 20
PRICES = (0.0, 0.001, 0.005, 0.02, 0.1, 1.1)


def simulated(problems: int, seed: int, width: int = WIDTH) -> VoteShapes:
    """A third of the problems each: nearly settled, contested by two, hopelessly flat."""
    rng = np.random.default_rng(seed)
    kinds = ([0.95, 0.05], [0.5, 0.35, 0.15], [0.1] * 10)
    rows = [rng.choice(len(p), width, p=p) for p in (kinds[i % 3] for i in range(problems))]
    return VoteShapes(np.stack(rows), 100.0)


@cache
def rule_at(price: float) -> VoteRule:
    return settled(simulated(150, 0).shuffled(6_000), price)


def ended(*groups: int) -> tuple[Line, ...]:
    return tuple(Line(100, (), group, ended=True) for group in groups)


def test_votes_are_counted_as_they_come_and_ties_go_to_the_first_drawn() -> None:
    groups = np.array([[1, 0, 0, NONE, 1]])
    votes = count(groups, np.array([0]), np.array([[0, 1, 2, 3, 4]]))
    assert votes.lead.tolist() == [[1, 1, 0, 0, 1]]
    assert votes.first.tolist() == [[1, 1, 2, 2, 2]]
    assert votes.second.tolist() == [[0, 1, 1, 1, 2]]
    assert votes.agrees.tolist() == [[True, True, False, False, True]]


def test_samples_without_an_answer_have_no_leader() -> None:
    votes = count(np.array([[NONE, NONE]]), np.array([0]), np.array([[0, 1]]))
    assert votes.lead.tolist() == [[NONE, NONE]]
    assert votes.first.max() == 0


@settings(deadline=None)  # the first call fits the rule
@given(st.sampled_from(PRICES), st.lists(st.integers(NONE, 4), max_size=2 * WIDTH))
def test_what_is_said_of_a_state_is_a_probability_and_a_gain(
    price: float, groups: list[int]
) -> None:
    decision = rule_at(price).decide(State(ended(*groups)))
    assert 0 <= decision.confidence <= 1
    assert 0 <= decision.gain <= 1
    if groups:
        assert decision.gain * 100 >= price * decision.cost - 1e-9
    if len(groups) >= WIDTH:
        assert decision.action in ("stop", "abstain")


@settings(deadline=None)
@given(st.lists(st.integers(NONE, 4), max_size=WIDTH), st.integers(0, 500), st.integers(0, 500))
def test_it_never_widens_past_what_is_left(groups: list[int], work: int, span: int) -> None:
    decision = rule_at(0.0).decide(State(ended(*groups), work_left=work, span_left=span))
    if decision.action == "widen":
        assert decision.n >= 1
        assert decision.n * decision.block <= min(work, span)
        assert not groups or work >= 100  # a whole sample of the usual length
    else:
        assert decision.n == 0


def test_fewer_samples_are_drawn_at_a_higher_price() -> None:
    held = simulated(90, 1).shuffled(2_000)
    drawn = [float(stops(rule_at(price), held).mean()) for price in PRICES]
    assert drawn == sorted(drawn, reverse=True)
    assert drawn[-1] == 1  # nothing is worth more than certainty
    assert drawn[0] > 3


def test_the_stated_probability_is_calibrated_on_problems_held_out() -> None:
    held = simulated(300, 2).shuffled(6_000)
    rule = rule_at(0.005)
    at = stops(rule, held) - 1
    rows = np.arange(len(at))
    stated = np.array(
        [
            rule.outlook(i + 1, int(held.first[r, i]), int(held.second[r, i])).belief
            for r, i in zip(rows, at, strict=True)
        ]
    )
    agrees = held.agrees[rows, at]
    assert stated.mean() == pytest.approx(agrees.mean(), abs=0.04)
    high = stated > 0.9
    assert high.sum() > 500
    assert stated[high].mean() == pytest.approx(agrees[high].mean(), abs=0.04)


def test_votes_cost_less_than_by_adaptive_consistency_and_agree_nearly_as_often() -> None:
    held = simulated(300, 3).shuffled(3_000)
    enough = np.array(
        [
            [beta_confidence(a, b) > 0.95 for a, b in zip(*row, strict=True)]
            for row in zip(held.first.tolist(), held.second.tolist(), strict=True)
        ]
    )
    enough[:, -1] = True
    theirs, rows = enough.argmax(axis=1), np.arange(len(enough))
    ours = stops(rule_at(0.02), held) - 1
    assert ours.mean() < 0.95 * theirs.mean()
    assert held.agrees[rows, ours].mean() > held.agrees[rows, theirs].mean() - 0.03


def test_without_a_library_unanimous_votes_end_early_and_contested_ones_do_not() -> None:
    cold = votes_rule(None, width=WIDTH)
    assert cold.decide(State(ended(0, 0, 0, 0, 0))).action == "stop"
    contested = cold.decide(State(ended(0, 1, 0, 1)))
    assert contested.action == "widen"
    assert contested.gain > 0


def test_a_library_needs_no_labels() -> None:
    rows = simulated(60, 0).groups.tolist()
    cases = tuple(Case(tuple(Record((100,), (g,), ended=True) for g in row)) for row in rows)
    shapes = VoteShapes.of_library(Library("simulated", "tokens", cases))
    assert shapes.groups.tolist() == rows
    assert shapes.tokens == 100


def test_below_the_floor_it_abstains_and_open_lines_end_first() -> None:
    rule = replace(rule_at(1.1), floor=0.999)
    assert rule.decide(State(ended(0))).action == "abstain"
    opened = (*ended(0), Line(50))
    assert rule.decide(State(opened, work_left=200)).lines == (1,)


def test_a_vote_that_never_came_up_is_judged_by_its_lead() -> None:
    leads = (Outlook(0.5, 0.1, 2.0), Outlook(0.9, 0.0, 0.0))
    rule = VoteRule(({},), (leads,))
    assert rule.outlook(1, 1, 0) == leads[1]
    assert rule.outlook(1, 9, 1) == leads[1]
    assert rule.outlook(1, 2, 2) == leads[0]
