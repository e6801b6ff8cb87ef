"""A problem that says how it is asked: its own request rides on the calls that ask its prompt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from workspan.core.context import Best, Event
from workspan.core.engine import EngineInfo
from workspan.core.journal import digest
from workspan.data.budget import Budget
from workspan.data.content import JsonObject, ToolCall, ToolSpec
from workspan.data.entry import Header
from workspan.data.types import Message, Problem, Request
from workspan.errors import UnsupportedCapability
from workspan.runner import Result, identify, run
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.testing.scripted import Said, ScriptedEngine

TOOL = ToolSpec.function("look", parameters={"type": "object", "properties": {}})
CALL = ToolCall("c1", "look", "{}")
ASKED = Request(
    (),
    max_tokens=50,
    temperature=None,
    stop=("END",),
    tools=(TOOL,),
    extra=JsonObject.of({"provider": {"only": ["x"]}, "top_k": 3}),
)
PROBLEM = Problem("p", (Message("user", "Look?"),), "open", request=ASKED)


def solved(
    strategy: str, engine: ScriptedEngine, problem: Problem = PROBLEM, **options: Any
) -> Result:
    return anyio.run(lambda: run(parse_strategy(strategy), problem, engine, **options))


def test_calls_win_a_vote_and_are_kept_whole() -> None:
    engine = ScriptedEngine([Said("I look", tool_calls=(CALL,)), "Said", Said(tool_calls=(CALL,))])
    result = solved("self_consistency(n=3)", engine)
    best = result.answer.best
    assert best is not None
    assert best.turn is not None
    assert best.turn.tool_calls == (CALL,)
    assert best.turn.text.strip() == "I look"
    assert result.answer.text == '[{"name": "look", "arguments": {}}]'
    assert [vote.weight for vote in result.answer.votes] == [2, 1]


def test_its_request_rides_on_what_asks_its_prompt_and_on_nothing_else() -> None:
    engine = ScriptedEngine(["A draft", "Rating: 5"])
    solved("best_of_n(n=1, max_tokens=80)", engine)
    draft, judge = engine.requests
    assert (draft.tools, draft.stop, draft.max_tokens) == ((TOOL,), ("END",), 50)
    assert draft.temperature is None
    assert draft.extra == ASKED.extra
    assert not judge.tools
    assert not judge.stop
    assert judge.temperature == 0
    assert judge.extra.value == {"provider": {"only": ["x"]}}


def test_races_ask_as_it_says_too() -> None:
    engine = ScriptedEngine(["A", "B"])
    solved("short_m_at_k(m=2, k=2)", engine)
    assert [one.tools for one in engine.requests] == [(TOOL,)] * 2


def test_what_an_engine_does_not_offer_is_refused_unasked() -> None:
    class Plain(ScriptedEngine):
        @property
        def info(self) -> EngineInfo:
            return replace(super().info, capabilities=frozenset())

    engine = Plain(["A"])
    with pytest.raises(UnsupportedCapability, match="tools"):
        solved("single", engine)
    assert not engine.requests


def test_a_problem_without_one_has_the_digest_that_it_had() -> None:
    plain = replace(PROBLEM, request=None)
    assert digest(plain) == "2b278e880bc8"
    others = (PROBLEM, replace(PROBLEM, request=replace(ASKED, top_p=0.5)))
    assert len({digest(plain), *map(digest, others)}) == 3


@pytest.mark.parametrize("strategy", ["self_consistency(n=3)", "short_m_at_k(m=2, k=3)"])
def test_a_resumed_run_has_the_same_answer_and_span(strategy: str, tmp_path: Path) -> None:
    class Caching(ScriptedEngine):
        @property
        def info(self) -> EngineInfo:
            return replace(super().info, caches=1)

    script: list[str | Said] = [Said("a b", tool_calls=(CALL,)), "a b c"]
    budget = Budget(work=60)
    plan = parse_strategy(strategy)
    header = Header("scripted", 0)
    name = identify(plan, PROBLEM, budget)
    results = []
    engine = Caching(script, latency=lambda _: 1)
    for _ in range(2):
        engine.requests.clear()
        with JournalFile(tmp_path / "j", header) as journals:
            results.append(solved(strategy, engine, budget=budget, journal=journals.journal(name)))
    first, again = results
    assert not engine.requests
    assert again.answer == first.answer
    assert (again.span, again.work, again.usage) == (first.span, first.work, first.usage)
    assert again.trace == first.trace


def test_thinking_past_a_hard_cap_is_cut_and_paid_for() -> None:
    class Thinking(ScriptedEngine):
        async def stream(self, request: Any, bill: Any) -> Any:
            async for chunk in super().stream(request, bill):
                yield replace(chunk, text="", reasoning=chunk.text)

    engine = Thinking(["so " * 40])
    problem = replace(PROBLEM, request=replace(ASKED, max_reasoning_tokens=10))
    seen: list[Event] = []
    result = solved("single", engine, problem, observer=seen.append)
    assert result.work == engine.billed.output_tokens == 11
    assert result.answer.best is None
    assert not any(isinstance(event, Best) for event in seen)
