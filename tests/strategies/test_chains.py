"""Checked steps, restarts, re-reading, plans and forced thinking, each on a scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import EngineRejected, SpecError
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")
BROKEN = EngineRejected("bad request")


def solve(
    spec: str, engine: ScriptedEngine, budget: str | None = None, problem: Problem = PROBLEM
) -> Result:
    limits = Budget.parse(budget) if budget else None
    result = anyio.run(lambda: run(parse_strategy(spec), problem, engine, budget=limits))
    assert result.work == engine.billed.output_tokens
    return result


def in_turn(*texts: str) -> Callable[[Request], str]:
    left: Iterator[str] = iter(texts)
    return lambda _: next(left)


def test_a_step_is_drawn_up_to_the_delimiter_and_continues_what_stands() -> None:
    engine = ScriptedEngine(in_turn("two and", "9", "two make", "9", "Answer: 4", "9"))
    result = solve("stepwise", engine)
    assert [r.prefix for r in engine.requests[::2]] == [
        "",
        "two and\n\n",
        "two and\n\ntwo make\n\n",
    ]
    assert engine.requests[0].stop == ("\n\n",)
    assert result.answer.text == "4"
    assert result.answer.best is not None
    assert result.answer.best.text == "two and\n\ntwo make\n\nAnswer: 4 "


def test_each_step_is_judged_with_the_chain_before_it() -> None:
    engine = ScriptedEngine(in_turn("two and", "9", "Answer: 4", "9"))
    solve("stepwise", engine)
    assert engine.requests[3].prompt[1].text == "two and\n\nAnswer: 4 "


def test_a_rejected_step_is_redrawn_and_leaves_no_trace() -> None:
    engine = ScriptedEngine(in_turn("Answer: 5", "1", "Answer: 4", "9"))
    result = solve("stepwise", engine)
    assert engine.requests[2].prefix == ""
    assert (result.answer.text, result.usage.calls) == ("4", 4)


def test_when_every_redraw_is_rejected_the_best_of_them_stays() -> None:
    texts = ["Answer: 5", "1", "Answer: 4", "3", "Answer: 6", "2"]
    result = solve("stepwise(retries=2)", ScriptedEngine(in_turn(*texts)))
    assert (result.answer.text, result.usage.calls) == ("4", 6)


def test_a_step_without_a_verdict_stands() -> None:
    result = solve("stepwise", ScriptedEngine(in_turn("Answer: 4", "who knows")))
    assert (result.answer.text, result.usage.calls) == ("4", 2)


def test_an_empty_step_ends_the_chain_which_then_counts_as_finished() -> None:
    result = solve("stepwise", ScriptedEngine(in_turn("it is four, 4", "9", "")))
    assert result.answer.text == "4"
    assert result.answer.best is not None
    assert result.answer.best.score == 0.9
    assert result.usage.calls == 3


def test_a_chain_that_begins_with_the_delimiter_goes_on() -> None:
    result = solve("stepwise", ScriptedEngine(in_turn("", "Answer: 4", "9")))
    assert result.answer.text == "4"
    assert solve("stepwise(max_steps=3)", ScriptedEngine(in_turn("", "", ""))).answer.text is None


def test_a_step_cut_by_its_cap_is_continued_without_a_delimiter() -> None:
    engine = ScriptedEngine(in_turn("a b c", "9", "Answer: 4", "9"))
    solve("stepwise(step_tokens=2)", engine)
    assert engine.requests[2].prefix == "a b "


def test_an_open_problem_is_not_over_after_its_first_step() -> None:
    engine = ScriptedEngine(in_turn("First do this.", "9", "Then that.", "9", ""))
    plan = Problem.ask("Make a plan.", kind="open")
    assert solve("stepwise", engine, problem=plan).answer.text == "First do this.\n\nThen that."


def test_a_call_that_fails_in_mid_chain_leaves_what_is_marked() -> None:
    engine = FaultyEngine(in_turn("The answer is 4", "1", "x"), faults={2: (0, BROKEN)})
    assert solve("stepwise", engine).answer.text == "4"


@pytest.mark.parametrize("work", range(1, 9))
def test_a_chain_that_the_budget_ends_is_read_up_to_its_last_whole_step(work: int) -> None:
    engine = ScriptedEngine(in_turn("these two and", "9", "make Answer: 4", "9"))
    result = solve("stepwise", engine, f"{work} work")
    assert result.work <= work
    assert result.answer.text == ("4" if work >= 3 + 1 + 3 else "2" if work >= 3 else None)


def slow(request: Request) -> str:
    return "hm " * 14 + "Answer: 4"  # 16 words


def test_restarts_follow_the_universal_sequence_until_a_chain_has_room_to_answer() -> None:
    engine = ScriptedEngine(slow)
    result = solve("luby_restarts(unit=5)", engine)
    assert [r.max_tokens for r in engine.requests] == [5, 5, 10, 5, 5, 10, 20]
    assert all(not r.prefix and r.prompt == PROBLEM.prompt for r in engine.requests)
    assert (result.answer.text, result.work) == ("4", 5 + 5 + 10 + 5 + 5 + 10 + 16)
    assert result.parallelism == 1.0


def test_restarts_stop_at_the_first_answer() -> None:
    engine = ScriptedEngine(in_turn("Answer: 4"))
    assert solve("luby_restarts(unit=5)", engine).usage.calls == 1


def test_with_a_verifier_restarts_stop_at_the_first_answer_that_passes() -> None:
    engine = ScriptedEngine(in_turn("Answer: 5", "3", "Answer: 4", "10"))
    result = solve("luby_restarts(verifier=judge)", engine)
    assert (result.answer.text, result.usage.calls) == ("4", 4)


def test_restarts_that_never_pass_give_the_best_scored() -> None:
    texts = in_turn("Answer: 5", "3", "Answer: 4", "8", "no", "Answer: 6", "7")
    result = solve("luby_restarts(restarts=4, verifier=judge)", ScriptedEngine(texts))
    assert result.answer.text == "4"


def test_a_failed_chain_is_a_chain_that_did_not_answer() -> None:
    engine = FaultyEngine(lambda _: "Answer: 4", faults={0: (0, BROKEN)})
    result = solve("luby_restarts(unit=5)", engine)
    assert (result.answer.text, result.failures) == ("4", 1)
    faults = {call: (0, EngineRejected("bad request")) for call in range(3)}
    with pytest.raises(EngineRejected):
        solve("luby_restarts(restarts=3)", FaultyEngine(lambda _: "4", faults=faults))


def test_restarts_end_with_the_budget() -> None:
    result = solve("luby_restarts(unit=5)", ScriptedEngine(slow), "21 work")
    assert (result.answer.text, result.work, result.stop) == (None, 21, "work")


def test_re_reading_doubles_the_question_for_any_strategy() -> None:
    engine = ScriptedEngine(["Answer: 4"])
    result = solve("re_reading(self_consistency(n=3))", engine)
    asked = {request.prompt[-1].text for request in engine.requests}
    assert asked == {"What is 2 + 2?\nRead the question again: What is 2 + 2?"}
    assert result.strategy == "re_reading(self_consistency(n=3))"
    assert (result.usage.calls, result.work) == (3, 6)


def test_re_reading_keeps_braces_and_the_turns_before() -> None:
    from workspan.data.types import Message

    turns = (Message("system", "Be {brief}."), Message("user", "What is {x}?"))
    engine = ScriptedEngine(["Answer: 4"])
    solve("re_reading", engine, problem=Problem("p", turns, "number"))
    [request] = engine.requests
    assert request.prompt[0] == turns[0]
    assert request.prompt[1].text.count("What is {x}?") == 2


def test_a_plan_is_made_for_the_question_and_carried_out_in_sight_of_it() -> None:
    engine = ScriptedEngine(in_turn("1. add them (sure)", "Answer: 4"))
    result = solve("plan_and_execute", engine)
    plan, execute = engine.requests
    assert plan.prompt[0].text.count("What is 2 + 2?") == 2
    assert execute.prompt[1].text == "1. add them (sure) "
    assert (plan.temperature, execute.temperature) == (0.55, 0.25)
    assert result.answer.text == "4"


def test_a_cut_plan_is_drawn_again_and_not_carried_out() -> None:
    engine = ScriptedEngine(in_turn("a plan without end", "add them", "Answer: 4"))
    result = solve("plan_and_execute(plan_tokens=3)", engine)
    assert (result.answer.text, result.usage.calls) == ("4", 3)
    assert engine.requests[2].prompt[1].text == "add them "


def test_a_plan_alone_is_no_answer() -> None:
    result = solve("plan_and_execute", ScriptedEngine(in_turn("add 2 to 2")), "4 work")
    assert (result.answer.text, result.work) == (None, 4)


def thinker(request: Request) -> str:
    """A simulated model with thinking tags: three words of thought at a time."""
    if "</think>" in request.prefix:
        return "4"
    return "hm hm hm </think> Answer: 5"


def test_on_a_model_with_tags_the_closing_tag_is_held_back_and_put_in_at_the_end() -> None:
    engine = ScriptedEngine(thinker)
    result = solve("budget_forcing(waits=2, end_of_thinking='</think>')", engine)
    thought = "hm hm hm \nWaithm hm hm \nWaithm hm hm "
    assert [r.prefix for r in engine.requests] == [
        "",
        "hm hm hm \nWait",
        "hm hm hm \nWaithm hm hm \nWait",
        f"{thought}</think>\nAnswer:",
    ]
    assert result.answer.text == "4"


def test_a_minimum_equal_to_the_cap_thinks_exactly_so_long() -> None:
    engine = ScriptedEngine(thinker)
    spec = "budget_forcing(thinking=20, minimum=20, waits=0, end_of_thinking='</think>')"
    result = solve(spec, engine)
    assert result.work == 20 + 1
    assert [r.max_tokens for r in engine.requests[:-1]] == [20, 17, 14, 11, 8, 5, 2]


def test_a_minimum_is_only_a_lower_bound_below_the_cap() -> None:
    result = solve(
        "budget_forcing(minimum=5, waits=0)", ScriptedEngine(in_turn("a b c", "d", "e f", "4"))
    )
    assert result.work == 3 + 1 + 2 + 1


def test_a_model_that_adds_nothing_is_not_asked_for_ever() -> None:
    result = solve("budget_forcing(minimum=50, waits=0)", ScriptedEngine(in_turn("a b", "", "4")))
    assert (result.usage.calls, result.answer.text) == (3, "4")


def test_thinking_that_a_refused_call_ends_is_still_answered_from() -> None:
    result = solve("budget_forcing(waits=5)", ScriptedEngine(in_turn("so Answer: 4")), "1 calls")
    assert result.answer.text == "4"
    engine = FaultyEngine(in_turn("so", "Answer: 4"), faults={1: (0, BROKEN)})
    assert solve("budget_forcing(waits=5)", engine).answer.text == "4"


@pytest.mark.parametrize(
    "spec",
    [
        "stepwise(max_steps=0)",
        "stepwise(retries=-1)",
        "luby_restarts(unit=0)",
        "budget_forcing(minimum=-1)",
        "plan_and_execute(tries=0)",
        "self_refine(turns=-1)",
        "sequential_revision(threads=0)",
        "pdr(rounds=0)",
        "cepo(plans=0)",
    ],
)
def test_values_out_of_range_are_refused(spec: str) -> None:
    with pytest.raises(SpecError, match="must be at least"):
        parse_strategy(spec)
