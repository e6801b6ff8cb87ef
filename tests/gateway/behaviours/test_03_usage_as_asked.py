"""3: an explicit ``include_usage: false`` is honoured; asked for, it comes once, at the end."""

from __future__ import annotations

from gateway.rig import DONE, GOOD, Scripted, gate, line, piece, run, streams, usage

TOLD = line({"id": "c-1", "choices": [], "usage": usage(9, 3)})


def test_false_is_false_and_the_upstream_is_asked_all_the_same() -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD, TOLD, DONE)).serve() as up, gate(up.url) as gw:
            options = {"include_usage": False, "include_obfuscation": False}
            got = await gw.stream(stream_options=options)
            assert b"usage" not in got.body
            assert up.seen[0].value["stream_options"] == {**options, "include_usage": True}
            assert (await gw.record()).total.output_tokens == 3

    run(main)


def test_usage_comes_once_at_the_end_with_no_choices() -> None:
    running = [
        piece({"content": "a"}, usage=usage(9, 1)),
        piece({"content": "b"}, usage=usage(9, 2)),
        piece({}, "stop", usage=usage(9, 3)),
    ]

    async def main() -> None:
        for parts in ([*GOOD, TOLD, DONE], [*running, DONE], [*GOOD, TOLD, TOLD, DONE]):
            async with Scripted(streams(*parts)).serve() as up, gate(up.url) as gw:
                got = await gw.stream(stream_options={"include_usage": True})
                told = [event for event in got.events if event.get("usage")]
                assert told == [got.events[-1]]
                assert told[0]["choices"] == []
                assert told[0]["usage"] == usage(9, 3)
                assert told[0]["id"] == "c-1"
                assert got.is_done

    run(main)


def test_usage_beside_a_choice_is_stripped_too_and_the_text_stays() -> None:
    async def main() -> None:
        parts = [piece({"content": "ab"}, usage=usage(9, 1)), piece({}, "stop", usage=usage(9, 2))]
        async with Scripted(streams(*parts, DONE)).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.text == "ab"
            assert b"usage" not in got.body
            assert got.events[-1]["choices"][0]["finish_reason"] == "stop"

    run(main)
