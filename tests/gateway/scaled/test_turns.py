"""What is scaled and what is not: structured output, short answers, open text, choices."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from gateway_requests import PERSON, Bounded, asked, chunks, joined, replied
from workspan.core.engine import Engine, Price
from workspan.engines.endpoint import Endpoint
from workspan.errors import BudgetExceeded, EngineUnavailable, InputError
from workspan.serve.asked import Asked
from workspan.serve.scaled import Rules, answer, plan, stream
from workspan.testing.scripted import FaultyEngine, Said, ScriptedEngine
from workspan.testing.server import Behaviour, SimulatedServer
from workspan.verifiers.own import own_verifier

pytestmark = pytest.mark.anyio


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


FORMED = {**said("Who?"), "response_format": PERSON}
ADA = '{"name": "Ada", "age": 36}'


async def test_structured_output_is_voted_on_by_value_and_given_verbatim() -> None:
    script = ['{"name": "Bob", "age": 1}', '{"age": 36.0, "name": "Ada"}', ADA]
    reply = await replied(asked(FORMED, "self_consistency(n=3)"), ScriptedEngine(script))
    content = reply.body["choices"][0]["message"]["content"]
    assert content.strip() == script[1]
    assert reply.workspan["kind"] == "structured"


async def test_what_does_not_fit_the_schema_never_wins_over_what_does() -> None:
    wrong = ['{"name": "Ada"}', "{", "Here: " + ADA, '{"name": "Ada"}']
    reply = await replied(asked(FORMED), ScriptedEngine([*wrong, ADA]))
    assert json.loads(reply.body["choices"][0]["message"]["content"]) == json.loads(ADA)


async def test_where_none_fits_the_first_whole_one_is_given_and_that_is_said() -> None:
    reply = await replied(asked(FORMED, "self_consistency(n=2)"), ScriptedEngine(["no json"]))
    assert reply.body["choices"][0]["message"]["content"].strip() == "no json"
    assert any("no draft was valid" in notice for notice in reply.workspan["notices"])


async def test_where_all_differ_the_one_that_agrees_with_most_fields_is_taken() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    script = ['{"a": 9, "b": 2, "c": 4}', '{"a": 1, "b": 2, "c": 3}', '{"a": 1, "b": 7, "c": 3}']
    body = {**FORMED, "response_format": form}
    reply = await replied(asked(body, "self_consistency(n=3)"), ScriptedEngine(script))
    assert reply.body["choices"][0]["message"]["content"].strip() == script[1]


async def test_any_json_goes_where_any_was_asked_for() -> None:
    body = {**FORMED, "response_format": {"type": "json_object"}}
    script = ["[1]", '{"a": 1}', "[1]", "[1]", '{"a": 1.0}']
    reply = await replied(asked(body), ScriptedEngine(script))
    assert reply.body["choices"][0]["message"]["content"].strip() == '{"a": 1}'


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2 + 2? Reply with a single number.", "number"),
        ("2 + 2? Put the final answer in \\boxed{}.", "math"),
        ("Which?\nA) red\nB) blue\nAnswer with the letter of your choice.", "choice"),
        ("Think. End with a line of the form: Answer: <answer>", "marked"),
        ("Write a poem about a number.", "open"),
        ("What is the answer: love or money?", "open"),
        ("Summarise:\nA) he came\nB) he saw", "open"),
        ("Give me the only book with the number 7 in it.", "open"),
    ],
)
async def test_a_short_answer_is_one_only_where_the_prompt_says_so(text: str, kind: str) -> None:
    engine = ScriptedEngine(["x"])
    assert plan(asked(said(text)), engine.info).kind.name == kind


@pytest.mark.parametrize("strategy", ["auto", "self_consistency(n=8)", "esc", None])
async def test_open_text_costs_one_call(strategy: str | None) -> None:
    engine = ScriptedEngine(["a poem"])
    reply = await replied(asked(said("Write a poem."), strategy), engine)
    assert reply.workspan["calls"] == 1
    assert reply.workspan["strategy"] == "single"
    assert reply.workspan["rule"].startswith("one call")


async def test_a_judge_must_say_so_in_both_orders() -> None:
    drafts = ScriptedEngine(["first", "second", "third"])
    fair = ScriptedEngine(lambda r: f"Choice: {1 if _place(r, 'second') < _other(r) else 2}")
    request = asked(said("Write."), "self_consistency(n=3)")
    reply = await replied(request, drafts, Rules(judge="judge"), judge=fair)
    assert reply.body["choices"][0]["message"]["content"].strip() == "second"
    assert reply.workspan["strategy"] == "judged(n=3, engine='judge')"
    lazy = ScriptedEngine(["Choice: 2"])
    drafts = ScriptedEngine(["first", "second", "third"])
    reply = await replied(request, drafts, Rules(judge="judge"), judge=lazy)
    assert reply.body["choices"][0]["message"]["content"].strip() == "first"
    assert reply.workspan["tied"]


def _place(request: Any, word: str) -> int:
    text = request.prompt[0].text
    return text.index(word) if word in text else len(text)


def _other(request: Any) -> int:
    return min(_place(request, "first"), _place(request, "third"))


async def test_the_operators_verifier_scores_what_no_vote_tells_apart() -> None:
    rules = Rules(verifier=own_verifier(lambda _, candidate: float("good" in candidate.text)))
    engine = ScriptedEngine(["bad", "a good one", "worse"])
    reply = await replied(asked(said("Write."), "self_consistency(n=3)"), engine, rules)
    assert reply.body["choices"][0]["message"]["content"].strip() == "a good one"
    assert reply.workspan["calls"] == 3


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_several_choices_are_the_best_distinct_ones_first(is_streamed: bool) -> None:
    script = ["7", "5", "The number: 5", "7", "7"]
    body = {**said("Reply with a single number."), "n": 3, "stream": is_streamed}
    if is_streamed:
        told = await chunks(asked(body), ScriptedEngine(script))
        texts = [joined(told, i)["content"].strip() for i in range(3)]
    else:
        reply = await replied(asked(body), ScriptedEngine(script))
        assert [one["index"] for one in reply.body["choices"]] == [0, 1, 2]
        texts = [one["message"]["content"].strip() for one in reply.body["choices"]]
    assert texts[:2] == ["7", "5"]
    assert texts[2] in ("7", "The number: 5")


async def test_choices_of_open_text_are_so_many_calls() -> None:
    engine = ScriptedEngine(["one", "two", "three"])
    reply = await replied(asked({**said("Write."), "n": 3}, "auto"), engine)
    texts = [one["message"]["content"].strip() for one in reply.body["choices"]]
    assert texts == ["one", "two", "three"]
    assert reply.workspan["calls"] == 3


async def test_auto_stops_where_a_window_agrees_and_goes_on_where_it_does_not() -> None:
    body = said("Reply with a single number.")
    sure = await replied(asked(body, "auto"), ScriptedEngine(["7"]))
    assert sure.workspan["calls"] == 3
    unsure = await replied(asked(body, "auto"), ScriptedEngine(["7", "5", "7", "7", "7", "7"]))
    assert unsure.workspan["calls"] == 6
    poor = await replied(asked(body, "auto", "12 work"), ScriptedEngine(["a b 7", "a b 5"]))
    assert poor.workspan["calls"] <= 4
    assert poor.workspan["work"] <= 12


async def test_settings_ride_on_every_draft() -> None:
    body = {
        **said("Reply with a single number."),
        "stop": ["END"],
        "frequency_penalty": 0.5,
        "logit_bias": {"5": -1},
        "top_p": 0.9,
        "temperature": 0,
        "max_completion_tokens": 50,
        "top_k": 3,
    }
    engine = ScriptedEngine(["7 END 8"])
    reply = await replied(asked(body, "self_consistency(n=3)"), engine)
    assert len(engine.requests) == 3
    for one in engine.requests:
        assert (one.stop, one.frequency_penalty, one.top_p) == (("END",), 0.5, 0.9)
        assert (one.max_tokens, one.temperature) == (50, 0.7)
        assert one.extra.value == {"top_k": 3}
    assert any("temperature 0" in notice for notice in reply.workspan["notices"])
    single = ScriptedEngine(["7"])
    await replied(asked(body, "single"), single)
    assert single.requests[0].temperature == 0


async def test_a_seed_makes_equal_requests_equal() -> None:
    body = said("Reply with a single number.")
    engine = ScriptedEngine(lambda request: str(request.seed % 3))
    for _ in range(2):
        await replied(asked(body, "self_consistency(n=4)"), engine)
    seeds = [request.seed for request in engine.requests]
    assert sorted(seeds[:4]) == sorted(seeds[4:])
    assert len(set(seeds)) == 4


@pytest.mark.parametrize("strategy", ["single", "self_consistency(n=2)"])
async def test_log_probabilities_come_with_their_tokens(strategy: str) -> None:
    body = {**said("Reply with a single number."), "logprobs": True, "top_logprobs": 2}
    async with SimulatedServer(Behaviour(text="It is 7")).serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="")
        reply = await replied(asked(body, strategy), engine)
        told = await chunks(asked({**body, "stream": True}, strategy), engine)
        await engine.aclose()
    content = reply.body["choices"][0]["logprobs"]["content"]
    assert [one["token"] for one in content] == ["It", " is", " 7"]
    assert [len(one["top_logprobs"]) for one in content] == [2, 2, 2]
    parts = [c["logprobs"]["content"] for one in told for c in one["choices"] if "logprobs" in c]
    assert [one for part in parts for one in part] == content


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_log_probabilities_are_those_of_the_chosen_turn_or_it_is_said(
    is_streamed: bool,
) -> None:
    body = {**said("Reply with a single number."), "logprobs": True, "stream": is_streamed}
    engine = ScriptedEngine(["7"])
    request = asked(body, "self_consistency(n=2)")
    if is_streamed:
        workspan = (await chunks(request, engine))[-1]["workspan"]
    else:
        workspan = (await replied(request, engine)).workspan
    assert any("log-probabilities" in notice for notice in workspan["notices"])


async def test_a_refusal_is_passed_on() -> None:
    engine = ScriptedEngine([Said(refusal="I won't")])
    reply = await replied(asked(said("Reply with a single number.")), engine)
    message = reply.body["choices"][0]["message"]
    assert message["refusal"].strip() == "I won't"
    assert message["content"] is None
    told = joined(await chunks(asked({**said("Write."), "stream": True}), engine))
    assert told["refusal"].strip() == "I won't"


async def test_a_budget_that_ends_with_a_draft_gives_it_and_without_one_an_error() -> None:
    body = said("Reply with a single number.")
    engine = ScriptedEngine(["7 and then so much more that no budget holds it"])
    reply = await replied(asked(body, "self_consistency(n=3)", "5 work"), engine)
    assert reply.workspan["stop"] == "work"
    assert reply.body["choices"][0]["finish_reason"] == "length"
    for request in (asked(body, "self_consistency(n=3)", "$0.000001"),):
        dear = ScriptedEngine(["7"], price=_DEAR)
        with pytest.raises(BudgetExceeded):
            await replied(request, dear)
        with pytest.raises(BudgetExceeded):
            await chunks(request, dear)
        assert not dear.requests


async def test_a_stream_that_fails_raises_and_asks_for_nothing_twice() -> None:
    fault = EngineUnavailable("it died")
    engine = FaultyEngine(["a b c d"], faults={0: (2, fault)})
    seen: list[dict[str, Any]] = []
    with pytest.raises(EngineUnavailable):
        await _read(asked({**said("Write."), "stream": True}), engine, seen)
    assert seen
    assert all(one["choices"][0]["finish_reason"] is None for one in seen)
    assert len(engine.requests) == 1


async def test_progress_is_told_as_thinking_where_it_is_asked_for() -> None:
    body = {**said("Reply with a single number."), "stream": True}
    body["stream_options"] = {"include_usage": True}
    told = await chunks(asked(body, "self_consistency(n=3)", explain=True), ScriptedEngine(["7"]))
    found = joined(told)
    assert found["content"].strip() == "7"
    assert found["reasoning"].count("ended: 7") == 3
    assert told[-1]["choices"] == []
    assert told[-1]["usage"]["completion_tokens"] == 3
    assert len(told[-2]["workspan"]["candidates"]) == 3
    quiet = joined(await chunks(asked(body, "self_consistency(n=3)"), ScriptedEngine(["7"])))
    assert quiet["reasoning"] == ""


async def test_an_upstream_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="no engine is named 'main'"):
        await replied_by_nobody()


async def replied_by_nobody() -> None:
    await answer(asked(said("Hi")), {"other": ScriptedEngine(["x"])}, Bounded())


async def _read(request: Asked, engine: Engine, seen: list[dict[str, Any]]) -> None:
    async for chunk in stream(request, {"main": engine}, Bounded()):
        seen.append(chunk)  # noqa: PERF401  # what came before an error counts


_DEAR = Price(Decimal(1000), Decimal(1000))
