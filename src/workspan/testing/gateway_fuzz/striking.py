"""A gateway of several processes that something strikes in the middle of its requests.

The gateway is the command itself, with workers; the server and its count are in this process. What
strikes is told by the caller: a worker is killed, a database is stopped and started.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import aiohttp

from workspan.serve.store import store_at
from workspan.serve.store.keys import make_key
from workspan.serve.store.limits import parse_limits
from workspan.testing.faults import FaultyServer, Habits
from workspan.testing.gateway_fuzz.case import OVERSHOOT, Ask, Case, Side, Trouble
from workspan.testing.gateway_fuzz.client import MODEL, PATIENT, Got
from workspan.testing.gateway_fuzz.drive import Evidence, Stage, client, found, until_done

Strike: TypeAlias = Callable[[int], Awaitable[None]]
"""Told the process of the gateway's parent."""
_FAR = 1e6
"""Seconds: every worker counts as dead by then."""
_EACH = 3
"""Requests of a client, one after another, so that some come after the strike."""
_PAUSE = 0.1
"""Seconds until a client that was told that the store is gone asks again."""


def struck(number: int, trouble: Trouble) -> Case:
    """Draw a run: an honest server, so that the store must hold its count to the token."""
    rng = random.Random(f"struck {number}")
    habits = Habits(
        words=rng.choice(("short", "long", "digits")),
        decodes_end=rng.random() < 0.5,
        cached=rng.choice((0.0, 0.5)),
        overshoot=rng.randint(0, OVERSHOOT // 4),
        length=(60, 200),
    )
    keys = tuple(f"{rng.randint(4_000, 20_000)} work/total" for _ in range(2))
    asks = tuple(_ask(rng, place) for place in range(8 * _EACH))
    return Case(number, (Side((), 1.0, habits),), keys, asks, has_judge=False, trouble=trouble)


def _ask(rng: random.Random, place: int) -> Ask:
    """Draw a request; no client leaves one that is streamed.

    The server counts turns of its own loop: before another process it runs ahead by more than it
    says.
    """
    is_streamed = rng.random() < 0.7
    return Ask(
        place,
        rng.randrange(2),
        "chat/completions",
        is_streamed,
        is_streamed,
        rng.randint(40, 200),
        1,
        rng.choice(("", "", "", "self_consistency(n=3)")),
        None,
        rng.randint(0, 40) if not is_streamed and rng.random() < 0.3 else None,
    )


async def strike_one(case: Case, address: str, strike: Strike, *, workers: int = 2) -> Evidence:
    """Run a case; strike once some tokens were decoded."""
    [side] = case.sides
    server = FaultyServer(side.habits, side.faults, side.share, seed=case.number)
    store = store_at(address)
    await store.open()
    try:
        made = [make_key("struck", parse_limits(one), now=time.time()) for one in case.keys]
        for stored, _ in made:
            await store.add(stored)
        async with (
            server.serve(),
            _command(server.url, address, workers) as (pid, url),
            aiohttp.ClientSession(timeout=PATIENT) as session,
        ):
            stage = Stage(case, [server], url, [text for _, text in made], session)
            got = await _asked(stage, strike, pid)
        await server.settle()
        for _ in range(2):  # whoever comes back takes the first charge back; nobody does here
            await store.reap(time.time() + _FAR, time.time() + _FAR)
        keys = [await found(store, stored.key.id, 0, []) for stored, _ in made]
        return Evidence(case, (server.tally,), got, keys, (len(server.tally.rows),))
    finally:
        await store.aclose()


async def _asked(stage: Stage, strike: Strike, pid: int) -> list[Got]:
    got: list[Got] = []
    asks = stage.case.asks
    after = random.Random(f"strike {stage.case.number}").randint(1, 1_500)

    async def one_after_another(first: int) -> None:
        for ask in asks[first : first + _EACH]:
            while True:
                got.append(one := Got(ask))
                await client(stage, one)
                if one.status != 503:
                    break
                await asyncio.sleep(_PAUSE)  # as it was told: nothing was spent, and it may again

    async def struck_once() -> None:
        while stage.servers[0].tally.work < after:  # noqa: ASYNC110  # a server tells of no event
            await asyncio.sleep(0.001)
        await strike(pid)

    tasks = [asyncio.create_task(one_after_another(first)) for first in range(0, len(asks), _EACH)]
    await until_done(stage, [*tasks, asyncio.create_task(struck_once())])
    return got


@asynccontextmanager
async def _command(upstream: str, address: str, workers: int) -> AsyncIterator[tuple[int, str]]:
    """Run ``workspan serve`` until the block ends, then end it as an operator does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workspan", "serve", "--json", "--port", "0"),
        *("-e", upstream, "--model", MODEL, "--store", address, "--workers", str(workers)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "OPENAI_API_KEY": "sk-struck-upstream-key"},
    )
    try:
        assert process.stdout is not None
        yield process.pid, str(json.loads(await process.stdout.readline())["url"])
        process.send_signal(signal.SIGTERM)
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def kill_a_worker(parent: int) -> None:
    """Kill one of a gateway's workers as a lack of memory does."""
    os.kill(_children(parent)[0], signal.SIGKILL)


def _children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(one) for one in text.split()]
