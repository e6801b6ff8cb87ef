"""What the endpoint sends and brings back beside plain text, and that the account holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from endpoint_client import ASK, QUICK, Drawn, answering, draw, streamed
from workspan.core.alike import Draws
from workspan.core.engine import Bill, Capability, Price
from workspan.core.journal import Journal
from workspan.core.session import Session
from workspan.data.budget import Budget
from workspan.data.content import JsonObject, Media, Text, ToolCall, ToolSpec
from workspan.data.entry import Entry, Header, RunId
from workspan.data.types import Answer, Message, Problem, Request, Sample, Usage
from workspan.engines.endpoint import Endpoint
from workspan.errors import EngineRejected, InputError, UnsupportedCapability
from workspan.lab.estimating import Estimate, estimate
from workspan.protocol.chat import read_chat
from workspan.protocol.chat_messages import write_call
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Chain, Recording
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.strategies.sequential.single import Single
from workspan.testing.scripted import Said, ScriptedEngine

WEATHER = ToolSpec.function("get_weather", "w", {"type": "object"})
TOOLED = replace(ASK, tools=(WEATHER,))
USAGE = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}
IMAGE = Media("image", address="https://example.org/a.png")
SEEING = Problem("p", (Message("user", (Text("What is this?"), IMAGE)),), "text")


def ask(
    request: Request, *replies: bytes, bill: Bill | None = None, **options: Any
) -> tuple[Drawn, list[dict[str, Any]], Bill]:
    """Draw once from an endpoint in front of a server that answers so."""
    seen: list[dict[str, Any]] = []
    used = bill or Bill()

    async def main() -> Drawn:
        async with answering(replies, seen) as url:
            engine = Endpoint(url, "m", api_key="", retries=QUICK, **options)
            try:
                return await draw(engine, request, bill=used)
            finally:
                await engine.aclose()

    return anyio.run(main), seen, used


def piece(index: int | None, arguments: Any = None, **more: Any) -> dict[str, Any]:
    """Write a delta with a piece of one tool's call."""
    inner = {key: more.pop(key) for key in ("name",) if key in more}
    if arguments is not None:
        inner["arguments"] = arguments
    call = {"function": inner, **more} | ({} if index is None else {"index": index})
    return {"tool_calls": [call]}


PARIS = ToolCall("c1", "get_weather", '{"city": "Paris"}')
ROME = ToolCall("c2", "get_weather", '{"city": "Rome"}')
FORMS: dict[str, tuple[Sequence[dict[str, Any]], Sequence[ToolCall]]] = {
    "OpenAI's: id and name once": (
        (
            piece(0, "", id="c1", type="function", name="get_weather"),
            piece(0, '{"city": '),
            piece(0, '"Paris"}'),
            piece(1, "", id="c2", type="function", name="get_weather"),
            piece(1, '{"city": "Rome"}'),
        ),
        (PARIS, ROME),
    ),
    "id and name in every piece": (
        tuple(piece(0, a, id="c1", name="get_weather") for a in ('{"city": ', '"Paris"', "}")),
        (PARIS,),
    ),
    "empty ones later": (
        (
            piece(0, '{"city": ', id="c1", name="get_weather"),
            piece(0, '"Paris"}', id="", name=""),
        ),
        (PARIS,),
    ),
    "null later": (
        (
            piece(0, '{"city": ', id="c1", name="get_weather"),
            piece(0, '"Paris"}', id=None, name=None, type=None),
        ),
        (PARIS,),
    ),
    "no index later": (
        (piece(0, '{"city": ', id="c1", name="get_weather"), piece(None, '"Paris"}')),
        (PARIS,),
    ),
    "no index at all": (
        (
            piece(None, '{"city": "Paris"}', id="c1", name="get_weather"),
            piece(None, '{"city": ', id="c2", name="get_weather"),
            piece(None, '"Rome"}'),
        ),
        (PARIS, ROME),
    ),
    "every call has the index 0": (
        (
            piece(0, '{"city": "Paris"}', id="c1", name="get_weather"),
            piece(0, '{"city": "Rome"}', id="c2", name="get_weather"),
        ),
        (PARIS, ROME),
    ),
    "mixed up": (
        (
            piece(1, '{"city": ', id="c2", name="get_weather"),
            piece(0, '{"city": "Par', id="c1", name="get_weather"),
            piece(1, '"Rome"}'),
            piece(0, 'is"}'),
        ),
        (ROME, PARIS),
    ),
    "a name in pieces": (
        (
            piece(0, id="c1", name="get_"),
            piece(0, name="weather"),
            piece(0, '{"city": "Paris"}'),
        ),
        (PARIS,),
    ),
    "whole, arguments as an object": (
        ({"tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}]},),
        (replace(PARIS, id=""),),
    ),
    "the older form": (
        (
            {"function_call": {"name": "get_weather", "arguments": '{"city": '}},
            {"function_call": {"arguments": '"Paris"}'}},
        ),
        (replace(PARIS, id=""),),
    ),
    "a tool of free text": (
        ({"tool_calls": [{"index": 0, "id": "c", "custom": {"name": "run", "input": "ls"}}]},),
        (ToolCall("c", "run", "ls", "custom"),),
    ),
    "a signature beside it": (
        (piece(0, "{}", id="c", name="f", extra_content={"google": {"thought": "x"}}),),
        (
            ToolCall(
                "c", "f", "{}", extra=JsonObject.of({"extra_content": {"google": {"thought": "x"}}})
            ),
        ),
    ),
    "nothing that is a call": (
        ({"tool_calls": "f"}, {"tool_calls": [3, {}, {"function": 3}]}, {"content": "Hi"}),
        (),
    ),
}


def called(reply: bytes) -> tuple[ToolCall, ...]:
    """Draw once; return the calls on the last chunk, which alone has any."""
    drawn, _, bill = ask(TOOLED, reply)
    assert all(not chunk.tool_calls for chunk in drawn.chunks[:-1])
    assert drawn.chunks[-1].finish == "stop"
    assert bill.usage == Usage(1, 30, 0, 12)
    return drawn.chunks[-1].tool_calls


@pytest.mark.parametrize(("deltas", "calls"), FORMS.values(), ids=FORMS)
def test_calls_are_put_together(
    deltas: Sequence[dict[str, Any]], calls: Sequence[ToolCall]
) -> None:
    assert called(streamed(*deltas, finish="tool_calls", usage=USAGE)) == tuple(calls)


def test_calls_of_a_whole_reply_are_read() -> None:
    both = [write_call(one) for one in (PARIS, ROME)]
    message = {"role": "assistant", "content": None, "tool_calls": both}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    reply = json.dumps({"choices": [choice], "usage": USAGE}).encode()
    assert called(reply) == (PARIS, ROME)


def test_arguments_are_output_where_the_server_counts_nothing() -> None:
    deltas = (piece(0, '{"city": "', id="c1", name="f"), piece(0, 'Paris"}'))
    request = replace(TOOLED, max_tokens=900)
    drawn, _, bill = ask(request, streamed(*deltas, finish="tool_calls"))
    assert drawn.chunks[-1].tool_calls[0].arguments == '{"city": "Paris"}'
    # a server may write calls anew: what the model decoded for them only the cap bounds
    assert bill.usage.output_tokens == 900
    assert bill.usage.source == "estimated"


def test_fewer_tokens_than_the_arguments_have_words_are_not_believed() -> None:
    many = json.dumps({"text": "a b c d e f g h"})
    told = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    _, _, bill = ask(TOOLED, streamed(piece(0, many, id="c", name="f"), usage=told))
    assert bill.usage.output_tokens == TOOLED.max_tokens
    assert any(notice.code == "contradiction" for notice in bill.notices)


def test_a_call_that_was_cut_short_is_none_and_its_cap_is_held() -> None:
    async def main() -> tuple[Drawn, Usage]:
        deltas = ({"content": "Let me see."}, piece(0, '{"city": ', id="c1", name="f"))
        reply = streamed(*deltas).partition(b'data: {"choices": [{"index": 0, "delta": {}')[0]
        async with answering([reply], []) as url:
            engine, bill = Endpoint(url, "m", api_key=""), Bill()
            drawn = await draw(engine, replace(TOOLED, max_tokens=900), bill=bill, chunks=1)
            await engine.aclose()
            return drawn, bill.usage

    drawn, usage = anyio.run(main)
    assert drawn.chunks[0].tool_calls == ()
    assert usage.output_tokens + usage.unseen_tokens == 900  # a call may be held back on the way


@pytest.mark.parametrize(("tools", "held"), [((), 256), ((WEATHER,), 2000)])
def test_where_a_call_may_come_the_whole_cap_is_held(
    tools: tuple[ToolSpec, ...], held: int
) -> None:
    @dataclass(frozen=True)
    class Once:
        requires: ClassVar[frozenset[Capability]] = frozenset()

        async def __call__(self, problem: Problem, session: Session) -> Answer:
            await session.sample(Request(problem.prompt, max_tokens=2000, tools=tools))
            return Answer(None)

    journal = Journal(sink=lambda _: None)
    anyio.run(lambda: run(Once(), SEEING, ScriptedEngine(["a cat"]), journal=journal))
    assert journal.entries[0].outcome == "open"
    assert journal.entries[0].usage.output_tokens == held


def test_a_refusal_is_no_text() -> None:
    drawn, _, bill = ask(
        ASK, streamed({"refusal": "I can't "}, {"refusal": "do that."}, usage=USAGE)
    )
    assert "".join(chunk.refusal for chunk in drawn.chunks) == "I can't do that."
    assert drawn.text == ""
    assert bill.usage.output_tokens == 12


def test_halves_of_characters_are_put_together_or_replaced() -> None:
    reply = streamed({"content": "a"}).replace(b'"a"', b'"\\ud83d\\ude00 \\ud800b"')
    drawn, _, _ = ask(ASK, reply)
    assert drawn.text == "😀 �b"


def test_everything_of_a_request_is_sent() -> None:
    request = replace(
        TOOLED,
        prompt=(
            Message("system", "Be kind", name="rules"),
            Message("user", (Text("What is this?"), IMAGE)),
            Message("assistant", None, tool_calls=(PARIS,), reasoning="hm"),
            Message("tool", "sunny", tool_call_id="c1"),
        ),
        tool_choice=JsonObject.of({"type": "function", "function": {"name": "get_weather"}}),
        parallel_tool_calls=False,
        response_format=JsonObject.of({"type": "json_object"}),
        frequency_penalty=0,
        presence_penalty=-1.5,
        logit_bias=JsonObject.of({"50256": -100}),
        max_reasoning_tokens=20,
        temperature=None,
        extra=JsonObject.of({"repetition_penalty": 1.1, "metadata": {"a": "b"}}),
    )
    _, seen, _ = ask(
        request, streamed({"content": "Hi"}, usage=USAGE), thinking_cap="thinking_token_budget"
    )
    (sent,) = seen
    assert sent["messages"] == [
        {"role": "system", "content": "Be kind", "name": "rules"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            ],
        },
        {
            "role": "assistant",
            "reasoning_content": "hm",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
                }
            ],
        },
        {"role": "tool", "content": "sunny", "tool_call_id": "c1"},
    ]
    assert "temperature" not in sent
    assert {name: sent[name] for name in sent if name not in ("messages", "model")} == {
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 64,
        "seed": 7,
        "tools": [WEATHER.fields.value],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_object"},
        "frequency_penalty": 0,
        "presence_penalty": -1.5,
        "logit_bias": {"50256": -100},
        "thinking_token_budget": 20,
        "repetition_penalty": 1.1,
        "metadata": {"a": "b"},
    }


REQUESTS = Path(__file__).parents[3] / "shared" / "clients" / "requests"
_TRANSPORT = {"model", "stream", "stream_options", "n", "max_completion_tokens", "max_tokens"}


@pytest.mark.skipif(not REQUESTS.is_dir(), reason="the recorded requests are not here")
def test_what_clients_send_goes_on_to_a_server_as_it_came() -> None:
    bodies = [
        sent["body"]
        for path in sorted(REQUESTS.glob("*.json"))
        for sent in json.loads(path.read_text())["requests"]
        if "chat/completions" in sent["path"]
    ]
    seen: list[dict[str, Any]] = []

    async def main() -> None:
        replies = [streamed({"content": "Hi"}, usage=USAGE)] * len(bodies)
        async with answering(replies, seen) as url:
            engine = Endpoint(url, "m", api_key="")
            for body in bodies:
                request = replace(read_chat(body).request, logprobs=False)
                await draw(engine, request)
            await engine.aclose()

    anyio.run(main)
    for body, sent in zip(bodies, seen, strict=True):
        for name, value in body.items():
            if name not in _TRANSPORT and value is not None and name != "logprobs":
                assert sent[name] == value, name
        extra = set(sent) - set(body) - _TRANSPORT
        assert extra <= {"seed", "logprobs"}, extra  # alternatives need `logprobs`


@pytest.mark.parametrize(
    "change",
    [
        {"tools": (WEATHER,)},
        {"tool_choice": "auto"},
        {"prompt": SEEING.prompt},
        {"prompt": (Message("assistant", None, tool_calls=(PARIS,)), Message("user", "?"))},
        {"response_format": JsonObject.of({"type": "json_object"})},
        {"frequency_penalty": 0.5},
        {"logit_bias": JsonObject.of({"1": 2})},
        {"max_reasoning_tokens": 9},
        {"extra": JsonObject.of({"top_k": 4})},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_an_engine_does_not_offer_is_refused_and_not_left_out(change: dict[str, Any]) -> None:
    problem = Problem("p", ASK.prompt, "number")
    chains = {"p": (Chain((9,), ("4",)),)}
    engine = ReplayEngine(Recording("m", (problem,), chains, {}))
    request = replace(ASK, **change)
    plain = Endpoint("http://127.0.0.1:9/v1", "m", api_key="", form="completion")

    async def main() -> None:
        for one in (engine, plain):
            if one is plain and not {"prompt", "tools", "tool_choice"} & {*change}:
                continue  # a text completion has those
            bill = Bill()
            with pytest.raises(UnsupportedCapability, match="does not offer"):
                await anext(one.stream(request, bill))
            assert bill.usage == Usage()

    anyio.run(main)


def test_a_run_refuses_an_image_before_anything_is_spent() -> None:
    engine = ScriptedEngine(["a cat"])
    seeing, blind = engine.info, replace(engine.info, capabilities=frozenset({"continue"}))

    class Blind(ScriptedEngine):
        info = blind

    async def main() -> Result:
        with pytest.raises(UnsupportedCapability, match="image"):
            await run(parse_strategy("single"), SEEING, Blind(["a cat"]))
        return await run(parse_strategy("self_refine"), SEEING, engine)

    assert "media" in seeing.capabilities
    anyio.run(main)
    for request in engine.requests:  # revisions keep what the question shows
        assert IMAGE in request.prompt[0].media


def seen_by(budget: Budget, told: object, tmp_path: Path, **options: Any) -> tuple[Result, int]:
    """Ask what an image shows, on a journal; return the result and what was asked."""
    seen: list[dict[str, Any]] = []

    async def main() -> Result:
        async with answering([streamed({"content": "A cat."}, usage=told)], seen) as url:
            engine = Endpoint(url, "m", api_key="", retries=QUICK, **options)
            journals = JournalFile(tmp_path / "j", Header("e", 0))
            with journals:
                try:
                    journal = journals.journal(RunId("single", "p"))
                    return await run(
                        parse_strategy("single"), SEEING, engine, budget=budget, journal=journal
                    )
                finally:
                    await engine.aclose()

    return anyio.run(main), len(seen)


DEAR = Price(Decimal(1), Decimal(1))


@pytest.mark.parametrize("budget", [Budget(prefill=10**6), Budget(cost=Decimal(9))], ids=str)
def test_a_prompt_that_nothing_bounds_is_refused_where_its_size_is_limited(
    budget: Budget, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedCapability, match="give the engine media_tokens"):
        seen_by(budget, USAGE, tmp_path, price=DEAR)
    result, asked = seen_by(budget, USAGE, tmp_path, price=DEAR, media_tokens=1500)
    assert (asked, result.usage.input_tokens) == (1, 30)
    assert not result.overruns


def test_what_an_image_takes_is_what_the_server_says(tmp_path: Path) -> None:
    told = {"prompt_tokens": 5000, "completion_tokens": 3, "total_tokens": 5003}
    result, asked = seen_by(Budget(work=2000), told, tmp_path)
    assert (asked, result.usage.input_tokens, result.usage.source) == (1, 5000, "measured")
    assert not result.notices


def test_where_the_server_says_nothing_the_owner_hears_that_images_are_not_counted(
    tmp_path: Path,
) -> None:
    result, _ = seen_by(Budget(work=2000), None, tmp_path)
    assert any("images, sounds and files are not counted" in n.text for n in result.notices)


def test_media_tokens_bound_a_cut_call() -> None:
    request = replace(ASK, prompt=SEEING.prompt)
    with_bound = Endpoint("http://127.0.0.1:9/v1", "m", api_key="", media_tokens=1500)
    assert with_bound.meter(request).usage.input_tokens > 1500
    with pytest.raises(InputError, match="media_tokens"):
        Endpoint("http://127.0.0.1:9/v1", "m", api_key="", media_tokens=-1)
    with pytest.raises(InputError, match="thinking_cap"):
        Endpoint("http://127.0.0.1:9/v1", "m", api_key="", thinking_cap="thinking_bugdet")  # type: ignore[arg-type]


def test_a_bound_of_the_prompt_holds_tools_calls_and_forms() -> None:
    async def main() -> None:
        engine = Endpoint("http://127.0.0.1:9/v1", "m", api_key="", retries=QUICK)
        plain = engine.meter(ASK).usage.input_tokens
        said = WEATHER.fields.text
        assert engine.meter(TOOLED).usage.input_tokens >= plain + 2 * len(said)
        form = JsonObject.of({"type": "json_schema", "json_schema": {"schema": {"a": "b" * 500}}})
        assert engine.meter(replace(ASK, response_format=form)).usage.input_tokens > plain + 1000
        turns = (Message("assistant", None, tool_calls=(PARIS,), reasoning="hm" * 200),)
        more = engine.meter(replace(ASK, prompt=ASK.prompt + turns)).usage.input_tokens
        assert more >= plain + 400 + len(PARIS.arguments)
        await engine.aclose()

    anyio.run(main)


def test_a_server_that_refuses_tools_is_not_asked_without_them() -> None:
    said = {"error": {"message": "tools is not supported", "param": "tools", "code": "x"}}

    async def main() -> None:
        reply = json.dumps(said).encode()
        async with answering([reply, reply], [], "application/json") as url:
            engine = Endpoint(url, "m", api_key="", retries=QUICK)
            with pytest.raises(EngineRejected, match="tools"):
                await draw(engine, TOOLED)
            await engine.aclose()

    anyio.run(main)


def test_calls_are_kept_in_a_journal_and_replayed(tmp_path: Path) -> None:
    signed = replace(PARIS, extra=JsonObject.of({"extra_content": {"x": 1}}))
    drawn = Sample("", "stop", Usage(1, 3, 0, 5), key="/0", tool_calls=(signed,), refusal="no")
    with JournalFile(tmp_path / "j", Header("e", 0)) as journals:
        journals.journal(RunId("single", "p")).append(Entry("/0", "sample", sample=drawn))
    with JournalFile(tmp_path / "j", Header("e", 0)) as journals:
        journal: Journal = journals.journal(RunId("single", "p"))
    assert journal.entries[0].sample == drawn
    assert drawn.message == Message("assistant", None, tool_calls=(signed,), refusal="no")


def test_draws_that_call_different_things_are_not_alike() -> None:
    draws = Draws()
    for city in "abc":
        calls = (ToolCall("", "f", city),)
        draws.note(ASK, Sample("", "stop", Usage(1), tool_calls=calls))
    assert not draws.notices
    for _ in range(3):
        draws.note(TOOLED, Sample("", "stop", Usage(1), tool_calls=(PARIS,)))
    assert [notice.code for notice in draws.notices] == ["alike"]


def test_a_script_may_call_and_refuse() -> None:
    """Words of arguments are tokens like any others, and count against the budget."""

    async def drawn(cap: int) -> tuple[Sample, Usage]:
        engine = ScriptedEngine([Said("Let me see.", "", (PARIS, ROME))])
        samples: list[Sample] = []

        @dataclass(frozen=True)
        class Once:
            requires: ClassVar[frozenset[Capability]] = frozenset()

            async def __call__(self, problem: Problem, session: Session) -> Answer:
                samples.append(await session.sample(replace(TOOLED, max_tokens=cap)))
                return Answer(None)

        result = await run(Once(), Problem.ask("?"), engine)
        assert result.usage == engine.billed
        return samples[0], result.usage

    whole, usage = anyio.run(drawn, 64)
    assert (whole.text, whole.tool_calls, usage.output_tokens) == ("Let me see. ", (PARIS, ROME), 7)
    cut, usage = anyio.run(drawn, 5)
    assert (cut.tool_calls, cut.finish, usage.output_tokens) == ((), "length", 5)
    refused = ScriptedEngine([Said(refusal="I can't.")])
    result = anyio.run(lambda: run(parse_strategy("self_consistency(n=3)"), SEEING, refused))
    assert result.answer.best is None
    assert not result.answer.votes


def test_a_dry_run_says_which_images_it_leaves_out() -> None:
    """Of the texts beside one nothing is left out, nor of an image whose most is stated."""
    beside = Text("What is on this picture? " * 40)
    shown = Message("user", (beside, Media("image", address="https://h/a.png")))
    problems = [Problem("a", (shown, shown), "open"), Problem.ask("Hello?", kind="open", id="b")]

    async def made(most: int | None = None) -> Estimate:
        engine = Endpoint("http://127.0.0.1:9/v1", "m", api_key="", price=DEAR, media_tokens=most)
        return await estimate([Single()], problems, engine, budget=Budget(work=100))

    unknown, known = anyio.run(made), anyio.run(made, 1500)
    assert (unknown.unsized_media, known.unsized_media) == (2, 0)
    assert unknown.total.prefill.low > 2 * len(beside.text)
    assert known.total.prefill.low == unknown.total.prefill.low + 2 * 1500
