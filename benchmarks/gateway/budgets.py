"""Do budgets hold, and how much of them can be used: many streams a key, several workers.

    python -m benchmarks.gateway.budgets [--store postgresql://…] [--kill N] [--relayed]

Each key has a budget of tokens, half of them one of money too. Streams draw on it until it is used
up. Overshoot is what the bill has above a budget; the usable share what it has of it. Accounts and
store are measured alone, each worker simulating its streams; with `--relayed` it is the gateway
itself, before a server that decodes at a pace and bills what it decodes after a hang-up, too.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from benchmarks.gateway.relayed import Relayed, told_of
from benchmarks.gateway.streams import PRICE, Load, billed

from workspan.serve.keeping import add_key, key_usage, opened

_LOST_SECONDS = 1.0
"""A killed worker is found dead after this long, so that the others can end."""


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        store = asked.store or f"{folder}/store.db"
        result = _measured(asked, store, Path(folder))
    print(msgspec.json.encode(result).decode())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", help="PostgreSQL's address; an SQLite file unless told")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--streams", type=int, default=128, help="of each key, in all workers")
    parser.add_argument("--keys", type=int, default=2)
    parser.add_argument("--budget", type=int, default=1_000_000, help="tokens of each key")
    parser.add_argument("--slice", type=int, default=256)
    parser.add_argument("--piece", type=int, default=64, help="tokens that come at a time")
    parser.add_argument("--piece-seconds", type=float, default=0.02)
    parser.add_argument("--kill", type=int, default=0, help="workers killed in the middle, -9")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--relayed", action="store_true", help="through the gateway itself")
    parser.add_argument(
        "--overshoot", type=int, default=48, help="tokens after a hang-up, at most, where relayed"
    )
    parser.add_argument(
        "--stated",
        type=int,
        default=64,
        help="the same, as the gateway is told: with what is under way meanwhile",
    )
    return parser.parse_args()


def _measured(asked: argparse.Namespace, store: str, folder: Path) -> dict[str, Any]:
    made = [asyncio.run(_key(store, asked.budget, place)) for place in range(asked.keys)]
    keys = [id for id, _ in made]
    began = time.monotonic()
    if asked.relayed:
        told = _relayed(asked, store, folder, made)
    else:
        told = _simulated(asked, store, folder, keys)
    seconds = time.monotonic() - began
    bills: Counter[str] = sum((billed(path) for path in folder.glob("bill*")), Counter())
    asyncio.run(_reaped(store))
    rows = [_row(asyncio.run(key_usage(store, key))[0], bills[key]) for key in keys]
    return {
        "overrun": sum(row["overrun"] for row in rows),
        "usable": min(row["usable"] for row in rows),
        "keys": rows,
        "told": dict(sorted(told.items())),
        "seconds": round(seconds, 2),
    }


def _relayed(
    asked: argparse.Namespace, store: str, folder: Path, keys: Sequence[tuple[str, str]]
) -> Counter[str]:
    """Let the gateway's own workers relay the streams."""
    return told_of(
        Relayed(
            store,
            str(folder / "bill"),
            keys,
            asked.workers,
            asked.streams,
            asked.piece,
            asked.piece_seconds,
            asked.overshoot,
            asked.stated,
            PRICE,
            asked.seed,
        )
    )


def _simulated(
    asked: argparse.Namespace, store: str, folder: Path, keys: Sequence[str]
) -> Counter[str]:
    """Let workers that have nothing but accounts simulate the streams, some of them killed."""
    lost = _LOST_SECONDS if asked.kill else 20.0
    workers = []
    for place in range(asked.workers):
        load = Load(
            store,
            tuple(keys),
            str(folder / f"bill{place}"),
            asked.streams // asked.workers,
            asked.seed + place,
            asked.slice,
            asked.piece,
            asked.piece_seconds,
            lost_seconds=lost,
        )
        workers.append(_started(load))
    for place in range(asked.kill):
        _wait_for_bill(folder, asked.budget * asked.keys * (place + 1) // (asked.kill + 2))
        workers[place].kill()
    told: Counter[str] = Counter()
    for place, worker in enumerate(workers):
        said, _ = worker.communicate()
        if place >= asked.kill:
            assert worker.returncode == 0
            told.update(msgspec.json.decode(said, type=dict[str, int]))
    return told


async def _key(store: str, budget: int, place: int) -> tuple[str, str]:
    money = f", ${budget * PRICE}" if place % 2 else ""
    added = await add_key(store, f"key{place}", budget=f"{budget} work/total{money}")
    return added.key.id, added.text


def _started(load: Load) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.gateway.streams",
        msgspec.json.encode(load).decode(),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def _wait_for_bill(folder: Path, tokens: int) -> None:
    while sum(sum(billed(path).values()) for path in folder.glob("bill*")) < tokens:
        time.sleep(0.02)


async def _reaped(store: str) -> None:
    """Charge what killed workers still hold."""
    async with opened(store) as held:
        await held.reap(time.time(), time.time())


def _row(usage: Any, tokens: int) -> dict[str, Any]:
    [work] = [one for one in usage.spendings if one.limit.quantity == "work"]
    return {
        "limit": work.limit.most,
        "billed": tokens,
        "spent": work.spent,
        "held": work.held,
        "recorded": usage.totals.work,
        "overrun": max(0, tokens - work.limit.most),
        "usable": tokens / work.limit.most,
        "limits": {str(x.limit): x.spent <= x.limit.most for x in usage.spendings},
    }


if __name__ == "__main__":
    main()
