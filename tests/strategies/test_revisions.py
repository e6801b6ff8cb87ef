"""Self-Refine and Sequential-Revision+: what prompts carry, when they stop, what they survive."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import EngineRejected
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.strategies.sequential.sequential_revision import AUTHOR
from workspan.testing.scripted import FaultyEngine, ScriptedEngine
from workspan.verifiers.critic import FLAWLESS

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")
BROKEN = EngineRejected("bad request")


def solve(spec: str, engine: ScriptedEngine, budget: str | None = None) -> Result:
    limits = Budget.parse(budget) if budget else None
    return anyio.run(lambda: run(parse_strategy(spec), PROBLEM, engine, budget=limits))


def in_turn(*texts: str) -> Callable[[Request], str]:
    left: Iterator[str] = iter(texts)
    return lambda _: next(left)


def test_the_author_sees_every_draft_and_what_the_critic_said_of_it() -> None:
    drafts = ["Answer: 5", "one too many", "Answer: 3", "one too few", "Answer: 4", FLAWLESS]
    engine = ScriptedEngine(in_turn(*drafts))
    result = solve("self_refine(turns=4)", engine)
    last = engine.requests[4].prompt
    assert [turn.role for turn in last] == ["user", "assistant", "user", "assistant", "user"]
    assert last[1].text == "Answer: 5 "
    assert "one too many" in last[2].text
    assert last[3].text == "Answer: 3 "
    assert "one too few" in last[4].text
    assert result.answer.text == "4"


def test_the_critic_sees_only_the_draft_it_judges() -> None:
    engine = ScriptedEngine(in_turn("Answer: 5", "one too many", "Answer: 4", FLAWLESS))
    solve("self_refine", engine)
    assert [turn.text for turn in engine.requests[3].prompt[:2]] == [
        "What is 2 + 2?",
        "Answer: 4 ",
    ]


def test_refinement_stops_when_the_critic_finds_nothing() -> None:
    engine = ScriptedEngine(in_turn("Answer: 4", FLAWLESS))
    result = solve("self_refine(turns=9)", engine)
    assert result.usage.calls == 2
    assert result.answer.best is not None
    assert result.answer.best.score == 1.0


def test_a_verifier_can_take_the_critics_place() -> None:
    engine = ScriptedEngine(in_turn("Answer: 5", "3", "Answer: 4", "10"))
    result = solve("self_refine(verifier=judge)", engine)
    assert "3" in engine.requests[2].prompt[-1].text
    assert (result.answer.text, result.usage.calls) == ("4", 4)


@pytest.mark.parametrize("broken", [1, 2])
def test_a_failed_critic_or_author_leaves_the_last_draft(broken: int) -> None:
    engine = FaultyEngine(in_turn("Answer: 4", "wrong", "Answer: 5"), faults={broken: (0, BROKEN)})
    assert solve("self_refine", engine).answer.text == "4"


@pytest.mark.parametrize("work", range(2, 12))
def test_a_budget_that_ends_in_any_turn_leaves_the_last_whole_draft(work: int) -> None:
    engine = ScriptedEngine(in_turn("Answer: 4", "that is not right", "well then Answer: 5"))
    result = solve("self_refine(turns=1)", engine, f"{work} work")
    assert result.answer.text == ("5" if work >= 2 + 4 + 4 else "4")


def evolving(request: Request) -> str:
    """Draft 1; revise to one more than the parent; rate n as n of 10."""
    asked = request.prompt[-1].text
    parent = re.findall(r"-?\d+", request.prompt[-2].text)[-1] if len(request.prompt) > 1 else ""
    if "from 0 (certainly wrong)" in asked:
        return parent
    if not parent:
        return "Answer: 7"
    return f"It should not be {parent} nor 99. {AUTHOR} Answer: {int(parent) + 1}"


def test_each_turn_revises_its_parent_by_the_evaluators_word() -> None:
    engine = ScriptedEngine(evolving)
    result = solve("sequential_revision(threads=1, turns=3)", engine)
    revision = engine.requests[2]
    assert [turn.role for turn in revision.prompt] == ["user", "assistant", "user"]
    assert revision.prompt[1].text == "Answer: 7 "
    assert "0.70 of 1 and says: 7" in revision.prompt[2].text
    assert [c.answer for c in result.answer.candidates] == ["9", "8", "7"]  # the latest first


def test_only_what_the_author_wrote_is_the_candidate() -> None:
    result = solve("sequential_revision(threads=1, turns=2)", ScriptedEngine(evolving))
    assert result.answer.best is not None
    assert result.answer.best.text == "Answer: 8"


def test_all_threads_stop_when_one_candidate_passes() -> None:
    result = solve("sequential_revision(threads=3, turns=80)", ScriptedEngine(evolving))
    assert result.answer.text == "10"
    assert result.usage.calls == 3 * 4 * 2  # 7, 8, 9, 10: four turns of a call and a rating


def test_threads_run_side_by_side() -> None:
    result = solve("sequential_revision(threads=3, turns=3)", ScriptedEngine(evolving))
    assert result.parallelism == 3.0


def test_one_broken_thread_leaves_the_others_going() -> None:
    engine = FaultyEngine(evolving, faults={0: (0, BROKEN), 6: (0, BROKEN)})
    result = solve("sequential_revision(threads=3, turns=4)", engine)
    assert result.answer.text == "10"
    assert result.failures == 2


def test_an_unreadable_revision_leaves_its_parent_in_place() -> None:
    engine = ScriptedEngine(in_turn("Answer: 5", "5", "no idea", "0", f"{AUTHOR} Answer: 4", "10"))
    result = solve("sequential_revision(threads=1, turns=3)", engine)
    assert engine.requests[4].prompt[1].text == "Answer: 5 "
    assert result.answer.text == "4"


@pytest.mark.parametrize("work", [3, 20, 33, 47])
def test_a_budget_that_ends_in_mid_turn_still_answers(work: int) -> None:
    result = solve(
        "sequential_revision(threads=2, turns=9)", ScriptedEngine(evolving), f"{work} work"
    )
    assert result.answer.text in {"7", "8", "9", "10"}
    assert result.work <= work


def test_all_threads_failing_at_once_raises() -> None:
    faults = {call: (0, EngineRejected("bad request")) for call in range(2)}
    engine = FaultyEngine(evolving, faults=faults)
    with pytest.raises(EngineRejected, match="bad request"):
        solve("sequential_revision(threads=2)", engine)


def test_self_revision_keeps_what_it_had_when_a_turn_fails() -> None:
    engine = FaultyEngine(in_turn("Answer: 4", "Answer: 5"), faults={1: (0, BROKEN)})
    assert solve("self_revision(turns=3)", engine).answer.text == "4"
