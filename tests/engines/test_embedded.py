"""The embedded engine with its real model: what it draws, what it bills, how it dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from workspan.core.engine import Bill
from workspan.data.types import Message, Request, Sample
from workspan.engines import models
from workspan.engines.embedded import Embedded
from workspan.engines.embedded.protocol import OVERSHOOT
from workspan.errors import ContextExceeded, EngineError, EngineUnavailable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

HELLO = Request((Message("user", "Say hi."),), max_tokens=24, temperature=0.8)
STORY = Request((Message("user", "Tell me a long story about a fox."),), max_tokens=200)


@pytest.fixture(scope="module")
def model() -> str:
    return models.fetch(models.DEFAULT).name


@pytest.fixture(scope="module", params=["openvino", "llama"])
def engine(request: pytest.FixtureRequest, model: str) -> Iterator[Embedded]:
    """One engine for the module: each test calls it from an event loop of its own."""
    engine = Embedded(model, runtime=request.param, width=16, context=2048)
    yield engine
    anyio.run(engine.aclose)


@pytest.fixture(scope="module")
def fragile(model: str) -> Iterator[Embedded]:
    """An engine that tests may break, the last of them for good: a lost worker is replaced."""
    engine = Embedded(model, context=2048, patience_seconds=12)
    yield engine
    anyio.run(engine.aclose)


async def draw(engine: Embedded, request: Request, *, cut: int | None = None) -> Sample:
    """Draw one sample; close the stream once `cut` tokens were billed."""
    bill, text, finish = Bill(), "", None
    logprobs: tuple[float, ...] = ()
    async with aclosing(engine.stream(request, bill)) as chunks:
        async for chunk in chunks:
            text, logprobs, finish = text + chunk.text, (*logprobs, *chunk.logprobs), chunk.finish
            if cut is not None and bill.usage.output_tokens >= cut:
                break
    return Sample(text, finish or "budget", bill.usage, logprobs=logprobs)


def draw_all(engine: Embedded, *requests: Request) -> list[Sample]:
    """Draw them at once."""
    samples: dict[int, Sample] = {}

    async def one(place: int) -> None:
        samples[place] = await draw(engine, requests[place])

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for place in range(len(requests)):
                group.start_soon(one, place)

    anyio.run(main)
    return [samples[place] for place in range(len(requests))]


async def soon(is_so: Callable[[], bool]) -> None:
    """Wait for something that sends no word of itself."""
    with anyio.fail_after(60):
        while not is_so():  # noqa: ASYNC110  # of another process, or a list that grows
            await anyio.sleep(0.05)


def is_alive(pid: int | None) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_samples_differ_between_seeds_and_repeat_for_a_seed(engine: Embedded) -> None:
    requests = [replace(HELLO, seed=seed) for seed in range(5)]
    draw_all(engine, HELLO)  # a prompt read anew and one from the cache differ in their rounding
    first, second = draw_all(engine, *requests), draw_all(engine, *requests)
    assert len({sample.text for sample in first}) >= 4
    again = sum(a.text == b.text for a, b in zip(first, second, strict=True))
    assert again >= 4


def test_the_prompt_counts_what_it_is_billed(engine: Embedded) -> None:
    sample = draw_all(engine, replace(HELLO, prefix="Hi there"))[0]
    counted = anyio.run(engine.count, replace(HELLO, prefix="Hi there"))
    assert sample.usage.input_tokens == counted
    # <|im_start|>system … <|im_end|> and the two turns: 33 by the model's tokenizer, and 2 more
    assert counted == anyio.run(engine.count, HELLO) + 2 == 35


def test_a_prefix_is_continued_and_not_answered(engine: Embedded) -> None:
    question = (Message("user", "What is the capital of France?"),)
    request = Request(question, prefix="The capital of France is", max_tokens=4, temperature=0)
    assert draw_all(engine, request)[0].text.startswith(" Paris")


def test_a_stop_string_ends_the_text_and_the_decoding(engine: Embedded) -> None:
    request = Request((Message("user", "Count from 1 to 9."),), "1, 2, 3, 4,", 64, 0.0, stop=("7",))
    sample = draw_all(engine, request)[0]
    assert sample.finish == "stop"
    assert sample.text == " 5, 6, "
    assert 6 <= sample.usage.output_tokens <= 8 + 16


def test_no_more_is_decoded_than_asked_for(engine: Embedded) -> None:
    sample = draw_all(engine, replace(STORY, max_tokens=21))[0]
    assert (sample.finish, sample.usage.output_tokens) == ("length", 21)


def test_each_token_has_its_log_probability(engine: Embedded) -> None:
    greedy = replace(HELLO, temperature=0.0, logprobs=True)
    likely, *drawn = draw_all(
        engine, greedy, *(replace(greedy, temperature=2.0, seed=s) for s in (1, 2))
    )
    for sample in (likely, *drawn):
        assert sample.logprobs is not None
        assert len(sample.logprobs) == sample.usage.output_tokens
        assert all(value <= 0 for value in sample.logprobs)
    # the model's own distribution, before the temperature: what is drawn at 2.0 is unlikely in it
    means = [sum(s.logprobs or ()) / s.usage.output_tokens for s in (likely, *drawn)]
    assert means[0] > -1.5 > max(means[1:])


def test_a_prompt_that_does_not_fit_is_refused_unbilled(engine: Embedded) -> None:
    async def main() -> None:
        bill = Bill()
        with pytest.raises(ContextExceeded, match="2048"):
            await anext(engine.stream(replace(HELLO, max_tokens=2047), bill))
        assert bill.usage.calls == 0

    anyio.run(main)


def test_bills_of_cut_and_whole_chains_add_up_to_what_the_worker_decoded(engine: Embedded) -> None:
    samples: list[tuple[int | None, Sample]] = []

    async def one(place: int) -> None:
        cut = (5 + place) if place % 3 == 0 else None
        request = replace(STORY, max_tokens=8 + 3 * place, seed=place)
        samples.append((cut, await draw(engine, request, cut=cut)))

    async def main() -> None:
        before = await engine.decoded()
        async with anyio.create_task_group() as group:
            for place in range(16):
                group.start_soon(one, place)
        billed = sum(sample.usage.output_tokens for _, sample in samples)
        assert billed == await engine.decoded() - before

    anyio.run(main)
    assert all(sample.usage.unseen_tokens == 0 for _, sample in samples)
    for cut, sample in samples:
        if sample.finish == "budget" and cut is not None:
            assert sample.usage.output_tokens <= cut + OVERSHOOT


def test_a_stream_closed_after_its_last_token_but_before_reading_it_is_billed_exactly(
    engine: Embedded,
) -> None:
    async def main() -> None:
        bill = Bill()
        before = await engine.decoded()
        async with aclosing(engine.stream(replace(STORY, max_tokens=20), bill)) as chunks:
            await anext(chunks)
            while await engine.decoded() - before < 20:  # noqa: ASYNC110  # of another process
                await anyio.sleep(0.05)
        assert bill.usage.output_tokens == await engine.decoded() - before == 20

    anyio.run(main)


def test_a_cancelled_call_is_billed_exactly(engine: Embedded) -> None:
    bill = Bill()

    async def read() -> None:
        async with aclosing(engine.stream(STORY, bill)) as chunks:
            async for _ in chunks:
                pass

    async def main() -> None:
        before = await engine.decoded()
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await soon(lambda: bill.usage.output_tokens > 0)
            group.cancel_scope.cancel()
        assert bill.usage.output_tokens == await engine.decoded() - before > 0

    anyio.run(main)


def test_a_reader_that_stands_still_holds_nobody_up_and_is_not_run_away_from(
    engine: Embedded,
) -> None:
    async def main() -> None:
        bill = Bill()
        async with aclosing(engine.stream(STORY, bill)) as chunks:
            await anext(chunks)
            seen = bill.usage.output_tokens
            other = await draw(engine, replace(STORY, max_tokens=120, seed=1))
            assert other.finish in ("length", "stop")
        assert bill.usage.output_tokens <= seen + OVERSHOOT

    anyio.run(main)


@pytest.fixture(scope="module")
def drawn() -> list[list[Sample]]:
    """What each runtime drew, the first when the second comes."""
    return []


def test_both_runtimes_find_the_same_words_likely(
    engine: Embedded, drawn: list[list[Sample]]
) -> None:
    """They round differently, so long greedy texts part; where the model is sure, they agree."""
    openings = {
        "What is the capital of Italy?": "The capital of Italy is",
        "Count from 1 to 9.": "1, 2, 3, 4,",
        "Name the days of the week.": "Monday, Tuesday,",
        "What colour is the sky?": "The sky is",
    }
    asked = [
        Request((Message("user", question),), prefix, 1, temperature=0.0, logprobs=True)
        for question, prefix in openings.items()
    ]
    drawn.append(draw_all(engine, *asked))
    alike = [(a, b) for a, b in zip(drawn[0], drawn[-1], strict=True) if a.text == b.text]
    assert len(alike) >= 3, drawn
    for a, b in alike:
        assert a.logprobs == pytest.approx(b.logprobs, abs=0.5)


PAIRS = 2
"""Calls that end at once and calls that go on, each so many."""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_what_was_finished_is_kept_and_what_was_lost_is_raised(
    fragile: Embedded, blow: signal.Signals
) -> None:
    """A killed worker is missed at once, a hung one when its patience ends; both are replaced."""
    kept: list[Sample] = []
    lost: list[tuple[EngineError, Bill]] = []

    async def one(request: Request) -> None:
        bill = Bill()
        try:
            async with aclosing(fragile.stream(request, bill)) as chunks:
                text = "".join([chunk.text async for chunk in chunks])
            kept.append(Sample(text, "stop", bill.usage))
        except EngineUnavailable as error:
            lost.append((error, bill))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for seed in range(PAIRS):
                group.start_soon(one, replace(STORY, max_tokens=4, seed=seed))
                group.start_soon(one, replace(STORY, max_tokens=1500, seed=seed))
            await soon(lambda: len(kept) == PAIRS)
            pid = fragile.worker_pid
            assert pid is not None
            os.kill(pid, blow)
        assert (await draw(fragile, HELLO)).text
        assert fragile.worker_pid != pid
        assert not is_alive(pid)

    anyio.run(main)
    assert len(kept) == len(lost) == PAIRS
    for error, bill in lost:
        assert ("hung" if blow == signal.SIGSTOP else "died") in str(error)
        assert bill.usage.calls == 1
        assert 0 < bill.usage.unseen_tokens <= OVERSHOOT


def test_an_engine_that_is_not_called_starts_no_worker(model: str) -> None:
    engine = Embedded(model)
    assert engine.worker_pid is None
    anyio.run(engine.aclose)


def test_closing_ends_the_worker_and_calls_in_flight(fragile: Embedded) -> None:
    async def main() -> None:
        chunks = fragile.stream(STORY, Bill())
        await anext(chunks)
        pid = fragile.worker_pid
        await fragile.aclose()
        assert not is_alive(pid)
        with pytest.raises(EngineUnavailable, match="closed"):
            _ = [chunk async for chunk in chunks]

    anyio.run(main)


PARENT = """
    import anyio, sys
    from workspan.core.engine import Bill
    from workspan.engines.embedded import Embedded
    from workspan.data.types import Message, Request

    async def main():
        engine = Embedded(context=2048, patience_seconds=20)
        request = Request((Message("user", "Tell me a story."),), max_tokens=int(sys.argv[1]))
        async for _ in engine.stream(request, Bill()):
            print(engine.worker_pid, flush=True)
        await engine.aclose()
        print("done", flush=True)

    anyio.run(main)
"""


def test_the_worker_dies_with_a_killed_parent(model: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(PARENT), "1500"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()

    anyio.run(soon, lambda: not is_alive(worker))


COUNTERS = """
    import socket, subprocess, sys

    def attempts():
        lines = [line.split() for line in open("/proc/net/snmp")]
        table = {}
        for names, values in zip(lines[::2], lines[1::2]):
            table.update({names[0] + name: int(v) for name, v in zip(names[1:], values[1:])})
        return sum(table[name] for name in ("Ip:OutNoRoutes", "Ip:OutRequests", "Udp:OutDatagrams"))

    before = attempts()
    subprocess.run([sys.executable, "-c", sys.argv[1], "8"], check=True)
    after = attempts()
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    except OSError:
        pass
    print("attempts", after - before, "noticed", attempts() - after)
"""


def test_nothing_is_sent_anywhere(model: str) -> None:
    """In a network of its own with no way out, the kernel counts every attempt to send."""
    unshare = shutil.which("unshare")
    cell = [unshare or "", "--user", "--map-root-user", "--net"]
    if unshare is None or subprocess.run([*cell, "true"], check=False).returncode:
        pytest.skip("no network namespaces on this machine")
    script = [sys.executable, "-c", textwrap.dedent(COUNTERS), textwrap.dedent(PARENT)]
    result = subprocess.run([*cell, *script], capture_output=True, text=True, check=True)
    assert "done" in result.stdout
    assert result.stdout.splitlines()[-1] == "attempts 0 noticed 1"
