"""Schedules of tries: what they begin with, how they mix, and that greed is not all there is."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.strategies.auto.fit.evaluation import caps
from workspan.strategies.auto.fit.profile import Case, Once, Profile, Record
from workspan.strategies.auto.fit.table import Table, tabulate
from workspan.strategies.auto.policies.schedule import Try, _played, best_schedule
from workspan.strategies.auto.policies.state import NONE


def chain(tokens: int, *, right: bool) -> Record:
    """One that is asked after every 4 tokens, and says nothing before its end."""
    depths = (*range(4, tokens, 4), tokens)
    return Record(depths, (*[NONE] * (len(depths) - 1), 0 if right else 1), ended=True)


def table(*problems: tuple[Record, ...], arms: tuple[tuple[Once, ...], ...] = ()) -> Table:
    held = arms or ((),) * len(problems)
    cases = tuple(Case(chains, (0,), "", of) for chains, of in zip(problems, held, strict=True))
    names = tuple(f"arm {i}" for i in range(len(held[0])))
    return tabulate(Profile("simulated", "tokens", cases, arms=names))


def test_short_tries_come_before_a_long_one_where_problems_are_mixed() -> None:
    gamble = (*(chain(8, right=True),) * 2, *(chain(100, right=True),) * 2)  # half are quick
    serial = (chain(40, right=True),) * 4
    known = table(*(gamble,) * 10, *(serial,) * 10)
    tries = best_schedule(known, caps(known, 8), 96)
    tokens = [one.tokens for one in tries]
    assert 8 <= tokens[0] < 40
    assert any(40 <= size < 60 for size in tokens)
    alone = [_played(known, (Try(cap),), 96)[0] for cap in caps(known, 8)]
    assert _played(known, tries, 96)[0] > max(alone) + 0.05


def test_a_schedule_is_never_behind_restarts_at_one_cap() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        problems = [
            tuple(
                chain(int(size), right=bool(right))
                for size, right in zip(rng.integers(4, 200, 6), rng.random(6) < 0.5, strict=True)
            )
            for _ in range(8)
        ]
        known = table(*problems)
        budget = float(rng.integers(50, 400))
        fits = [cap for cap in caps(known, 8) if cap <= budget]
        found = _played(known, best_schedule(known, caps(known, 8), budget), budget)
        assert all(found >= _played(known, (Try(cap),), budget) for cap in fits)


def test_an_arm_is_tried_where_chains_do_not_pass() -> None:
    easy, hard = (chain(8, right=True),) * 4, (chain(8, right=False),) * 4
    runs = (*((Once(40, 20, right=True),),) * 20,)
    known = table(*(easy,) * 10, *(hard,) * 10, arms=runs)
    first, second, *_ = best_schedule(known, caps(known, 8), 100, has_arms=True)
    assert (first.arm, second.arm) == (NONE, 0)
    assert (first.gain, second.gain, second.tokens) == (0.5, 1.0, 40)
    assert all(one.arm == NONE for one in best_schedule(known, caps(known, 8), 100))


@given(st.floats(1, 500), st.lists(st.integers(1, 120), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_what_is_played_keeps_to_its_budget(budget: float, sizes: list[int]) -> None:
    known = table(*((chain(40, right=True), chain(90, right=False)),) * 3)
    share, left = _played(known, [Try(size) for size in sizes], budget)
    assert 0 <= share <= 1
    assert 0 <= left <= budget
    assert share == 0 or budget >= 40  # nothing passes for less than it takes


def test_of_a_profile_where_nothing_passes_a_schedule_is_still_made() -> None:
    known = table(*((chain(40, right=False),) * 3,) * 4)
    tries = best_schedule(known, caps(known, 8), 100)
    assert tries
    assert all(one.tokens > 0 for one in tries)
