"""2: a stream is always metered: usage is asked for, and stripped where the client did not ask."""

from __future__ import annotations

from asyncio import StreamWriter

from gateway.rig import (
    DONE,
    GOOD,
    Scripted,
    Seen,
    gate,
    line,
    replies,
    reply,
    run,
    streams,
    usage,
    whole,
)

TOLD = line({"id": "c-1", "choices": [], "usage": usage(9, 41)})


def test_usage_is_asked_for_and_kept_from_a_client_that_did_not_ask() -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD, TOLD, DONE)).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert up.seen[0].value["stream_options"] == {"include_usage": True}
            assert b"usage" not in got.body
            assert got.is_done
            total = (await gw.record()).total
            assert (total.input_tokens, total.output_tokens) == (9, 41)
            assert total.source == "measured"

    run(main)


def test_a_client_that_asked_has_it_from_our_bound_where_the_server_says_nothing() -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD, DONE)).serve() as up, gate(up.url) as gw:
            got = await gw.stream(stream_options={"include_usage": True})
            last = got.events[-1]
            assert last["choices"] == []
            assert last["usage"]["completion_tokens"] >= 1
            assert last["workspan"]["source"] == "estimated"
            assert last["workspan"]["work"] == last["usage"]["completion_tokens"]

    run(main)


def test_a_server_that_refuses_the_field_is_asked_without_it_once_for_all() -> None:
    async def main() -> None:
        async def answer(server: Scripted, seen: Seen, writer: StreamWriter) -> None:
            if "stream_options" in seen.value:
                error = {"error": {"message": "Unknown parameter: 'stream_options'."}}
                await reply(writer, error, 400)
            else:
                await streams(*GOOD, DONE)(server, seen, writer)

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            for _ in range(2):
                got = await gw.stream(stream_options={"include_usage": True})
                assert got.status == 200
                assert got.events[-1]["usage"]["total_tokens"] > 0
            assert len(up.seen) == 3
            assert (await gw.record(2)).total.calls == 1

    run(main)


def test_a_whole_reply_is_metered_and_says_what_it_took() -> None:
    async def main() -> None:
        async with Scripted(replies(whole("4", 33))).serve() as up, gate(up.url) as gw:
            got = await gw.ask()
            told = got.value["workspan"]
            assert (told["work"], told["calls"], told["source"]) == (33, 1, "measured")
            assert got.value["usage"] == usage(9, 33)
            assert (await gw.record()).total.output_tokens == 33

    run(main)


def test_a_reply_without_usage_gets_one_that_clients_do_not_break_on() -> None:
    async def main() -> None:
        said = {k: v for k, v in whole("four").items() if k in ("choices",)}
        del said["choices"][0]["index"], said["choices"][0]["message"]["role"]
        async with Scripted(replies(said)).serve() as up, gate(up.url) as gw:
            value = (await gw.ask()).value
            assert value["usage"]["completion_tokens"] >= 1
            assert value["workspan"]["source"] == "estimated"
            assert value["object"] == "chat.completion"
            assert value["id"]
            assert value["model"] == "m"
            assert value["choices"][0]["index"] == 0
            assert value["choices"][0]["message"] == {"content": "four", "role": "assistant"}

    run(main)
