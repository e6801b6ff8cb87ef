"""4: a stream that died does not look finished; one that ended does."""

from __future__ import annotations

import pytest

from gateway.rig import (
    DONE,
    GOOD,
    PAUSE,
    Got,
    Scripted,
    gate,
    line,
    piece,
    replies,
    run,
    streams,
    whole,
)
from workspan.testing.faults import FAULTS, FaultyServer, Habits

BEGUN = (piece({"role": "assistant", "content": ""}), piece({"content": "The answer "}))
ERRORS = {
    "an error event": line({"error": {"message": "out of memory", "code": 500}}),
    "an event marked as an error": b"event: error\ndata: overloaded\n\n",
    "something else than JSON": b'data: {"choices": [{"index": 0\n\n',
}
MORE = piece({"content": "is "})
BROKEN = {
    "a clean end half-way": streams(*BEGUN, PAUSE, MORE),
    "a reset connection": streams(*BEGUN, PAUSE, MORE, PAUSE, ends=False),
    **{name: streams(*BEGUN, PAUSE, MORE + said) for name, said in ERRORS.items()},
}


@pytest.mark.parametrize("how", ERRORS)
def test_an_error_beside_the_first_token_is_a_status(how: str) -> None:
    async def main() -> None:
        answer = streams(b"".join(BEGUN) + ERRORS[how])
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.status == 502
            assert (await gw.record()).total.output_tokens > 0  # it was decoded

    run(main)


@pytest.mark.parametrize("how", BROKEN)
def test_a_dead_stream_ends_with_an_error_and_nothing_else(how: str) -> None:
    async def main() -> None:
        async with Scripted(BROKEN[how]).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.status == 200
            assert got.text == "The answer is "
            assert "error" in got.events[-1]
            assert got.events[-1]["error"]["code"]
            assert b"[DONE]" not in got.body
            finishes = [c["finish_reason"] for e in got.events for c in e.get("choices") or ()]
            assert set(finishes) == {None}
            record = await gw.record()
            assert record.status >= 500
            assert record.total.calls == 1
            assert record.total.amount.work >= len(("The", "answer"))

    run(main)


def test_a_stream_that_lacks_only_its_last_word_is_given_it() -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD)).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.is_done
            assert (await gw.record()).status == 200

    run(main)


def test_nothing_that_breaks_clients_is_passed_on() -> None:
    empty = b"data:\n\ndata: \n\n"
    nulls = line({"id": "c-1", "choices": [{"index": 0, "delta": None, "finish_reason": "stop"}]})

    async def main() -> None:
        async with (
            Scripted(streams(GOOD[0], empty, GOOD[1], nulls, empty, DONE)).serve() as up,
            gate(up.url) as gw,
        ):
            got = await gw.stream()
            assert b"data:\n" not in got.body
            assert b"data: \n" not in got.body
            assert got.events[-1]["choices"][0] == {
                "index": 0,
                "delta": {},
                "finish_reason": "stop",
            }
            assert got.is_done

    run(main)


def test_a_server_that_answers_whole_where_a_stream_was_asked_for() -> None:
    async def main() -> None:
        async with Scripted(replies(whole("four"))).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.headers["content-type"].startswith("text/event-stream")
            assert got.text == "four"
            assert got.events[0]["object"] == "chat.completion.chunk"
            assert got.is_done

    run(main)


def test_every_fault_of_the_table_ends_in_an_answer_or_a_clear_error() -> None:
    """Each row of the faulty server's, streamed and whole: no third outcome, no crash."""
    kept = [fault for fault in FAULTS.values() if not fault.stalls]

    async def main() -> None:
        for seed, fault in enumerate(kept):
            server = FaultyServer(Habits(), [fault], seed=seed)
            async with server.serve() as up, gate(up.url) as gw:
                for is_streamed in (True, False):
                    got = await gw.ask(stream=is_streamed, max_tokens=32)
                    assert _is_answer(got) != _is_error(got), (fault.name, is_streamed, got)
                    assert (await gw.record(1 + (not is_streamed))).code != "bug", fault.name

    run(main)


def _is_answer(got: Got) -> bool:
    if got.status != 200 or (b'"error"' in got.body and not got.is_done):
        return False
    return got.is_done or (got.body.startswith(b"{") and bool(got.value.get("choices")))


def _is_error(got: Got) -> bool:
    if got.status != 200:
        return bool(got.error["message"])
    return b"[DONE]" not in got.body and bool(got.events) and "error" in got.events[-1]
