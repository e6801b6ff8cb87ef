"""Streams that are passed on."""

from __future__ import annotations

from gateway.rig import DONE, GOOD, Scripted, gate, line, piece, run, streams, usage


def test_a_stream_passes_byte_for_byte() -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD, DONE)).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.status == 200
            assert got.body == b"".join(GOOD) + DONE
            record = await gw.record()
            assert record.total.calls == 1
            assert record.stop == "done"

    run(main)


def test_events_torn_anywhere_arrive_whole() -> None:
    whole = b"".join(GOOD) + line({"id": "c-1", "choices": [], "usage": usage(9, 1)}) + DONE

    async def main() -> None:
        for size in (1, 7, 64):
            parts = [whole[i : i + size] for i in range(0, len(whole), size)]
            async with Scripted(streams(*parts)).serve() as up, gate(up.url) as gw:
                got = await gw.stream()
                assert got.body == b"".join(GOOD) + DONE
                assert (await gw.record()).total.output_tokens == 1

    run(main)


def test_lines_that_end_otherwise_and_comments_are_read() -> None:
    async def main() -> None:
        told = b": OPENROUTER PROCESSING\n\n" + b"".join(GOOD) + DONE
        async with (
            Scripted(streams(told.replace(b"\n", b"\r\n"))).serve() as up,
            gate(up.url) as gw,
        ):
            got = await gw.stream()
            assert got.body == b"".join(GOOD) + DONE

    run(main)


def test_several_choices_are_counted_together() -> None:
    parts = [piece({"content": "a"}, None, i) for i in range(3)]
    ends = [piece({}, "stop", i) for i in range(3)]
    told = line({"id": "c", "choices": [], "usage": usage(9, 30)})

    async def main() -> None:
        async with (
            Scripted(streams(*parts, *ends, told, DONE)).serve() as up,
            gate(up.url) as gw,
        ):
            got = await gw.stream(n=3, stream_options={"include_usage": True})
            assert got.events[-1]["usage"]["completion_tokens"] == 30
            assert got.events[-1]["workspan"]["work"] == 30
            record = await gw.record()
            assert (record.total.output_tokens, record.total.source) == (30, "measured")

    run(main)
