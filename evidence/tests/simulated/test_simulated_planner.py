"""The simulated planner: no model, and says so; it plans, follows feedback and recombines."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import fmean

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.engine import Bill
from workspan.data.budget import Budget
from workspan.data.types import Message, Problem, Request
from workspan.errors import EngineRejected, InputError
from workspan.planning import read
from workspan.runner import Result, run_sync
from workspan.spec import parse_strategy
from workspan.tasks import open_tasks
from workspan_evidence.simulated._moves import moves_for
from workspan_evidence.simulated.planner import SimulatedPlanner

SETS = ("trip_planning", "meeting_planning", "calendar_scheduling", "steg_poet")
PROBLEMS = {name: open_tasks(name).load(1)[0].problem for name in SETS}


def mean_score(strategy: str, follows: float) -> float:
    """Return the mean score of the best plan for 12 trips through 6 cities."""
    tasks = open_tasks("trip_planning(cities=6)").load(12)
    results = [planned(strategy, task.problem, follows, 4000) for task in tasks]
    return fmean(r.answer.best.score or 0.0 if r.answer.best else 0.0 for r in results)


def planned(strategy: str, problem: Problem, follows: float, work: int) -> Result:
    engine = SimulatedPlanner.of([problem], follows=follows)
    result = run_sync(parse_strategy(strategy), problem, engine, budget=Budget(work=work))
    assert result.work == engine.billed.output_tokens <= work
    return result


def test_it_says_that_it_is_no_model() -> None:
    info = SimulatedPlanner.of([], follows=0.25).info
    assert info.name == "simulated planner (no model)"
    assert "no model" in info.model
    assert "follows 0.25" in info.model


@pytest.mark.parametrize("name", SETS)
def test_drafts_can_be_read_and_differ_by_seed(name: str) -> None:
    problem = PROBLEMS[name]
    engine = SimulatedPlanner.of([problem])
    texts = [engine.answer(Request(problem.prompt, seed=seed)) for seed in range(20)]
    assert len(set(texts)) > 3
    assert texts == [engine.answer(Request(problem.prompt, seed=seed)) for seed in range(20)]
    assert all(read(problem.metadata).evaluate(text).is_readable for text in texts)


@pytest.mark.parametrize("name", SETS)
def test_the_stream_is_the_text_with_a_token_a_word(name: str) -> None:
    engine = SimulatedPlanner.of([PROBLEMS[name]])
    request = Request(PROBLEMS[name].prompt, seed=3)

    async def drawn(request: Request) -> tuple[str, Bill]:
        bill = Bill()
        return "".join([chunk.text async for chunk in engine.stream(request, bill)]), bill

    text, bill = anyio.run(drawn, request)
    assert text == engine.answer(request)
    assert bill.usage.output_tokens == len(text.split())
    cut, bill = anyio.run(drawn, replace(request, max_tokens=2))
    assert text.startswith(cut)
    assert bill.usage.output_tokens == 2


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SETS), st.integers(0, 2**31))
def test_a_plan_in_a_prompt_is_read_back_whatever_is_said_of_it(name: str, seed: int) -> None:
    instance = read(PROBLEMS[name].metadata)
    moves, rng = moves_for(instance), random.Random(seed)
    plans = [moves.draft(rng, 0.5) for _ in range(3)]
    shown = [
        f"Solution {i} (0.20 of 1):\n{moves.write(plan)}\n"
        f"The evaluator says: {instance.evaluate(moves.write(plan)).feedback}"
        for i, plan in enumerate(plans, 1)
    ]
    said = "\n\n".join([*shown, "Write one new solution."])
    assert [moves.write(plan) for plan in moves.read(said)] == [moves.write(p) for p in plans]


def test_feedback_that_is_followed_mends_what_it_names_and_unnamed_faults_stay() -> None:
    problem = PROBLEMS["calendar_scheduling"]
    instance = read(problem.metadata)
    engine = SimulatedPlanner.of([problem], follows=1)
    wrong = "Here is the proposed time: Monday, 9:00 - 9:30"
    fault = instance.evaluate(wrong)
    assert not fault.solved
    told = (*problem.prompt, Message("assistant", wrong), Message("user", fault.feedback))
    after = [engine.answer(Request(told, seed=seed)) for seed in range(30)]
    assert all(fault.violations[0] not in instance.evaluate(a).violations for a in after)


def test_with_two_parents_a_child_begins_as_one_and_goes_on_as_the_other() -> None:
    problem = PROBLEMS["trip_planning"]
    instance = read(problem.metadata)
    moves = moves_for(instance)
    one = moves.draft(random.Random(1), 0)
    child = moves.cross(one, one[::-1], random.Random(2))
    assert sorted(child) == sorted(one)
    same = next((i for i, (a, b) in enumerate(zip(child, one, strict=True)) if a != b), len(one))
    rest = [city for city in one[::-1] if city not in child[:same]]
    assert [*child[same:]] == rest


def test_a_prompt_without_a_known_problem_is_refused() -> None:
    engine = SimulatedPlanner.of([PROBLEMS["steg_poet"]])
    with pytest.raises(EngineRejected, match="knows no problem"):
        engine.answer(Request((Message("user", "hello"),)))
    with pytest.raises(InputError, match="no metadata"):
        SimulatedPlanner.of([Problem.ask("hello")])


BEST_OF = "best_of_n(n=200, verifier=plan_check, max_tokens=400)"
REVISION = "sequential_revision(threads=4, turns=200, verifier=plan_check, max_tokens=400)"
EVOLUTION = "mind_evolution(verifier=plan_check, generations=40, max_tokens=400)"


@pytest.mark.slow
def test_feedback_that_is_followed_puts_evolution_and_revision_before_best_of_n() -> None:
    """At matched work, on a simulated planner; which of the two leads is a matter of the size."""
    independent = mean_score(BEST_OF, 0.6)
    assert mean_score(EVOLUTION, 0.6) > independent + 0.1
    assert mean_score(REVISION, 0.6) > independent + 0.1


@pytest.mark.slow
def test_the_order_flips_where_no_feedback_is_followed() -> None:
    """Random edits of four plans see less than independent drafts, which are sensible ones."""
    independent = mean_score(BEST_OF, 0)
    assert independent > mean_score(REVISION, 0) + 0.1
    assert independent > mean_score(EVOLUTION, 0)
