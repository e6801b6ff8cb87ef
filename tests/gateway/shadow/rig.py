"""Gateways that run requests beside, and what they keep."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.rig import Answer, Gate, Scripted, Seen, gate, reply, upstream, whole
from gateway.test_keys_http import bearing, key_for
from workspan.core.engine import Price
from workspan.lab.advising.kept import Shadowed, ShadowStore
from workspan.serve.shadow.account import ID
from workspan.serve.shadow.stated import read_shadow
from workspan.serve.store import store_at
from workspan.serve.store.base import KeyUsage
from workspan.store.database import database_at

NUMBER = [{"role": "user", "content": "2 + 2? Reply with a single number."}]
VOTE = "self_consistency(n=3)"
SHADOW = f"share=1, strategies=[{VOTE}], budget='1M work/day'"


class Bill:
    """An upstream that answers in turn, and keeps its own bill."""

    def __init__(self, *texts: str, tokens: int = 5) -> None:
        self.texts, self.tokens = texts, tokens
        self.calls = self.work = 0

    async def answer(self, _: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
        text = self.texts[self.calls % len(self.texts)]
        self.calls += 1
        self.work += self.tokens
        await reply(writer, whole(text, completion=self.tokens))


@asynccontextmanager
async def shadowed(
    path: Path, answer: Answer, shadow: str = SHADOW, price: Price | None = None, **stated: Any
) -> AsyncIterator[tuple[Gate, Scripted, dict[str, str]]]:
    """Run a gateway with a key, before one upstream."""
    headers = bearing(await key_for(path, "1M work/day"))
    settings = stated.pop("settings", {})
    speaks = tuple(stated.pop("speaks", "chat").split(","))
    async with (
        Scripted(answer).serve() as up,
        gate(
            replace(upstream(up.url, price=price, **settings), speaks=speaks),
            store=str(path),
            shadow=read_shadow(shadow),
            **stated,
        ) as gw,
    ):
        yield gw, up, headers


async def outcomes(gw: Gate, requests: int = 1) -> Counter[str]:
    """Return what became of so many chosen requests, as the figures say it, once they are over."""
    while True:
        found = Counter(dict(_outcomes((await gw.get("/metrics")).body.decode())))
        if found.total() >= requests:
            return found
        await asyncio.sleep(0.02)


def _outcomes(text: str) -> Iterator[tuple[str, int]]:
    found = re.finditer(r'shadow_requests_total\{outcome="(\w+)"\} ([\d.]+)', text)
    return ((one[1], int(float(one[2]))) for one in found)


async def kept(path: Path | str) -> list[Shadowed]:
    """Return what the store holds."""
    database = database_at(str(path))
    await database.open()
    try:
        return await ShadowStore(database).since(0)
    finally:
        await database.aclose()


async def fill(path: Path | str, requests: Iterable[Shadowed]) -> None:
    """Keep requests in a store as if they had come just now, with their labels."""
    database = database_at(str(path))
    await database.open()
    store, now = ShadowStore(database), time.time()
    for one in requests:
        await store.keep(replace(one, at=now))
        for label in one.labels:
            await store.label(one.id, replace(label, at=now))
    await database.aclose()


async def usage(path: Path, now: float) -> dict[str, KeyUsage]:
    """Return what each key spent: by id, the shadow's and the client's."""
    store = store_at(str(path))
    await store.open()
    try:
        found = await store.usage(now)
    finally:
        await store.aclose()
    return {"shadow" if one.stored.key.id == ID else "client": one for one in found}
