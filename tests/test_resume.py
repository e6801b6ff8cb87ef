"""What a second run over the same journal asks for, and what it does not."""

from __future__ import annotations

from decimal import Decimal

import anyio
import pytest

from workspan.core.engine import Price
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.errors import ContextExceeded, EngineUnavailable, ReplayMismatch
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import FaultyEngine, ScriptedEngine
from workspan.testing.strategy_suite import chatter

LONG = "word " * 400
PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def solve(strategy: str, engine: ScriptedEngine, journal: Journal, budget: str = "") -> Result:
    limits = Budget.parse(budget) if budget else None
    parsed = parse_strategy(strategy)
    return anyio.run(lambda: run(parsed, PROBLEM, engine, budget=limits, journal=journal))


def durable(journal: Journal | None = None) -> Journal:
    return Journal(journal.entries if journal else (), sink=lambda _: None)


def test_a_run_that_failed_asks_its_failed_calls_again() -> None:
    down = {i: (0, EngineUnavailable("down")) for i in range(3)}
    journal = durable()
    with pytest.raises(EngineUnavailable):
        solve("self_consistency(n=3)", FaultyEngine(["Answer: 4"], faults=down), journal)
    engine = ScriptedEngine(["Answer: 4"])
    result = solve("self_consistency(n=3)", engine, durable(journal))
    assert result.answer.votes[0].weight == 3
    assert engine.billed.calls == 3


def test_a_failure_that_the_run_outlived_stays_failed() -> None:
    journal = durable()
    faulty = FaultyEngine(["Answer: 4"], faults={1: (0, EngineUnavailable("down"))})
    first = solve("self_consistency(n=3)", faulty, journal)
    engine = ScriptedEngine(["Answer: 5"])
    again = solve("self_consistency(n=3)", engine, durable(journal))
    assert again.answer == first.answer
    assert again.answer.votes[0].weight == 2
    assert engine.billed.calls == 0


def test_a_larger_vote_draws_only_what_the_smaller_did_not() -> None:
    journal = durable()
    solve("self_consistency(n=8)", ScriptedEngine(chatter), journal)
    engine = ScriptedEngine(chatter)
    more = solve("self_consistency(n=16)", engine, durable(journal), "1M work")
    assert engine.billed.calls == 8
    assert more.usage.calls == 16
    fresh = solve("self_consistency(n=16)", ScriptedEngine(chatter), durable(), "1M work")
    assert fresh.answer == more.answer


def test_a_run_goes_on_under_a_larger_budget() -> None:
    journal = durable()
    small = solve("self_consistency(n=8)", ScriptedEngine(chatter), journal, "3 calls")
    assert (small.usage.calls, small.stop) == (3, "calls")
    engine = ScriptedEngine(chatter)
    large = solve("self_consistency(n=8)", engine, durable(journal), "8 calls")
    assert (large.usage.calls, engine.billed.calls, large.stop) == (8, 5, "done")


def test_calls_in_flight_at_a_kill_are_charged_what_they_may_have_cost() -> None:
    journal = durable()
    solve("single(max_tokens=300)", ScriptedEngine(chatter), journal)
    killed = Journal(journal.entries[:1], sink=lambda _: None)  # the line written ahead, no more
    assert killed.usage().output_tokens == 256
    engine = ScriptedEngine(chatter)
    result = solve("single(max_tokens=300)", engine, killed, "10k work")
    assert result.usage.calls == 2
    assert result.work == 256 + engine.billed.output_tokens
    assert result.usage.source == "estimated"


def test_another_program_over_a_journal_is_refused() -> None:
    journal = durable()
    solve("single(max_tokens=300)", ScriptedEngine(chatter), journal)
    with pytest.raises(ReplayMismatch, match="not the call that the program makes now"):
        solve("single(max_tokens=301)", ScriptedEngine(chatter), durable(journal))


def test_a_resumed_run_that_goes_another_way_keeps_what_was_spent() -> None:
    """The first run fails with all of its calls charged; there is no room to ask them again."""
    faults = {i: (3, EngineUnavailable("down")) for i in range(8)}
    journal = durable()
    with pytest.raises(EngineUnavailable):
        solve("self_consistency(n=4)", FaultyEngine(["a b c d e"], faults=faults), journal)
    spent = journal.usage()
    assert spent.calls == 8
    resumed = durable(journal)
    result = solve("single", ScriptedEngine(["Answer: 4"]), resumed, "9 calls")
    assert result.usage == resumed.usage()
    assert result.usage.calls == 9
    assert sum(call.usage.calls for call in result.trace) == 9
    assert result.span == 2


def test_a_race_that_a_limit_ended_ends_by_it_again() -> None:
    journal = durable()
    race = "short_m_at_k(m=1, k=2, max_tokens=5)"
    full = FaultyEngine(["a b c d e f"], faults={0: (5, ContextExceeded("it is full"))})
    first = solve(race, full, journal, "1 calls")
    engine = ScriptedEngine(["Answer: 4"])
    again = solve(race, engine, durable(journal), "1 calls")
    assert first.stop == again.stop == "calls"
    assert (again.answer, again.usage, again.span) == (first.answer, first.usage, first.span)
    assert engine.billed.calls == 0


@pytest.mark.parametrize(
    ("strategy", "budget", "limit"),
    [
        ("single(max_tokens=300)", "40 work", "work"),
        ("single(max_tokens=300)", "40 span", "span"),
        ("single(max_tokens=300)", "$0.00004", "cost"),
        ("self_consistency(n=4, max_tokens=300)", "550 work", "work"),
        ("short_m_at_k(m=2, k=3, max_tokens=300)", "40 span", "span"),
    ],
)
def test_a_run_that_its_budget_cut_says_so_after_a_kill(
    strategy: str, budget: str, limit: str
) -> None:
    """Killed before its last line was written, or before any other: what cut it is known."""
    price = Price(Decimal(1), Decimal(1))
    whole = durable()
    first = solve(strategy, ScriptedEngine([LONG], price=price), whole, budget)
    assert first.stop == limit
    assert any(e.sample is not None and e.refused == limit for e in whole.entries)
    for kept in range(len(whole.entries)):
        killed = Journal(whole.entries[:kept], sink=lambda _: None)
        in_flight = {e.key for e in killed.calls() if e.outcome == "open"}
        again = solve(strategy, ScriptedEngine([LONG], price=price), killed, budget)
        assert again.stop == limit, kept
        assert not again.overruns
        if not in_flight:
            assert (again.usage, again.span, again.answer) == (
                first.usage,
                first.span,
                first.answer,
            )


def test_a_race_that_was_decided_is_ended_by_its_limit_again() -> None:
    whole = durable()
    race = "short_m_at_k(m=2, k=3, max_tokens=300)"
    first = solve(race, ScriptedEngine(["Answer: 4"]), whole, "1 call")
    assert first.stop == "calls"
    again = solve(race, ScriptedEngine([]), durable(Journal(whole.entries[:-1])), "1 call")
    assert (again.stop, again.usage) == (first.stop, first.usage)
