"""Accounts of requests, in this process alone: each has its own budget and no key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType

from workspan.budget import Budget
from workspan.ledger import Hold, Ledger
from workspan.serve.asked import Key
from workspan.types import Amount, Usage

FIRST = Amount(1, 256, 0)


class Account:
    """The account of one request."""

    def __init__(self, budget: Budget) -> None:
        self.ledger = Ledger(budget)
        self._holds: set[Hold] = set()

    def note(self, **told: object) -> None:
        """Say what is to be kept of the request: nothing is."""

    async def reserve(self, amount: Amount) -> Hold:
        """Hold an amount."""
        hold = await self.ledger.reserve(lambda: amount)
        self._holds.add(hold)
        return hold

    async def extend(self, hold: Hold, amount: Amount) -> bool:
        """Hold more; False where it can't be had."""
        return self.ledger.extend(hold, amount.work, amount.cost) is None

    async def settle(self, hold: Hold, used: Usage) -> None:
        """Give back what is held, and charge what was used; once."""
        if hold in self._holds:
            self._holds.remove(hold)
            self.ledger.settle(hold, used)


class Accounts:
    """No store: whoever asks may spend what one request may."""

    gone = ""

    async def __aenter__(self) -> Accounts:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    @asynccontextmanager
    async def open(
        self,
        key: Key | None = None,
        budget: Budget | None = None,
        *,
        route: str = "",
        model: str = "",
        id: str = "",
        is_priced: bool = True,
        first: Amount = FIRST,
    ) -> AsyncIterator[Account]:
        """Open the account of one request."""
        yield Account(budget or Budget())
