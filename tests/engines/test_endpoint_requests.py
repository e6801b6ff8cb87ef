from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import msgspec
import pytest

from endpoint_client import ASK, before, draw
from workspan.boundary.address import proxy_for
from workspan.data.types import Chunk, Message, Request
from workspan.engines.endpoint import Endpoint
from workspan.engines.endpoint.wire import Logprobs
from workspan.errors import InputError
from workspan.testing.server import Behaviour, SimulatedServer


def sent(behaviour: Behaviour, request: Request, **options: Any) -> dict[str, Any]:
    """Draw once and return the body that the server received."""

    async def main() -> dict[str, Any]:
        async with before(behaviour, **options) as (engine, server):
            await draw(engine, request)
            body: dict[str, Any] = server.requests[-1]
            return body

    return anyio.run(main)


def test_a_plain_answer_arrives_whole_and_is_billed_as_the_server_billed_it() -> None:
    async def main() -> None:
        async with before(Behaviour(text="one two three")) as (engine, server):
            drawn = await draw(engine)
            assert drawn.text == "one two three"
            assert drawn.chunks[-1].finish == "stop"
            assert [chunk.finish for chunk in drawn.chunks[:-1]] == [None] * (len(drawn.chunks) - 1)
            usage = drawn.usage
            assert (usage.calls, usage.input_tokens, usage.output_tokens) == (1, 6, 3)
            assert (usage.source, usage.unseen_tokens) == ("measured", 0)
            assert server.bill.completion_tokens == 3
            assert server.bill.prompt_tokens == 6

    anyio.run(main)


def test_a_large_prompt_is_sent_without_holding_up_others() -> None:
    """Warnings are errors here: aiohttp has one for a mebibyte that is written at once."""
    told = "long " * 300_000
    body = sent(Behaviour(), replace(ASK, prompt=(Message("user", told),)))
    assert body["messages"] == [{"role": "user", "content": told}]


def test_everything_asked_is_sent() -> None:
    request = replace(
        ASK, max_tokens=9, temperature=0.3, top_p=0.5, stop=("END",), reasoning_effort="low"
    )
    assert sent(Behaviour(), request) == {
        "model": "simulated",
        "messages": [{"role": "user", "content": "What is 2 + 2?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "temperature": 0.3,
        "top_p": 0.5,
        "stop": ["END"],
        "seed": 7,
        "reasoning_effort": "low",
    }


def test_a_partial_answer_is_sent_as_the_last_message_to_be_continued() -> None:
    body = sent(Behaviour(), replace(ASK, prefix="It is"), prefill=True)
    assert body["messages"][-1] == {"role": "assistant", "content": "It is"}
    assert body["continue_final_message"] is True
    assert body["add_generation_prompt"] is False


def test_the_completion_form_sends_plain_text_and_continues_by_itself() -> None:
    messages = (Message("system", "Be brief."), Message("user", "Once upon"))
    body = sent(Behaviour(), Request(messages, prefix=" a time"), form="completion")
    assert body["prompt"] == "Be brief.\n\nOnce upon a time"
    assert "messages" not in body


def test_the_cap_ends_an_answer_with_length() -> None:
    async def main() -> None:
        async with before(Behaviour(text="a b c d e f")) as (engine, _):
            drawn = await draw(engine, replace(ASK, max_tokens=4))
            assert drawn.text == "a b c d"
            assert drawn.chunks[-1].finish == "length"
            assert drawn.usage.output_tokens == 4

    anyio.run(main)


@pytest.mark.parametrize("form", ["chat", "completion"])
def test_log_probabilities_are_one_a_token(form: str) -> None:
    async def main() -> None:
        async with before(Behaviour(text="a b c", tokens_per_chunk=2), form=form) as (engine, _):
            drawn = await draw(engine, replace(ASK, logprobs=True))
            assert drawn.logprobs == [-0.5, -0.5, -0.5]
            assert drawn.usage.output_tokens == 3

    anyio.run(main)


def test_thinking_is_kept_apart_from_the_text_and_counted_as_output() -> None:
    async def main() -> None:
        async with before(Behaviour(text="four", reasoning="two and two")) as (engine, _):
            drawn = await draw(engine)
            assert (drawn.reasoning, drawn.text) == ("two and two", "four")
            assert (drawn.usage.reasoning_tokens, drawn.usage.output_tokens) == (3, 4)

    anyio.run(main)


def test_tokens_from_a_cache_are_part_of_the_prompt() -> None:
    async def main() -> None:
        async with before(Behaviour(cached_tokens=5)) as (engine, _):
            usage = (await draw(engine)).usage
            assert (usage.input_tokens, usage.cached_tokens, usage.prefill) == (6, 5, 1)

    anyio.run(main)


@pytest.mark.parametrize(
    ("fault", "absent", "present"),
    [
        ("refuses_stream_options", "stream_options", "max_tokens"),
        ("refuses_max_tokens", "max_tokens", "max_completion_tokens"),
    ],
)
def test_a_parameter_that_a_server_refuses_is_given_up_once_and_for_all(
    fault: Any, absent: str, present: str
) -> None:
    async def main() -> None:
        async with before(Behaviour(fault=fault)) as (engine, server):
            assert (await draw(engine)).text == "The answer is 4."
            assert (await draw(engine)).text == "The answer is 4."
            assert [absent in body for body in server.requests] == [True, False, False]
            assert present in server.requests[-1]

    anyio.run(main)


def test_a_running_count_is_asked_for_where_it_is_stated() -> None:
    request = replace(ASK, max_tokens=9)
    told = sent(Behaviour(), request, continuous_usage=True)["stream_options"]
    assert told == {"include_usage": True, "continuous_usage_stats": True}


def test_a_server_that_refuses_a_running_count_is_asked_for_the_last_one_first() -> None:
    async def main() -> None:
        behaviour = Behaviour(fault="refuses_stream_options")
        async with before(behaviour, continuous_usage=True) as (engine, server):
            assert (await draw(engine)).text == "The answer is 4."
            assert (await draw(engine)).text == "The answer is 4."
            told = [body.get("stream_options") for body in server.requests]
            both = {"include_usage": True, "continuous_usage_stats": True}
            assert told == [both, {"include_usage": True}, None, None]

    anyio.run(main)


def test_the_events_of_one_read_come_as_one_chunk() -> None:
    async def main() -> None:
        async with before(Behaviour(text="a b c d e f g h")) as (engine, _):
            assert (await draw(engine)).chunks == [Chunk("a b c d e f g h", finish="stop")]

    anyio.run(main)


def test_models_are_listed_and_discovered() -> None:
    async def main() -> None:
        async with before(Behaviour()) as (engine, server):
            assert await engine.models() == ("simulated", "simulated-large")
            found = await Endpoint.discover(server.url, "simulated-large", api_key="")
            assert (found.model, found.prefill) == ("simulated-large", None)
            with pytest.raises(InputError, match="simulated, simulated-large"):
                await Endpoint.discover(server.url, api_key="")

    anyio.run(main)


def test_capabilities_follow_from_the_form_and_the_options() -> None:
    chat = Endpoint("http://host/v1", "m", api_key="")
    assert "continue" not in chat.info.capabilities
    assert "continue" in Endpoint("http://host/v1", "m", api_key="", prefill=True).info.capabilities
    plain = Endpoint("http://host/v1", "m", api_key="", form="completion", sends_seed=False)
    everywhere = {"logprobs", "top_logprobs", "reasoning_effort"}
    everywhere |= {"penalties", "logit_bias", "provider_fields"}
    assert plain.info.capabilities == {"continue", *everywhere}
    assert chat.info.capabilities == {"seed", "media", "tools", "response_format", *everywhere}
    capped = Endpoint("http://host/v1", "m", api_key="", thinking_cap="reasoning")
    assert capped.info.capabilities == {"thinking_cap", *chat.info.capabilities}


def test_the_prompt_is_counted_by_servers_that_can_and_bounded_for_others() -> None:
    async def main() -> None:
        async with before(Behaviour(counts_tokens=True)) as (engine, server):
            assert await engine.count(ASK) == 6
            assert await engine.count(ASK) == 6
        async with before(Behaviour()) as (engine, server):
            assert await engine.count(ASK) >= len("What is 2 + 2?")
            assert server.bill.calls == 0

    anyio.run(main)


@pytest.mark.parametrize(
    "url",
    ["localhost:8080", "ftp://host/v1", "http://", "http://me:secret@host/v1", "http://h/?k=1"],
)
def test_an_address_that_is_none_or_holds_a_key_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InputError, match="an endpoint's address") as caught:
        Endpoint(url, "m")
    assert "secret" not in str(caught.value)


def test_an_engine_serves_one_event_loop_after_another() -> None:
    engines: list[Endpoint] = []

    async def main(port: int) -> int:
        async with SimulatedServer().serve(port) as server:
            engines.append(engines[0] if engines else Endpoint(server.url, "m", api_key=""))
            assert (await draw(engines[-1])).text == "The answer is 4."
            await engines[-1].aclose()
            await engines[-1].aclose()
            return server.port

    port = anyio.run(main, 0)
    anyio.run(main, port)
    assert engines[0] is engines[1]


def test_a_proxy_of_the_environment_never_sees_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "internal")
    assert proxy_for("http://server:8000/v1") is None
    assert proxy_for("https://internal:8000/v1") is None
    assert proxy_for("https://hosted/v1") == "http://proxy:3128"


@pytest.mark.parametrize("form", ["chat", "completion"])
def test_alternatives_become_a_confidence_for_each_token(form: str) -> None:
    async def main() -> None:
        async with before(Behaviour(text="one two three"), form=form) as (engine, _):
            assert "top_logprobs" in engine.info.capabilities
            drawn = await draw(engine, replace(ASK, logprobs=True, top_logprobs=4))
            assert drawn.confidences == [(0.5 + 1.5 + 2.5 + 3.5) / 4] * 3
            assert drawn.logprobs == [-0.5] * 3
            assert (await draw(engine, ASK)).confidences == []

    anyio.run(main)


@pytest.mark.parametrize(
    ("form", "asked"), [("chat", {"logprobs": True, "top_logprobs": 4}), ("completion", 4)]
)
def test_alternatives_are_asked_for_in_the_form_s_own_way(form: str, asked: object) -> None:
    body = sent(Behaviour(), replace(ASK, top_logprobs=4), form=form)
    told = {name: body[name] for name in ("logprobs", "top_logprobs") if name in body}
    assert told == (asked if isinstance(asked, dict) else {"logprobs": asked})


def test_a_server_that_refuses_alternatives_is_asked_without_them() -> None:
    async def main() -> None:
        behaviour = Behaviour(text="one two", fault="refuses_top_logprobs")
        async with before(behaviour) as (engine, server):
            request = replace(ASK, logprobs=True, top_logprobs=4)
            for _ in range(2):
                drawn = await draw(engine, request)
                assert (drawn.logprobs, drawn.confidences) == ([-0.5, -0.5], [])
            assert (server.bill.calls, server.bill.refused) == (2, 1)

    anyio.run(main)


@pytest.mark.parametrize("zero", [-9999.0, -3.4e38])
def test_a_probability_of_zero_does_not_drown_the_other_alternatives(zero: float) -> None:
    event = {"logprob": -0.1, "top_logprobs": [{"logprob": -0.1}, {"logprob": zero}]}
    told = msgspec.convert({"content": [event]}, Logprobs)
    assert told.confidences == [pytest.approx((0.1 + 104) / 2)]
