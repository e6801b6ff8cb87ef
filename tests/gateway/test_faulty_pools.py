"""Ten thousand pools whose members are killed, slow, lie or take no more.

Every request ends in an answer or a clear error; where one member is sound, what is passed on is
answered; the store holds what all servers counted together, and no minute is passed. A failure
names the command that repeats it.
"""

from __future__ import annotations

import pytest

from workspan.testing.faults import FAULTS
from workspan.testing.gateway_fuzz.many import many
from workspan.testing.gateway_fuzz.pools import pooled_case

BLOCK = 100
FOUND = {
    24: "a member that redirects was the end of a request that another could answer",
    40: "a member that says to ask again at once was asked a thousand times",
    1266: "calls that fell back side by side passed a member's minute",
    1695: "a server was killed under a request on a kept connection, and charged nothing",
}
"""Runs that broke a promise once, and how."""


def check(first: int, runs: int, *, is_some: bool = True) -> None:
    report = many(range(first, first + runs), draw=pooled_case)
    assert report.runs == runs
    assert not report.failures.found, "\n".join([str(report), *map(str, report.failures.found)])
    assert not is_some or report.answered > 1 / 2, str(report)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", FOUND)
def test_what_was_found_stays_mended(number: int) -> None:
    check(number, 1, is_some=False)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, 300, BLOCK))
def test_no_request_is_lost_or_billed_twice_and_no_budget_is_passed(first: int) -> None:
    check(first, BLOCK)


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(300, 10_300, 500))
def test_ten_thousand_pools_keep_their_accounts(first: int) -> None:
    check(first, 500)


def test_ten_thousand_runs_bring_every_fault_and_every_kind_of_trouble() -> None:
    drawn = [pooled_case(number) for number in range(10_000)]
    met = {fault.name for one in drawn for side in one.sides for fault in side.faults}
    assert met == set(FAULTS)
    sides = [side for one in drawn for side in one.sides]
    assert sum(side.killed_after is not None for side in sides) > 1_000
    assert sum(side.habits.seconds > 0 for side in sides) > 500
    assert sum(one.pool is not None and one.pool.is_limited for one in drawn) > 1_000
    assert pooled_case(7) == pooled_case(7)
