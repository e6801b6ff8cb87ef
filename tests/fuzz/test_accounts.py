"""Thousands of small runs against faulty servers: every account holds what the server counted.

A failure names the command that repeats it.
"""

from __future__ import annotations

import pytest

from workspan.testing.faults import FAULTS, Habits
from workspan.testing.fuzz.case import EXAMPLES, case
from workspan.testing.fuzz.many import many
from workspan.testing.fuzz.share import PIECES, PLANS, measure, table

BLOCK = 125


def check(first: int, runs: int) -> None:
    report = many(range(first, first + runs))
    assert report.runs == runs
    assert report.results > runs / 2, "most runs must come to something, or nothing is tested"
    assert not report.failures.found, "\n".join([str(report), *map(str, report.failures.found)])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, 2 * BLOCK, BLOCK))
def test_no_account_is_below_what_was_served_and_no_budget_is_passed_unmarked(first: int) -> None:
    check(first, BLOCK)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(2 * BLOCK, 1000, BLOCK))
def test_a_thousand_runs_keep_their_accounts(first: int) -> None:
    check(first, BLOCK)


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(1000, 10_000, 500))
def test_ten_thousand_runs_keep_their_accounts(first: int) -> None:
    check(first, 500)


def test_ten_thousand_runs_bring_every_fault_before_every_strategy() -> None:
    assert len(FAULTS) >= 60
    met = {
        (fault.name, drawn.strategy)
        for drawn in map(case, range(10_000))
        for fault in drawn.faults[:1]
    }
    assert len(met) > 0.6 * len(FAULTS) * len(EXAMPLES)  # the rest met an honest server or a mix
    assert {name for name, _ in met} == set(FAULTS)
    assert {strategy for _, strategy in met} == set(EXAMPLES)


def test_a_number_is_always_the_same_run() -> None:
    assert case(123) == case(123)
    assert str(case(123)) != str(case(124))


@pytest.mark.parametrize("per_piece", [1, 16])
def test_almost_all_of_a_budget_can_be_used(per_piece: int) -> None:
    habits = Habits(per_piece=per_piece, length=(4_000, 4_000))
    share = measure("self_consistency(n=8, max_tokens=1024)", 1024, habits)
    assert share.stop == "work"
    assert share.usable >= 0.95, str(share)


@pytest.mark.heavy
@pytest.mark.timeout(3600)
def test_usable_shares_of_all_plans() -> None:
    shares = table()
    assert len(shares) == len(PLANS) * len(PIECES)
    assert all(share.stop == "work" for share in shares)
    low = [str(share) for share in shares if share.usable < 0.95]
    assert not low, "\n".join(low)
