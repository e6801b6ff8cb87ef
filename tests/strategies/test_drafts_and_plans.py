"""PDR and CePO: what passes from round to round, and what is left when a part fails."""

from __future__ import annotations

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import EngineRejected
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.strategies.hybrid.cepo import FINAL, REVIEW
from workspan.strategies.sequential.plan_and_execute import EXECUTE, PLAN
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def solve(spec: str, engine: ScriptedEngine, budget: str | None = None) -> Result:
    limits = Budget.parse(budget) if budget else None
    return anyio.run(lambda: run(parse_strategy(spec), PROBLEM, engine, budget=limits))


def drafter(request: Request) -> str:
    """Draft 5, 5, 5, …; note that it is 4 when asked to distil; believe the notes."""
    asked = request.prompt[-1].text
    if "Do not solve it anew" in asked:
        return "they forgot one"
    return "Answer: 4" if "they forgot one" in asked else "so Answer: 5"


def test_a_round_is_drafts_a_distillation_of_all_of_them_and_a_refinement_of_that() -> None:
    engine = ScriptedEngine(drafter)
    result = solve("pdr(drafts=3, rounds=1, workspace=7)", engine)
    distil, refine = engine.requests[3:]
    assert distil.prompt[-1].text.count("so Answer: 5") == 3
    assert "Attempt 3:" in distil.prompt[-1].text
    assert distil.max_tokens == 7
    assert "they forgot one" in refine.prompt[-1].text
    assert "so Answer: 5" not in refine.prompt[-1].text  # only the workspace passes on
    assert result.answer.text == "4"
    assert (result.work, result.span) == (3 * 3 + 3 + 2, 3 + 3 + 2)


def test_the_next_rounds_drafts_start_from_the_workspace() -> None:
    engine = ScriptedEngine(drafter)
    solve("pdr(drafts=2, rounds=2)", engine)
    assert len(engine.requests) == 2 * (2 + 1) + 1
    assert all("they forgot one" in r.prompt[-1].text for r in engine.requests[3:5])
    assert all(r.prompt[-1].text.startswith("What is 2 + 2?") for r in engine.requests)


def test_one_draft_is_the_workspace_itself() -> None:
    engine = ScriptedEngine(drafter)
    result = solve("pdr(drafts=1, rounds=2)", engine)
    assert [len(r.prompt) for r in engine.requests] == [1, 1, 1]
    assert "so Answer: 5" in engine.requests[1].prompt[-1].text
    assert result.parallelism == 1.0


def test_a_draft_that_fails_is_left_out() -> None:
    engine = FaultyEngine(drafter, faults={1: (0, EngineRejected("bad request"))})
    result = solve("pdr(drafts=3, rounds=1)", engine)
    assert engine.requests[3].prompt[-1].text.count("so Answer: 5") == 2
    assert (result.answer.text, result.failures) == ("4", 1)


@pytest.mark.parametrize("work", range(9, 14))
def test_without_a_refinement_the_last_drafts_vote(work: int) -> None:
    result = solve("pdr(drafts=3, rounds=1)", ScriptedEngine(drafter), f"{work} work")
    assert result.answer.text == "5"


def test_a_failed_distillation_leaves_the_drafts_to_vote() -> None:
    engine = FaultyEngine(drafter, faults={3: (0, EngineRejected("bad request"))})
    assert solve("pdr(drafts=3)", engine).answer.text == "5"


def planner(request: Request) -> str:
    """Play CePO's parts: plan, execute, review, answer; rate."""
    asked = request.prompt[-1].text
    if asked.endswith(PLAN):
        return "add 2 to 2 (sure)"
    parts = {EXECUTE: "two and two Answer: 5", REVIEW: "all of them forgot one", FINAL: "Answer: 4"}
    return parts.get(asked, "8")


def asked_for(engine: ScriptedEngine, what: str) -> list[Request]:
    return [r for r in engine.requests if r.prompt[-1].text.endswith(what)]


def test_cepo_makes_its_calls_in_the_published_numbers() -> None:
    engine = ScriptedEngine(planner)
    result = solve("cepo", engine)
    counts = [len(asked_for(engine, part)) for part in (PLAN, EXECUTE, REVIEW, FINAL)]
    assert counts == [9, 9, 3, 3]  # bestofn_n 3, planning_n 3
    assert result.usage.calls == 24 + 3
    assert result.answer.text == "4"
    assert result.answer.best is not None
    assert result.answer.best.score == 0.8
    assert result.span == 5 + 5 + 5 + 2 + 1


def test_the_review_sees_every_solution_and_the_answer_only_the_review() -> None:
    engine = ScriptedEngine(planner)
    solve("cepo(n=1, plans=2)", engine)
    [review], [final] = asked_for(engine, REVIEW), asked_for(engine, FINAL)
    assert review.prompt[1].text.count("two and two Answer: 5") == 2
    assert final.prompt[1].text == "all of them forgot one "
    assert (review.temperature, final.temperature) == (0.1, 0.0)


def test_proposals_can_come_from_any_strategy() -> None:
    engine = ScriptedEngine(planner)
    result = solve("cepo(single(), n=1, plans=2)", engine)
    assert not asked_for(engine, PLAN)
    assert result.usage.calls == 2 + 2 + 1


def test_where_the_budget_ends_before_the_review_the_proposals_vote() -> None:
    result = solve("cepo(n=1, plans=2)", ScriptedEngine(planner), "20 work")
    assert result.answer.text == "5"


def test_a_failed_plan_is_left_out_and_all_failing_raises() -> None:
    engine = FaultyEngine(planner, faults={0: (0, EngineRejected("bad request"))})
    assert solve("cepo(n=1, plans=3)", engine).answer.text == "4"
    assert len(asked_for(engine, EXECUTE)) == 2
    faults = {call: (0, EngineRejected("bad request")) for call in range(4)}
    with pytest.raises(EngineRejected):
        solve("cepo(n=2, plans=2)", FaultyEngine(planner, faults=faults))
