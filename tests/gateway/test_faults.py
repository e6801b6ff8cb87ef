"""Thousands of gateways before faulty servers, and some that are struck in mid-request.

Every request ends in an answer or a clear error, and the store holds what the servers counted. A
failure names the command that repeats it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from postgres_server import PostgresServer
from store_rig import fresh_database
from workspan.testing.faults import FAULTS, Habits
from workspan.testing.gateway_fuzz.case import WAYS, Ask, Case, Side, case
from workspan.testing.gateway_fuzz.drive import Evidence, drive
from workspan.testing.gateway_fuzz.judge import judge
from workspan.testing.gateway_fuzz.many import many
from workspan.testing.gateway_fuzz.striking import kill_a_worker, strike_one, struck

BLOCK = 125
FOUND = {
    455: "of two choices' usage the part was taken for the whole",
    489: "a bill beyond 64 bits ended the task that talks with the store",
    531: "drafts that waited for some of two limits took turns for ever",
    734: "a stream that was done before its first token was an answer without a choice",
    1627: "a running figure of 10^30 tokens cut a stream, and was its bill",
    2601: "of two choices that ended by their cap one was taken for both",
    4250: "a whole reply's usage that came too early was held against what nobody can know",
    5224: "a whole reply of a server that minds no cap broke off, and next to nothing was charged",
    5491: "a stream was answered by one body, which broke off: next to nothing was charged",
    9828: "thinking under two names in one message was counted under one",
    89: "a choice that never came was charged a token",
    6621: "emoji of two choices, and running figures of one: 60 tokens were stored too few",
    9036: "the same, cut within an emoji by a cap of the server's own",
    7370: "a thought's short piece made pieces of 16 tokens 15, and a stream was cut too late",
    570: "a stream that is called JSON was charged as if next to nothing had come",
}
"""Runs that broke a promise once, and how."""


def check(first: int, runs: int, address: str = "", *, is_some: bool = True) -> None:
    report = many(range(first, first + runs), address=address)
    assert report.runs == runs
    assert not report.failures.found, "\n".join([str(report), *map(str, report.failures.found)])
    assert not is_some or report.answered > 1 / 4, str(report)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", FOUND)
def test_what_was_found_stays_mended(number: int) -> None:
    check(number, 1, is_some=False)


@pytest.mark.timeout(600)
def test_every_request_ends_and_the_store_holds_what_was_served() -> None:
    check(0, BLOCK)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(BLOCK, 1000, BLOCK))
def test_a_thousand_gateways_keep_their_accounts(first: int) -> None:
    check(first, BLOCK)


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(1000, 10_000, 500))
def test_ten_thousand_gateways_keep_their_accounts(first: int) -> None:
    check(first, 500)


def test_ten_thousand_runs_bring_every_fault_before_every_way() -> None:
    drawn = [case(number) for number in range(10_000)]
    met = {
        (fault.name, ask.way)
        for one in drawn
        for fault in one.sides[0].faults[:1]
        for ask in one.asks
    }
    assert len(FAULTS) >= 60
    assert met >= {(name, way) for name in FAULTS for way in ("", *WAYS)}
    assert sum(len(one.sides) > 1 for one in drawn) > 2_000
    assert sum(one.trouble == "locked" for one in drawn) > 500


def test_a_number_is_always_the_same_run() -> None:
    assert case(123) == case(123)
    assert str(case(123)) != str(case(124))


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    server = PostgresServer()
    yield server
    server.remove()


@pytest.mark.peers
@pytest.mark.timeout(1200)
def test_the_same_with_postgresql(postgres: PostgresServer) -> None:
    check(0, 250, fresh_database(postgres))


def fine(evidence: Evidence) -> None:
    problems = judge(evidence)
    assert not problems, "\n".join([str(evidence.case), *map(str, problems)])
    assert sum(one.ending == "answered" for one in evidence.got) > len(evidence.got) / 4


def test_what_a_stream_brings_while_its_account_is_asked_is_counted() -> None:
    """Three long streams share what is too little for them: each is cut, and all of it counted."""
    habits = Habits(overshoot=13, length=(2_500, 4_000), seconds=0.0005)
    caps = (20, 4_000, 4_000, 4_000)
    asks = [
        Ask(i, 0, "chat/completions", True, True, cap, 1, "", None, None)
        for i, cap in enumerate(caps)
    ]
    one = Case(0, (Side((), 1.0, habits),), ("4215 work/total",), tuple(asks), False, None, True)
    evidence = asyncio.run(drive(one))
    fine(evidence)
    stops = [got.told.get("stop") for got in evidence.got if got.ending == "answered"]
    assert "budget: work" in stops


def test_a_worker_killed_in_mid_request_loses_no_account(tmp_path: Path) -> None:
    fine(asyncio.run(strike_one(struck(0, "killed"), str(tmp_path / "store"), kill_a_worker)))


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_workers_killed_in_mid_request_lose_no_account(tmp_path: Path) -> None:
    for number in range(1, 40):
        store = str(tmp_path / f"store {number}")
        fine(asyncio.run(strike_one(struck(number, "killed"), store, kill_a_worker)))


@pytest.mark.peers
@pytest.mark.timeout(1200)
def test_workers_killed_before_postgresql_lose_no_account(postgres: PostgresServer) -> None:
    for number in range(10):
        address = fresh_database(postgres)
        fine(asyncio.run(strike_one(struck(number, "killed"), address, kill_a_worker)))


@pytest.mark.peers
@pytest.mark.timeout(1200)
def test_a_database_that_stops_and_comes_back_loses_no_token(postgres: PostgresServer) -> None:
    async def stop_and_start(_: int) -> None:
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(time.sleep, 0.3)  # requests come meanwhile, and are told of it
        await asyncio.to_thread(postgres.start)

    for number in range(10):
        address = fresh_database(postgres)
        fine(asyncio.run(strike_one(struck(number, "stopped"), address, stop_and_start)))
