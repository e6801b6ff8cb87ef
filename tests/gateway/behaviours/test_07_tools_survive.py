"""Tools and streamed calls of tools survive every strategy that can draw them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_requests import PERSON, WEATHER, asked, calls, chunks, joined, replied
from workspan.errors import InputError
from workspan.serve.scaled import Rules
from workspan.testing.scripted import Said, ScriptedEngine

pytestmark = pytest.mark.anyio

TOOLS: dict[str, Any] = {"tools": [WEATHER], "tool_choice": "auto"}
SCRIPT: list[str | Said] = [
    calls("Rome"),
    calls("Oslo", id="c2"),
    calls("Oslo", 1.0, id="c3"),
    "No idea",
    "None",
]


@pytest.mark.parametrize(
    "strategy",
    [
        "self_consistency(n=5)",
        "esc(n=5, window=5)",
        "adaptive_consistency(n=5)",
        "bayesian_stopping(n=5)",
        "short_m_at_k(m=5, k=5)",
        "confidence_vote(n=5)",
        "deepconf_offline(n=5)",
    ],
)
async def test_a_vote_returns_the_calls_of_the_first_that_asked_for_them(strategy: str) -> None:
    engine = ScriptedEngine(SCRIPT)
    reply = await replied(asked(TOOLS, strategy), engine)
    (choice,) = reply.body["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert call["type"] == "function"
    assert call["id"]
    assert json.loads(call["function"]["arguments"])["city"] in ("Oslo", "Rome")
    assert all(request.tools for request in engine.requests)


async def test_calls_are_compared_by_value_and_said_verbatim() -> None:
    reply = await replied(asked(TOOLS, explain=True), ScriptedEngine(SCRIPT))
    (call,) = reply.body["choices"][0]["message"]["tool_calls"]
    assert call["id"] == "c2"
    assert call["function"]["arguments"] == '{"city": "Oslo", "days": 1}'
    assert [vote["weight"] for vote in reply.workspan["votes"]] == [2, 1, 1, 1]


async def test_calling_or_saying_is_voted_on_before_what() -> None:
    script: list[str | Said] = [
        calls("Rome"),
        calls("Oslo"),
        calls("Bern"),
        "I don't know",
        "I don't know",
    ]
    reply = await replied(asked(TOOLS), ScriptedEngine(script))
    (call,) = reply.body["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"])["city"] == "Rome"
    assert reply.workspan["tied"]


async def test_several_calls_are_a_set() -> None:
    both = [*calls("Oslo").tool_calls, *calls("Rome").tool_calls]
    script = [calls("Bern"), Said(tool_calls=tuple(both)), Said(tool_calls=tuple(both[::-1]))]
    reply = await replied(asked(TOOLS, "self_consistency(n=3)"), ScriptedEngine(script))
    told = reply.body["choices"][0]["message"]["tool_calls"]
    assert [json.loads(one["function"]["arguments"])["city"] for one in told] == ["Oslo", "Rome"]
    assert len({one["id"] for one in told}) == 2


async def test_calls_that_no_program_could_act_on_have_no_vote() -> None:
    wrong = [calls("Oslo", "two"), calls("Oslo", "two"), calls("Oslo", "two")]
    script: list[str | Said] = [*wrong, calls("Rome"), calls("Rome")]
    reply = await replied(asked(TOOLS), ScriptedEngine(script))
    (call,) = reply.body["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Rome", "days": 1}


async def test_a_streamed_call_has_its_id_and_name_once() -> None:
    long = calls(
        "A city whose name is so long that its arguments are sent in several pieces", id="x"
    )
    told = await chunks(
        asked({**TOOLS, "stream": True}, "self_consistency(n=3)"), ScriptedEngine([long])
    )
    found = joined(told)
    assert found["finish_reason"] == "tool_calls"
    (call,) = found["tool_calls"]
    assert call["id"] == "x"
    assert call["arguments"] == long.tool_calls[0].arguments
    fragments = [c for chunk in told for c in chunk["choices"] if "tool_calls" in c["delta"]]
    assert len(fragments) > 2


async def test_one_streamed_call_is_passed_on() -> None:
    told = await chunks(
        asked({**TOOLS, "stream": True}, "single"),
        ScriptedEngine([calls("Oslo", text="Let me see")]),
    )
    found = joined(told)
    assert found["content"].split() == ["Let", "me", "see"]
    assert found["tool_calls"][0]["name"] == "get_weather"


async def test_the_older_form_is_answered_in_the_older_form() -> None:
    body = {"functions": [WEATHER["function"]]}
    reply = await replied(asked(body), ScriptedEngine([calls("Oslo")]))
    choice = reply.body["choices"][0]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"]["name"] == "get_weather"
    assert "tool_calls" not in choice["message"]


async def test_a_strategy_that_works_on_texts_says_which_ones_do_not() -> None:
    for body in (TOOLS, {"response_format": PERSON}):
        engine = ScriptedEngine(["never asked"])
        with pytest.raises(InputError, match="use one of adaptive_consistency"):
            await replied(asked(body, "self_refine"), engine)
        assert not engine.requests


async def test_a_judge_is_told_of_no_tools() -> None:
    judge = ScriptedEngine(["Choice: 1"])
    body = {
        "messages": [
            {"role": "user", "content": "Look"},
            {"role": "assistant", "tool_calls": [_call("c1")]},
            {"role": "tool", "tool_call_id": "c1", "content": "Sunny"},
        ],
        "tools": [WEATHER],
        "tool_choice": "none",
    }
    engine = ScriptedEngine(["It is sunny.", "Sun."])
    reply = await replied(
        asked(body, "self_consistency(n=2)"), engine, Rules(judge="judge"), judge=judge
    )
    assert reply.body["choices"][0]["message"]["content"].split() == ["It", "is", "sunny."]
    assert len(judge.requests) == 2
    assert not any(request.tools or request.tool_choice for request in judge.requests)
    assert all(request.tools for request in engine.requests)


def _call(id: str) -> dict[str, Any]:
    told = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    return {"id": id, "type": "function", "function": told}
