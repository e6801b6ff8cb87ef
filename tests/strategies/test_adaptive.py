"""Worked examples of votes that stop early, by hand."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from workspan.core.engine import EngineInfo
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import EngineRejected, EngineUnavailable, SpecError
from workspan.runner import Result, check, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def solve(text: str, engine: ScriptedEngine, budget: str | None = None) -> Result:
    limits = Budget.parse(budget) if budget else None
    result = anyio.run(lambda: run(parse_strategy(text), PROBLEM, engine, budget=limits))
    assert result.work == engine.billed.output_tokens
    return result


def says(*answers: int) -> ScriptedEngine:
    return ScriptedEngine([f"Answer: {answer}" for answer in answers])


def calls(text: str, *answers: int) -> int:
    return solve(text, says(*answers)).usage.calls


def test_four_equal_votes_of_four_stop_adaptive_consistency() -> None:
    result = solve("adaptive_consistency", says(4))
    assert (result.answer.text, result.usage.calls) == ("4", 4)
    assert result.span == result.work == 8  # one after another


def test_one_vote_against_asks_for_six_in_favour() -> None:
    # P(p1 > p2) is 120/128 = .9375 at 5:1 and 247/256 = .965 at 6:1
    assert calls("adaptive_consistency", 5, 4, 4, 4, 4, 4, 4, 4, 4) == 7


def test_the_dirichlet_prior_minds_the_third_answer_too() -> None:
    script = (4, 5, 6, 4, 4, 4, 4, 4, 4, 4, 4)
    assert calls("adaptive_consistency", *script) == 8
    assert calls("adaptive_consistency(prior='dirichlet')", *script) > 8


def test_a_batch_draws_side_by_side_and_looks_between() -> None:
    result = solve("adaptive_consistency(batch=3)", says(4))
    assert (result.usage.calls, result.span) == (6, 4)


def test_votes_that_never_settle_end_at_n() -> None:
    assert calls("adaptive_consistency(n=7)", 4, 5) == 7
    assert calls("bayesian_stopping(n=7)", 4, 5) == 7
    assert calls("esc(n=7, window=2)", 4, 5) == 7


def test_no_answer_is_no_vote_and_no_window_is_unanimous_without_answers() -> None:
    for strategy in ("adaptive_consistency(n=6)", "esc(n=6, window=3)", "bayesian_stopping(n=6)"):
        result = solve(strategy, ScriptedEngine(["hm"]))
        assert (result.usage.calls, result.answer.best) == (6, None)


def test_a_unanimous_window_gives_the_answer_whatever_came_before() -> None:
    result = solve("esc(n=6, window=2)", says(5, 4, 5, 5, 4, 4))
    assert (result.answer.text, result.usage.calls) == ("5", 4)
    result = solve("esc(n=9, window=3)", says(5, 5, 4, 5, 5, 6, 4, 4, 4))
    assert result.answer.text == "4"  # the vote over all nine would be a tie


def test_esc_draws_a_window_at_once() -> None:
    result = solve("esc(window=5)", says(4))
    assert (result.work, result.span) == (10, 2)


def test_a_window_with_a_failed_call_is_not_unanimous() -> None:
    engine = FaultyEngine(["Answer: 4"], faults={1: (0, EngineRejected("no"))})
    result = solve("esc(n=6, window=3)", engine)
    assert (result.usage.calls, result.failures) == (5, 1)


def test_a_failing_engine_fails_after_all_were_tried() -> None:
    engine = FaultyEngine(["Answer: 4"], faults={i: (0, EngineRejected("no")) for i in range(9)})
    with pytest.raises(EngineRejected, match="no"):
        solve("adaptive_consistency(n=3)", engine)
    assert len(engine.requests) == 3


def test_known_shapes_settle_sooner_than_a_flat_prior() -> None:
    peaked = "bayesian_stopping(shapes=((40,), (39, 1), (38, 1, 1)))"
    assert calls(peaked, 4) < calls("adaptive_consistency", 4)
    torn = "bayesian_stopping(shapes=((20, 19), (21, 18, 1)))"
    assert calls(torn, 4) > calls("adaptive_consistency", 4)


def test_shapes_are_counts() -> None:
    with pytest.raises(SpecError, match="lowest_count is 0"):
        parse_strategy("bayesian_stopping(shapes=((3, 0),))")
    with pytest.raises(SpecError, match="answers is 0"):
        parse_strategy("bayesian_stopping(shapes=((),))")


def test_what_the_budget_bought_is_voted_on() -> None:
    for strategy in ("adaptive_consistency", "esc(window=1)", "bayesian_stopping"):
        result = solve(strategy, says(4, 5, 5), budget="6 work")
        assert result.answer.text in ("4", "5")
        assert result.work <= 6


def thinker(answers: Sequence[Sequence[str]], ends: Sequence[int]) -> ScriptedEngine:
    """Play chains that think "c0 c0 ..." and give answers[chain][block] when asked."""
    begun = iter(range(len(answers)))

    def script(request: Request) -> str:
        if not request.prefix:
            return f"c{next(begun)} " * request.max_tokens + "more"
        chain = int(request.prefix[1])
        words = request.prefix.split()
        block = words.count(f"c{chain}") // 10 - 1
        if request.prefix.endswith("Answer:"):
            return answers[chain][block]
        if block + 1 == ends[chain]:
            return f"Answer: {answers[chain][-1]}"
        return f"c{chain} " * request.max_tokens + "more"

    return ScriptedEngine(script)


SMALL = "parallel_probe(n=3, block=10, warmup=0, patience=2, stable=9, max_tokens=100)"


def test_parallel_probe_prunes_a_stray_and_charges_every_probe() -> None:
    answers = [["", "4", "4", "4"], ["", "4", "4", "4"], ["", "7", "8", "9"]]
    engine = thinker(answers, ends=[4, 4, 9])
    result = solve(SMALL, engine)
    assert (result.answer.text, result.answer.votes[0].weight) == ("4", 2)
    # blocks 1 to 3 of three chains, 4 of the two left, each then ends with 2 words;
    # probes after blocks 2, 3 (three) and 4 (two), a word each
    assert result.work == 3 * 3 * 10 + 2 * 10 + 2 * 2 + 3 + 3 + 2
    assert result.span == 4 * 10 + 2 + 3


def test_parallel_probe_stops_all_chains_when_the_majority_is_stable() -> None:
    engine = thinker([["", *"44444444"]] * 3, ends=[9] * 3)
    result = solve(SMALL.replace("stable=9", "stable=2"), engine)
    assert result.answer.text == "4"
    assert result.work == 3 * (4 * 10 + 3)  # majority first seen at block 2, unchanged at 3 and 4


def test_parallel_probe_votes_on_interim_answers_when_the_budget_ends() -> None:
    engine = thinker([["", *"44444444"], ["", *"44444444"], ["", *"77777777"]], ends=[9] * 3)
    result = solve(SMALL, engine, budget="70 work")
    assert (result.answer.text, result.stop) == ("4", "work")


def test_a_chain_that_fails_keeps_its_last_answer() -> None:
    gone = EngineRejected("gone")
    faulty = FaultyEngine(
        thinker([["", *"4444"], ["", *"4444"], ["", *"5555"]], ends=[4] * 3).script,
        faults={9: (0, gone)},  # the first chain's third block
    )
    result = solve(SMALL, faulty)
    assert result.answer.text == "4"
    assert result.failures == 1


def test_parallel_probe_fails_when_every_chain_does() -> None:
    faults = {i: (0, EngineUnavailable("gone")) for i in range(3)}
    engine = FaultyEngine(["x"], faults=faults)
    with pytest.raises(EngineUnavailable, match="gone"):
        solve(SMALL, engine)


def test_parallel_probe_needs_an_engine_that_continues() -> None:
    assert "continue" in parse_strategy("parallel_probe").requires
    assert EngineInfo("x", "y").capabilities.isdisjoint(parse_strategy("parallel_probe").requires)
    check(parse_strategy("parallel_probe"), ScriptedEngine(["x"]), Budget())
