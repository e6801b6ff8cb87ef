"""What `benchmarks.overhead` compares: each client runs alone in a process of its own.

A wave is `width` calls at once; the first is thrown away. `python -m benchmarks.overhead_clients
CLIENT URL --width 64 --waves 8` prints the seconds of wall and CPU time a call. Imports stand in
the functions, as each client is installed in an environment of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

Wave: TypeAlias = Callable[[int], Awaitable[None]]
"""Asks so many times at once."""

QUESTION = "What is 2 + 2?"
MAX_TOKENS = 64
TEMPERATURE = 0.7
_VERDICT = 1_024
"""Tokens that the judge may take: a budget that can't hold all at once has them wait in turn."""


def body(*, stream: bool, model: str = "simulated") -> dict[str, Any]:
    """What every client asks."""
    asked: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": QUESTION}],
        "max_tokens": MAX_TOKENS,
        "temperature": TEMPERATURE,
    }
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}, "seed": 1}
    return asked


@asynccontextmanager
async def bare(url: str, width: int) -> AsyncIterator[Wave]:
    """A loop on aiohttp: the streaming request, each line decoded, text and usage kept."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=width)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def call() -> tuple[str, int]:
            texts: list[str] = []
            tokens = 0
            async with client.post(f"{url}/chat/completions", json=body(stream=True)) as response:
                response.raise_for_status()
                async for line in response.content:
                    if not line.startswith(b"data: {"):
                        continue
                    event = json.loads(line[6:])
                    texts += [choice["delta"]["content"] for choice in event["choices"]]
                    if "usage" in event:
                        tokens = event["usage"]["completion_tokens"]
            return "".join(texts), tokens

        async def wave(n: int) -> None:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(call()) for _ in range(n)]
            if not all(text and tokens for text, tokens in (task.result() for task in asked)):
                raise RuntimeError("an answer is missing")

        yield wave


@asynccontextmanager
async def tight(url: str, width: int) -> AsyncIterator[Wave]:
    """The same loop written for speed: whole reads, the fast decoder."""
    import aiohttp
    import msgspec

    decode = msgspec.json.decode
    connector = aiohttp.TCPConnector(limit=width)
    asked = msgspec.json.encode(body(stream=True))
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as client:

        async def call() -> tuple[str, int]:
            texts: list[str] = []
            tokens = 0
            rest = b""
            async with client.post(f"{url}/chat/completions", data=asked) as response:
                response.raise_for_status()
                async for received in response.content.iter_any():
                    *lines, rest = (rest + received).split(b"\n")
                    for line in lines:
                        if line.startswith(b"data: {"):
                            event = decode(line[6:])
                            texts += [choice["delta"]["content"] for choice in event["choices"]]
                            if "usage" in event:
                                tokens = event["usage"]["completion_tokens"]
            return "".join(texts), tokens

        async def wave(n: int) -> None:
            async with asyncio.TaskGroup() as group:
                calls = [group.create_task(call()) for _ in range(n)]
            if not all(text and tokens for text, tokens in (task.result() for task in calls)):
                raise RuntimeError("an answer is missing")

        yield wave


@asynccontextmanager
async def whole(url: str, width: int, model: str = "simulated") -> AsyncIterator[Wave]:
    """The same loop without streaming: one body a call."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=width)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:

        async def call() -> str:
            asked = body(stream=False, model=model)
            async with client.post(f"{url}/chat/completions", json=asked) as response:
                response.raise_for_status()
                answer = await response.json()
            return str(answer["choices"][0]["message"]["content"])

        async def wave(n: int) -> None:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(call()) for _ in range(n)]
            if not all(task.result() for task in asked):
                raise RuntimeError("an answer is missing")

        yield wave


@asynccontextmanager
async def workspan(
    url: str, width: int, *, strategy: str = "vote", is_durable: bool = False
) -> AsyncIterator[Wave]:
    """Self-consistency, or best-of-n with the model as judge, as `workspan.run` does it."""
    from workspan.data.budget import Budget
    from workspan.data.entry import Header, RunId
    from workspan.data.types import Problem
    from workspan.engines.endpoint import Endpoint
    from workspan.runner import run
    from workspan.store.journals import JournalFile
    from workspan.strategies.parallel.best_of_n import BestOfN
    from workspan.strategies.parallel.self_consistency import SelfConsistency

    kind = {"vote": SelfConsistency, "best": BestOfN}[strategy]
    engine = Endpoint(url, "simulated", api_key="", concurrency=width)
    problem = Problem.ask(QUESTION)
    runs = 0
    with tempfile.TemporaryDirectory() as folder:
        journals = JournalFile(Path(folder) / "journal.jsonl", Header("endpoint simulated", 0))

        async def wave(n: int) -> None:
            nonlocal runs
            runs += 1
            journal = journals.journal(RunId(strategy, str(runs))) if is_durable else None
            asked = kind(n=n, max_tokens=MAX_TOKENS, temperature=TEMPERATURE)
            budget = Budget(work=n * (MAX_TOKENS + _VERDICT) * 2)
            result = await run(asked, problem, engine, budget=budget, journal=journal, seed=runs)
            if result.failures or len(result.answer.candidates) != n:
                raise RuntimeError("an answer is missing")

        with journals:
            yield wave
    await engine.aclose()


@asynccontextmanager
async def its_hub(url: str, width: int, *, strategy: str = "vote") -> AsyncIterator[Wave]:
    """its-hub's own self-consistency, or best-of-n with its model as judge."""
    from its_hub import BestOfN, LLMJudge, OpenAICompatibleLanguageModel, SelfConsistency
    from its_hub.core.orchestrator import LMOrchestrator

    model = OpenAICompatibleLanguageModel(
        url, "none", "simulated", max_completion_tokens=MAX_TOKENS, temperature=TEMPERATURE
    )
    orchestrator = LMOrchestrator(max_concurrency=width)
    algorithm = (
        SelfConsistency(orchestrator=orchestrator)
        if strategy == "vote"
        else BestOfN(LLMJudge(model), orchestrator=orchestrator)
    )

    async def wave(n: int) -> None:
        result = await algorithm.ainfer(model, QUESTION, budget=n, return_response_only=False)
        if len(result.responses) != n:
            raise RuntimeError("an answer is missing")

    yield wave
    await model.close()


CLIENTS: dict[str, Callable[[str, int], AbstractAsyncContextManager[Wave]]] = {
    "bare": bare,
    "bare-tight": tight,
    "bare-whole": whole,
    "workspan": workspan,
    "workspan-journal": partial(workspan, is_durable=True),
    "its-hub": its_hub,
    "optillm": partial(whole, model="none-simulated"),  # its own server works; this is the load
    "workspan-best": partial(workspan, strategy="best"),
    "its-hub-best": partial(its_hub, strategy="best"),
    "optillm-best": partial(whole, model="bon-simulated"),
}
"""By the name in the table."""


async def measure(name: str, url: str, width: int, waves: int) -> dict[str, float]:
    """Run the waves and return seconds a call (of best-of-n: a question)."""
    n = 1 if name == "optillm-best" else width  # its server draws the n by itself
    async with CLIENTS[name](url, width) as wave:
        await wave(n)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(waves):
            await wave(n)
        calls = waves if name.endswith("-best") else waves * n
        return {
            "wall": (time.perf_counter() - wall) / calls,
            "cpu": (time.process_time() - cpu) / calls,
        }


def main() -> None:
    """Measure one client and print it as JSON."""
    logging.disable(logging.INFO)
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("url")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--waves", type=int, default=8)
    options = parser.parse_args()
    taken = asyncio.run(measure(options.client, options.url, options.width, options.waves))
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
