"""Run the comparison: throughput, added latency, memory, time to start, flatness.

The proxies are pinned to one core, load and upstream to the other. LiteLLM and optillm run where
their commands are named, each in an environment of its own: ``--litellm PATH/bin/litellm``,
``--optillm PATH/bin/optillm``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.gateway.load import closed, opened
from benchmarks.gateway.servers import Running, System, python, running
from benchmarks.gateway.spoken import VOTABLE, Ask, ask

_LITELLM = """\
model_list:
  - model_name: m
    litellm_params: {model: openai/m, api_base: "{upstream}", api_key: sk-none}
litellm_settings: {telemetry: false, num_retries: 0}
general_settings: {master_key: sk-load}
"""

_SHADOW = "share=0.1, strategies=['self_consistency(n=3)'], budget='1000000000 calls/day'"
"""Of ``shadowed``, whose added latency is held against that of ``keyed``: the same, without it."""


def systems(options: argparse.Namespace) -> list[System]:
    """Return what is compared, the bare one first."""
    found = [
        System(
            "bare",
            python("benchmarks.gateway.bare", "--upstream", "{upstream}", "--port", "{port}"),
        ),
        *_ours(options),
    ]
    if options.litellm:
        command = [options.litellm, "--config", "{folder}/litellm.yaml", "--port", "{port}"]
        files = {"litellm.yaml": _LITELLM}
        found.append(
            System("litellm", command, door="/health/liveliness", files=files, is_ours=False)
        )
    if options.optillm:
        command = [options.optillm, "--base-url", "{upstream}", "--port", "{port}"]
        command += ["--approach", "none"]
        found.append(System("optillm", command, door="/health", is_ours=False))
    return found


def _ours(options: argparse.Namespace) -> list[System]:
    """Return the gateway in each dialect: of its upstream, too, or put into Chat's words."""
    serve = [
        *python("workspan", "serve", "-e", "{upstream}", "--model", "m"),
        *("--port", "{port}", "--json", *options.serve),
    ]
    found = [System("workspan", serve)]
    for dialect in ("responses", "messages"):
        found.append(System(f"workspan {dialect}", serve, dialect=dialect))
        spoken = [*serve, "--speaks", "chat"]
        found.append(System(f"workspan {dialect} over chat", spoken, dialect=dialect))
    shadow = ["--shadow", _SHADOW]
    for name, more in (("keyed", []), ("shadowed", shadow)):
        kept = [*serve, "--store", f"{{folder}}/{name}.db", *more]
        found.append(System(name, kept, is_keyed=True))
    return found


async def measured(
    one: System, run: Running, direct: str, options: argparse.Namespace, key: str
) -> Any:
    """Measure one that runs."""
    more = {"key": key, "question": VOTABLE} if one.is_keyed else {}
    told: dict[str, Any] = {"name": one.name, "start_seconds": round(run.start_seconds, 2)}
    seconds = options.seconds
    for is_streamed in (False, True):
        kind = "streams" if is_streamed else "unary"
        sent = ask(one.model, one.dialect, is_streamed=is_streamed, **more)
        await closed(run.url, sent, 8, min(1.0, seconds))  # warm
        before = run.cpu()
        done = await closed(run.url, sent, options.connections, seconds)
        each = (run.cpu() - before) / max(1, done.count) * 1000
        told[kind] = {
            "a_second": round(done.a_second, 1),
            "cpu_ms": round(each, 3),  # of a request: what a busy machine does not change
            "failed": done.failed,
        }
        own = await opened(direct, sent, options.rate, seconds)
        through = await opened(run.url, sent, options.rate, seconds)
        told[f"{kind}_added_ms"] = {
            "rate": options.rate,
            "load_p99": round(own.p99, 2),
            "median": round(through.median - own.median, 2),
            "p99": round(through.p99 - own.p99, 2),
            "failed": own.failed + through.failed,
        }
    if one.is_keyed:
        told["run_beside"] = await _outcomes(run.url)
    rss, pss = run.memory()
    told["memory_mb"] = {"rss": round(rss, 1), "pss": round(pss, 1)}
    return told


async def flatness(run: Running, which: System, requests: int) -> list[float]:
    """Return RSS in megabytes after each tenth of so many requests."""
    sent = [ask("m", which.dialect, is_streamed=is_streamed) for is_streamed in (False, True)]
    found = [run.memory()[0]]
    for _ in range(10):
        left = requests // 10
        for one in sent:
            await _some(run.url, one, left // 2)
        found.append(round(run.memory()[0], 1))
    return found


async def _some(url: str, sent: Ask, times: int) -> None:
    from benchmarks.gateway.load import Caller

    left = times

    async def ask() -> None:
        nonlocal left
        caller = Caller(url, sent)
        while left > 0:
            left -= 1
            await caller.ask()
        await caller.aclose()

    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(ask())


async def _outcomes(url: str) -> dict[str, int]:
    """Return what became of the requests that were chosen to be run beside."""
    import aiohttp

    where = f"{url.removesuffix('/v1')}/metrics"
    async with aiohttp.ClientSession() as client, client.get(where) as reply:
        text = await reply.text()
    found = re.findall(r'shadow_requests_total\{outcome="(\w+)"\} ([\d.]+)', text)
    return {name: int(float(count)) for name, count in found}


def _key(one: System, folder: Path) -> str:
    """Make a key in the store of one that keeps them; return its text."""
    from workspan.serve.keeping import add_key

    if not one.is_keyed:
        return ""
    return asyncio.run(add_key(str(folder / f"{one.name}.db"), "load")).text


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        found: int = one.getsockname()[1]
        return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it; one JSON record a line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second, open loop")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--requests", type=int, default=0, help="of the look at memory; 0 is none")
    parser.add_argument("--litellm", default="")
    parser.add_argument("--optillm", default="")
    parser.add_argument("--only", default="", help="names, with commas between them")
    parser.add_argument("--serve", nargs="*", default=[], help="further options of workspan serve")
    parser.add_argument("--proxy-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    options = parser.parse_args(arguments)
    os.sched_setaffinity(0, {options.load_core})
    names = {name for name in options.only.split(",") if name}
    upstream = System("upstream", python("benchmarks.gateway.upstream", "--port", "{port}"))
    with (
        tempfile.TemporaryDirectory() as folder,
        running(upstream, "", _port(), options.load_core, Path(folder)) as up,
    ):
        for _ in range(options.rounds):
            for one in systems(options):
                if names and one.name not in names:
                    continue
                key = _key(one, Path(folder))
                with running(one, up.url, _port(), options.proxy_core, Path(folder)) as run:
                    told = asyncio.run(measured(one, run, up.url, options, key))
                    if options.requests:
                        told["rss_mb"] = asyncio.run(flatness(run, one, options.requests))
                    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
