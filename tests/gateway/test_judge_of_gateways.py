"""The judge of the gateway's fuzzer: what it must see, it sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from workspan.testing.gateway_fuzz.case import Case, case
from workspan.testing.gateway_fuzz.drive import Evidence, drive
from workspan.testing.gateway_fuzz.judge import judge


def is_simple(one: Case) -> bool:
    """An honest server that reports, one key with work alone, one request that is passed on."""
    habits = one.sides[0].habits
    return (
        one.is_honest
        and len(one.sides) == 1
        and habits.reports == "last"
        and one.keys[0].count(",") == 0
        and one.trouble is None
    )


@cache
def number() -> int:
    return next(n for n in range(10_000) if is_simple(case(n)))


def evidence() -> Evidence:
    """Return what came of a run with nothing wrong."""
    drawn = case(number())
    asks = [
        replace(ask, place=i, key=0, way="", n=1, cap=20, budget=None, leaves_after=None)
        for i, ask in enumerate(drawn.asks[:2])
    ]
    asks = [replace(ask, is_streamed=i == 0, wants_usage=i == 0) for i, ask in enumerate(asks)]
    return asyncio.run(drive(replace(drawn, keys=("900 work/total",), asks=tuple(asks))))


def spent(found: Evidence, by: int) -> None:
    key = found.keys[0]
    [one] = key.usage.spendings
    key.usage = replace(key.usage, spendings=(replace(one, spent=one.spent + by),))


def rows_differ(found: Evidence) -> None:
    found.keys[0].rows.pop()


def billed_twice(found: Evidence) -> None:
    found.keys[0].rows.append(found.keys[0].rows[0])


def held(found: Evidence) -> None:
    key = found.keys[0]
    [one] = key.usage.spendings
    key.usage = replace(key.usage, spendings=(replace(one, held=7),))


def asked_twice(found: Evidence) -> None:
    found.tallies[0].rows.insert(0, found.tallies[0].rows[0])
    found.before_probe = (found.before_probe[0] + 1,)


def looks_finished(found: Evidence) -> None:
    for row in found.tallies[0].rows:
        row.is_complete, row.finishes = False, [None]


def torn(found: Evidence) -> None:
    found.got[0].ending = "torn"


def unclear(found: Evidence) -> None:
    found.got[1].ending, found.got[1].status, found.got[1].value = "refused", 429, {"error": {}}


def bug(found: Evidence) -> None:
    found.got[1].ending, found.got[1].status = "refused", 500
    found.got[1].value = {"error": {"message": "x", "type": "server_error", "code": "bug"}}


def refused(found: Evidence) -> None:
    found.got[1].ending, found.got[1].status = "refused", 502
    found.got[1].value = {"error": {"message": "x", "type": "server_error", "code": "y"}}


def past_its_budget(found: Evidence) -> None:
    found.got[0].ask = replace(found.got[0].ask, budget=1)
    found.got[0].events.append({"workspan": {"work": 2, "overrun": 0}})


def not_usable(found: Evidence) -> None:
    found.keys[0].probes[-1].ending = "refused"


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda one: spent(one, -1), "work below served"),
        (lambda one: spent(one, 1), "work not exact"),
        (lambda one: spent(one, 1), "honest work over budget"),
        (rows_differ, "rows differ in work"),
        (billed_twice, "rows"),
        (held, "held"),
        (asked_twice, "asked twice"),
        (looks_finished, "looks finished"),
        (torn, "torn"),
        (unclear, "unclear error"),
        (bug, "bug"),
        (refused, "honest and refused"),
        (past_its_budget, "budget passed unmarked (told)"),
        (not_usable, "not usable"),
    ],
)
def test_each_harm_is_seen(harm: Callable[[Evidence], None], code: str) -> None:
    found = evidence()
    assert not judge(found)
    harm(found)
    assert code in {problem.code for problem in judge(found)}
