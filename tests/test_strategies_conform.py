"""Every strategy keeps the promises of `workspan.testing.strategy_suite`."""

from __future__ import annotations

import random
import typing
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.spec import STRATEGIES, parse_strategy
from workspan.testing import strategy_suite as suite

SMALL = [named.example for named in STRATEGIES.ours.values() if not named.card.extra]
SMALL += [
    "auto(single(max_tokens=60), self_revision(turns=1, max_tokens=60), verifier=judge, n=12,"
    " max_tokens=60)",  # none of its verdicts is a pass: arms have their turns
]
cases = pytest.mark.parametrize("strategy", [parse_strategy(text) for text in SMALL], ids=SMALL)
limits = st.none() | st.integers(0, 900)
budgets = st.builds(
    Budget,
    work=limits,
    span=st.none() | st.integers(0, 400),
    prefill=st.none() | st.integers(0, 300),
    calls=st.none() | st.integers(0, 10),
    width=st.none() | st.integers(1, 3),
)


def test_every_example_is_of_the_strategy_that_it_stands_for() -> None:
    examples = [named.example for named in STRATEGIES.ours.values()]
    assert [text.split("(")[0] for text in examples] == list(STRATEGIES.ours)


@cases
def test_a_card_says_what_the_strategy_costs(strategy: Strategy) -> None:
    suite.check_cost(strategy)


@pytest.mark.heavy
@cases
@pytest.mark.parametrize("draw", range(4))
def test_its_formulas_hold_for_other_parameters_too(strategy: Any, draw: int) -> None:
    rng = random.Random(f"{strategy} {draw}")
    told: dict[str, object] = {}
    for item in fields(strategy):
        value = getattr(strategy, item.name)
        if type(value) is bool:
            told[item.name] = rng.random() < 0.5
        elif type(value) is int and rng.random() < 0.5:
            is_tokens = item.name.endswith("tokens") or item.name in TOKENS
            told[item.name] = rng.choice((5, 17, 40) if is_tokens else (0, 1, 2, 3, 5))
        elif item.name in ("generate", "evaluate", "mode"):
            wanted = typing.get_type_hints(type(strategy))[item.name]
            told[item.name] = rng.choice(typing.get_args(wanted))
    try:
        changed = replace(strategy, **told)
    except ValueError:  # they do not go together
        return
    suite.check_cost(changed, is_bound_alone=True)


TOKENS = ("thinking", "depth", "workspace", "block", "unit")
"""Parameters that count tokens."""


@cases
@settings(max_examples=20, deadline=None)
@given(budget=budgets, cut=st.none() | st.integers(0, 300), overshoot=st.sampled_from([0, 0, 16]))
def test_spent_is_journaled_is_billed(
    strategy: Strategy, budget: Budget, cut: int | None, overshoot: int
) -> None:
    suite.check_account(strategy, budget, cut, overshoot)


@cases
@settings(max_examples=20, deadline=None)
@given(budget=budgets)
def test_work_and_span_equal_brute_force(strategy: Strategy, budget: Budget) -> None:
    suite.check_work_and_span(strategy, budget)


@cases
@settings(max_examples=10, deadline=None)
@given(budget=budgets)
def test_every_journal_prefix_resumes(strategy: Strategy, budget: Budget) -> None:
    suite.check_resume(strategy, budget)


@cases
@settings(max_examples=12, deadline=None)
@given(budget=budgets, cut=st.integers(0, 250))
def test_killed_runs_resume_and_replay(strategy: Strategy, budget: Budget, cut: int) -> None:
    suite.check_kill_and_resume(strategy, budget, cut)
