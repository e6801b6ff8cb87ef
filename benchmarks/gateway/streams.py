"""One worker of `budgets`: simulated streams that draw on keys until these are used up.

No model is asked: a stream decodes so many tokens at a time, as an endpoint's would, and each is
written to a bill before the account hears of it. The accounts and the store are the real ones.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import msgspec

from workspan.data.types import Amount, Usage
from workspan.errors import Refused, StoreGone
from workspan.serve.accounts import Account, Accounts
from workspan.serve.exchanging import Pace
from workspan.serve.store import store_at
from workspan.serve.store.base import Store
from workspan.serve.store.keys import Key

PRICE = Decimal("0.000002")
"""USD a token."""
_AGAIN_SECONDS = 0.05
_CONNECT_TRIES = 100


class Load(msgspec.Struct, frozen=True):
    """What one worker does."""

    store: str
    keys: tuple[str, ...]
    """Ids."""
    bill: str
    """A file that each piece is appended to: what an upstream would charge."""
    streams: int
    """For each key."""
    seed: int
    slice: int = 256
    """Tokens that are held at a time; the next ones are asked for when half of them are left."""
    piece: int = 64
    """Tokens that come at a time."""
    piece_seconds: float = 0.02
    mean: float = 700.0
    """Tokens of a stream, exponentially distributed."""
    cap: int = 8_000
    lost_seconds: float = 20.0
    is_patient: bool = False
    """Go on while the store is gone."""


@dataclass
class Worker:
    """Runs one worker's streams."""

    load: Load
    told: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        store = store_at(self.load.store)
        await store.open()
        bill = os.open(self.load.bill, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        pace = Pace(lost=self.load.lost_seconds)
        async with Accounts(store, pace=pace) as accounts, asyncio.TaskGroup() as group:
            for id in self.load.keys:
                key = await self._key(store, id)
                for place in range(self.load.streams):
                    rng = random.Random(f"{self.load.seed} {id} {place}")
                    group.create_task(self._stream(accounts, key, rng, bill))
        await store.aclose()

    async def _key(self, store: Store, id: str) -> Key:
        stored = await store.find(id)
        assert stored is not None
        return stored.key

    async def _stream(self, accounts: Accounts, key: Key, rng: random.Random, bill: int) -> None:
        """Send one request after the other until the key has nothing left."""
        while True:
            tokens = min(self.load.cap, 1 + int(rng.expovariate(1 / self.load.mean)))
            first = self._amount(min(tokens, self.load.slice), calls=1)
            try:
                async with accounts.open(key, first=first) as account:
                    await self._answer(account, tokens, first, key, bill)
                    self.told["answered"] += 1
            except Refused as refused:
                self.told[refused.code] += 1
                if refused.code == "budget_exceeded" and not await self._takes_less(
                    accounts, key, bill
                ):
                    return
                await asyncio.sleep(_AGAIN_SECONDS * rng.random())
            except StoreGone:
                self.told["store_gone"] += 1
                if not self.load.is_patient:
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _takes_less(self, accounts: Accounts, key: Key, bill: int) -> bool:
        """Send a short request where a long one did not fit; False where none would."""
        try:
            async with accounts.open(key, first=self._amount(1, calls=1)) as account:
                await self._answer(account, self.load.cap, self._amount(1, calls=1), key, bill)
        except Refused as refused:
            self.told[refused.code] += 1
            return refused.code != "budget_exceeded"
        return True

    async def _answer(
        self, account: Account, tokens: int, first: Amount, key: Key, bill: int
    ) -> None:
        hold = await account.reserve(first)
        decoded, is_open = 0, True
        try:
            while decoded < tokens:
                left = hold.amount.work - decoded
                if is_open and hold.amount.work < tokens and 2 * left <= self.load.slice:
                    more = min(self.load.slice, tokens - hold.amount.work)
                    is_open = await account.extend(hold, self._amount(more))
                piece = min(self.load.piece, tokens - decoded, hold.amount.work - decoded)
                if not piece:
                    self.told["cut"] += 1
                    break
                await asyncio.sleep(self.load.piece_seconds)
                os.write(bill, f"{key.id} {piece}\n".encode())
                decoded += piece
        finally:
            account.settle(hold, Usage(1, output_tokens=decoded, cost=decoded * PRICE))

    def _amount(self, tokens: int, calls: int = 0) -> Amount:
        return Amount(calls, tokens, 0, tokens * PRICE)


def billed(path: Path) -> Counter[str]:
    """Add up a bill by key; a last line that a kill cut is not there: each is written whole."""
    found: Counter[str] = Counter()
    for line in path.read_text().splitlines() if path.exists() else ():
        id, tokens = line.split()
        found[id] += int(tokens)
    return found


def main() -> None:
    load = msgspec.json.decode(sys.argv[1], type=Load)
    worker = Worker(load)
    asyncio.run(worker.run())
    print(msgspec.json.encode(worker.told).decode())


if __name__ == "__main__":
    main()
