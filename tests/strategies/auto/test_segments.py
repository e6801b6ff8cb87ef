"""Segments of problems told by the prompt: found where they pay, and nowhere else."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.data.types import Message, Problem
from workspan.strategies.auto.fit.choose import chosen, segments_for
from workspan.strategies.auto.fit.profile import Case, Profile, Record
from workspan.strategies.auto.fit.replayed import Shape
from workspan.strategies.auto.fit.rules import BySegment, evaluated, fitted
from workspan.strategies.auto.fit.segments import SMALLEST, Fork, Segment, divide, segments_of
from workspan.strategies.auto.policies.plan import NEVER, Outcome, Plan
from workspan.strategies.auto.policies.policy import Planned, Scheduled
from workspan.strategies.auto.policies.state import State
from workspan.strategies.auto.prompt_features import NAMES, prompt_features

WORDS = NAMES.index("words")


def of(**known: float) -> tuple[float, ...]:
    """Return features that are 0 but for those that are named."""
    return tuple(known.get(name, 0.0) for name in NAMES)


def mixed(problems: int, seed: int = 0, *, is_told: bool = True) -> Profile:
    """Half of the problems need 40 tokens; half of the chains of the others are right at 8.

    Where it is told, the prompts of the first have some 30 words, of the second some 90.
    """
    rng = random.Random(seed)
    deep = Record((*range(4, 44, 4),), (*(9 * (-1,)), 0), ended=True)
    stuck = Record((*range(4, 104, 4),), (-1,) * 25, ended=False)
    short = Record((4, 8), (-1, 0), ended=True)
    cases = []
    for i in range(2 * problems):
        several = (short, stuck) if i % 2 else (deep, deep)
        chains = tuple(rng.choice(several) for _ in range(16))
        words = (90 if i % 2 and is_told else 30) + rng.randrange(-9, 10)
        cases.append(
            Case(chains, right=(0,), prompt_features=of(words=words, lines=rng.randrange(9)))
        )
    return Profile("simulated", "tokens", tuple(cases))


def test_signs_are_numbers_of_the_prompt() -> None:
    problem = Problem("p/1", (Message("user", "What is ((1 + 22) * 3)?\n(A) 69\n(B) 70"),))
    shown = dict(zip(NAMES, prompt_features(problem), strict=True))
    assert shown["lines"] == 3
    assert shown["numbers"] == 5
    assert shown["digits of the longest number"] == 2
    assert shown["operations"] == 2
    assert shown["brackets deep"] == 2
    assert shown["options"] == 2
    assert shown["words"] == 11
    named = (Message("user", "p/1"),)
    assert len(prompt_features(Problem("p/1", named))) == len(NAMES)  # whoever asks this asks this
    assert prompt_features(Problem("p/1", named, is_asked=False)) == ()  # unasked


@given(st.text(max_size=300))
def test_signs_take_any_text(text: str) -> None:
    shown = prompt_features(Problem("p", (Message("user", text),)))
    assert len(shown) == len(NAMES)
    assert all(np.isfinite(shown))


@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_every_problem_is_of_one_kind(seed: int, problems: int, options: int) -> None:
    rng = np.random.default_rng(seed)
    values, told = rng.random((options, problems)), rng.integers(0, 9, (problems, 3)).astype(float)
    values[0] += 2 * (told[:, 0] > 4)  # the first plan is good there
    tree = divide(values, told)
    found = np.concatenate([segment.problems for segment in segments_of(tree)])
    assert sorted(found) == list(range(problems))
    assert isinstance(tree, Segment) or min(len(k.problems) for k in segments_of(tree)) >= SMALLEST


def test_signs_that_say_nothing_leave_problems_together() -> None:
    forks = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        values = rng.normal(0, 1, (40, 1)) * 0.02 + rng.normal(0, 0.4, (40, 60))
        forks += isinstance(divide(values, rng.random((60, len(NAMES)))), Fork)
    assert forks <= 9  # it was 5 when this was written


def test_a_sign_that_tells_is_found_among_those_that_do_not() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        told = rng.random((60, len(NAMES)))
        is_deep = told[:, WORDS] > 0.5
        values = np.stack([is_deep * 0.8, ~is_deep * 0.7]) + rng.normal(0, 0.2, (2, 60))
        tree = divide(values, told)
        assert isinstance(tree, Fork)
        assert tree.feature == WORDS
        assert tree.at == pytest.approx(0.5, abs=0.1)


def outcome(name: int, right: list[float], work: list[float]) -> Outcome:
    shape = Shape(1, name, name)
    return Outcome.of(Plan(shape, 1, NEVER), np.array([right, work, work]))


def test_segments_share_a_mean_budget_where_it_gains_most() -> None:
    first, second = Segment(np.array([0, 1])), Segment(np.array([2, 3]))
    short = outcome(1, [0.2, 0.2, 0.5, 0.5], [10.0] * 4)
    long = outcome(2, [0.9, 0.9, 0.6, 0.6], [50.0] * 4)
    plans, segments = [short, long], [first, second]

    def names(work: float | None, price: float = 0.0) -> list[int]:
        return [one.plan.shape.cap for one in chosen(plans, segments, work, None, price)]

    assert names(10) == [1, 1]
    assert names(29) == [1, 1]
    assert names(30) == [2, 1]  # .7 for 40 tokens is more than .1
    assert names(50) == [2, 2] == names(None)
    assert names(None, price=0.005) == [2, 1]


@given(
    st.lists(st.tuples(*[st.floats(0, 1)] * 4, *[st.integers(1, 100)] * 4), min_size=1, max_size=8),
    st.integers(100, 200),
)
def test_a_mean_budget_is_never_passed_where_the_cheapest_fits(
    rows: list[tuple[float, ...]], budget: int
) -> None:
    plans = [outcome(i, list(row[:4]), list(row[4:])) for i, row in enumerate(rows)]
    segments = [Segment(np.array([0, 3])), Segment(np.array([1, 2]))]
    picked = chosen(plans, segments, float(budget))
    assert np.mean([one.work for one in picked]) <= budget * (1 + 1e-6)


def test_each_kind_gets_the_plan_that_serves_it() -> None:
    found = evaluated(mixed(20), 48)
    rule = fitted(found, work=48)
    assert isinstance(rule, BySegment)
    assert NAMES[rule.feature] == "words"
    assert 39 < rule.at < 81
    deep, wide = (State(work_left=48, prompt_features=of(words=n)) for n in (30, 90))
    assert (rule.decide(deep).n, rule.decide(wide).n) == (1, 6)
    assert rule.decide(deep).why["prompt"] == f"words up to {rule.at:g}"
    blind = rule.decide(State(work_left=48))
    assert "prompt" not in blind.why


def test_a_verifier_has_a_schedule_for_each_kind() -> None:
    rule = fitted(evaluated(mixed(20), 48), work=48, is_judged=True)
    assert isinstance(rule, BySegment)
    assert isinstance(rule.below, Scheduled)
    assert rule.decide(State(work_left=48, prompt_features=of(words=30))).block == 40
    assert rule.decide(State(work_left=48, prompt_features=of(words=90))).block == 8


def test_segments_that_no_feature_tells_have_one_plan() -> None:
    found = evaluated(mixed(20, is_told=False), 48)
    assert isinstance(fitted(found, work=48), Planned)
    assert isinstance(segments_for(found.plans(), found.table.prompt_features, 48), Segment)


def test_a_profile_without_signs_has_one_plan() -> None:
    known = mixed(20)
    bare = Profile("m", "tokens", tuple(Case(c.chains, c.right) for c in known.problems))
    assert isinstance(fitted(evaluated(bare, 48), work=48), Planned)


def test_a_pooled_budget_is_shared_among_kinds() -> None:
    """At a mean of 30 tokens the deep problems take 40 each; eight are left for the others."""
    found = evaluated(mixed(20))
    rule = fitted(found, work=26)
    assert isinstance(rule, BySegment)
    parts = [rule.below, rule.above]
    plans = [part.plan for part in parts if isinstance(part, Planned)]
    assert [plan.shape.cap >= 40 for plan in plans] == [True, False]
