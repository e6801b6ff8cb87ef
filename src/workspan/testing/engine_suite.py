"""What every engine must keep, whatever stands behind it.

Each check takes an open engine and raises AssertionError where the contract of
`workspan.core.engine` is broken. They ask only for short completions, of `REQUEST` unless the
engine understands another language.
"""

from __future__ import annotations

import math
from contextlib import aclosing
from dataclasses import replace

import anyio

from workspan.core.engine import Bill, Engine
from workspan.data.types import FinishReason, Message, Request

REQUEST = Request((Message("user", "Count from one to twenty in words."),), max_tokens=24, seed=1)


async def check_engine(engine: Engine, request: Request = REQUEST) -> None:
    """Run every check, those of optional capabilities where they are offered."""
    await check_stream(engine, request)
    await check_cap(engine, request)
    await check_early_close(engine, request)
    await check_side_by_side(engine, request)
    if "seed" in engine.info.capabilities:
        await check_seeds(engine, request)
    if "logprobs" in engine.info.capabilities:
        await check_logprobs(engine, request)
    if "top_logprobs" in engine.info.capabilities:
        await check_top_logprobs(engine, request)


async def check_stream(engine: Engine, request: Request = REQUEST) -> None:
    """Chunks, one finish at the end, a bill that only grows and fits the prompt's bound."""
    bill, before, finishes = Bill(), 0, []
    async with aclosing(engine.stream(request, bill)) as chunks:
        async for chunk in chunks:
            finishes.append(chunk.finish)
            assert bill.usage.calls == 1, "a chunk came before the call was on the bill"
            assert bill.usage.output_tokens >= before, "a bill went down"
            before = bill.usage.output_tokens
    assert finishes
    assert finishes[-1] in ("stop", "length")
    assert not any(finishes[:-1])
    usage = bill.usage
    assert 0 < usage.output_tokens <= request.max_tokens
    assert usage.cached_tokens <= usage.input_tokens <= await engine.count(request)
    assert usage.unseen_tokens == 0, "a completion that ended leaves nothing unseen"


async def check_cap(engine: Engine, request: Request = REQUEST) -> None:
    """Never more than `max_tokens`, down to one."""
    for cap in (1, 2, 5):
        _, finish, bill = await draw(engine, replace(request, max_tokens=cap))
        assert bill.usage.output_tokens <= cap
        assert finish in ("length", "stop")


async def check_early_close(engine: Engine, request: Request = REQUEST) -> None:
    """A stream closed early is charged, within what `overshoot` allows."""
    bill = Bill()
    async with aclosing(engine.stream(request, bill)) as chunks:
        async for chunk in chunks:
            if chunk.text:
                break
    usage = bill.usage
    assert usage.calls == 1
    assert usage.output_tokens >= 1
    assert usage.unseen_tokens <= engine.info.overshoot
    assert usage.output_tokens + usage.unseen_tokens <= request.max_tokens


async def check_side_by_side(engine: Engine, request: Request = REQUEST, n: int = 6) -> None:
    """Concurrent completions have bills of their own; a cancelled one does not harm the rest."""
    bills: list[Bill] = [Bill() for _ in range(n)]
    done: list[int] = []

    async def one(i: int) -> None:
        await draw(engine, replace(request, seed=i), bills[i])
        done.append(i)

    async with anyio.create_task_group() as group:
        for i in range(1, n):
            group.start_soon(one, i)
        with anyio.move_on_after(0):
            await one(0)
    assert sorted(done)[-(n - 1) :] == list(range(1, n))
    assert all(0 < bill.usage.output_tokens <= request.max_tokens for bill in bills[1:])


async def check_seeds(engine: Engine, request: Request = REQUEST) -> None:
    """A seed repeats alone, and different seeds are different samples."""
    warm = replace(request, temperature=1.0)
    once = await draw(engine, warm)
    again = await draw(engine, warm)
    assert once[0] == again[0], "the same seed gave another text"
    texts = {(await draw(engine, replace(warm, seed=seed)))[0] for seed in range(2, 8)}
    assert len(texts) > 1, "different seeds gave copies"


async def check_logprobs(engine: Engine, request: Request = REQUEST) -> None:
    """One natural logarithm a token, none above 0."""
    logprobs: list[float] = []
    bill = Bill()
    async with aclosing(engine.stream(replace(request, logprobs=True), bill)) as chunks:
        async for chunk in chunks:
            logprobs.extend(chunk.logprobs)
    assert logprobs
    assert all(value <= 1e-6 for value in logprobs)
    assert abs(len(logprobs) - bill.usage.output_tokens) <= 1, "beside the end mark, one each"


async def check_top_logprobs(engine: Engine, request: Request = REQUEST) -> None:
    """A confidence for each token whose log-probability is told, at least that of even odds."""
    wanted = replace(request, logprobs=True, top_logprobs=5)
    told: list[float] = []
    async with aclosing(engine.stream(wanted, Bill())) as chunks:
        async for chunk in chunks:
            assert len(chunk.confidences) == len(chunk.logprobs)
            told.extend(chunk.confidences)
    assert told
    assert min(told) >= math.log(5) - 1e-6, "five probabilities that add up to more than 1"


async def draw(
    engine: Engine, request: Request, bill: Bill | None = None
) -> tuple[str, FinishReason | None, Bill]:
    """Draw one completion: its text, why it ended, and its bill."""
    bill = Bill() if bill is None else bill
    async with aclosing(engine.stream(request, bill)) as chunks:
        pieces = [chunk async for chunk in chunks]
    return "".join(piece.text for piece in pieces), pieces[-1].finish, bill
