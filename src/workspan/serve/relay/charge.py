"""What one passed-on request holds of its account: slice by slice, settled once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from workspan.core.engine import Price
from workspan.core.ledger import Hold, Ledger
from workspan.data.types import Amount, Usage
from workspan.errors import BudgetExceeded, Refused

SLICE = 256
"""Tokens of a slice, at least."""
_SLICE_OVER_RUNAHEAD = 20
_TRIES = 16
"""So many in each slice, where there is nothing more just now."""
_LAST_SECONDS = 0.05
"""For which a stream with nothing left waits for more: what is decoded meanwhile is not held."""
_SMALLEST = 80
"""Tokens of a first slice that are worth a request; less is left of a budget."""
_AHEAD = 4
"""The next slice is asked for when the last one has a quarter left."""


class Account(Protocol):
    """A key's account, for one request."""

    @property
    def ledger(self) -> Ledger:
        """The same account as strategies draw on it."""
        ...

    async def reserve(self, amount: Amount) -> Hold:
        """Hold an amount; waits while what others hold may come back."""
        ...

    async def extend(self, hold: Hold, amount: Amount, *, waits: bool = True) -> bool:
        """Hold more; False where it can't be had now."""
        ...

    async def settle(self, hold: Hold, usage: Usage) -> None:
        """Give back what is held, and charge what was used; once."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request may take at one upstream."""

    work: int | None
    """Of all its choices together; None where nobody caps it."""
    prefill: int
    """A bound, where a limit rests on it; else 0."""
    is_cuttable: bool
    """It streams, and its pieces can be counted closely enough to cut it."""
    runahead: int
    price: Price | None


@dataclass(frozen=True, slots=True)
class Limited:
    """What an account limits, here or above."""

    tokens: bool
    """Work or money: something is to be counted while it streams."""
    prompts: bool
    """Prefill or money: a bound of the prompt is needed."""
    work_left: int | None = None
    """Tokens that nobody has spent yet."""
    cost_left: Decimal | None = None
    """USD, likewise."""

    @classmethod
    def by(cls, ledger: Ledger) -> Limited:
        """Look at an account."""
        has_cost = ledger.limits("cost")
        return cls(
            has_cost or ledger.limits("work"),
            has_cost or ledger.limits("prefill"),
            ledger.work_left(),
            ledger.cost_left(),
        )


def _is_short(refused: BudgetExceeded | Refused) -> bool:
    """Say whether less might fit: nothing that is held will come back."""
    if isinstance(refused, Refused):
        return refused.code == "budget_exceeded"
    return refused.limit in ("work", "cost")


class Charge:
    """One request's hold."""

    def __init__(self, account: Account, plan: Plan, limited: Limited) -> None:
        self._account = account
        self._plan = plan
        self.is_limited = limited.tokens
        """Something is to be counted while it streams."""
        self._slice = max(SLICE, _SLICE_OVER_RUNAHEAD * plan.runahead)
        self._leased = 0
        """Tokens that may come; what a cut leaves unseen is held beside them."""
        self._held = 0
        self._hold: Hold | None = None
        self._asking: asyncio.Task[bool] | None = None
        """More is asked for: what streams is read meanwhile, since it is decoded meanwhile."""
        self._asked_at = -self._slice
        """Tokens that had come when more was last asked for."""
        self._is_refused = False
        """It was in vain: others may give back meanwhile, and it is tried some times more."""

    async def begin(self) -> None:
        """Hold the prompt and the first slice, or all where nothing could cut it.

        Raises:
            BudgetExceeded: it does not fit, whoever ends.
        """
        plan = self._plan
        if not self.is_limited:
            self._hold = await self._account.reserve(Amount(1, prefill=plan.prefill))
            return
        is_sliced = plan.is_cuttable or plan.work is None
        size = self._slice if is_sliced else plan.work or 0
        while self._hold is None:
            try:
                await self._lease(size)
            except (BudgetExceeded, Refused) as refused:
                if not is_sliced or size <= _SMALLEST or not _is_short(refused):
                    raise
                size //= 4  # what is left of a budget is for a short answer

    async def _lease(self, tokens: int) -> None:
        """Hold the prompt and so many tokens, with what a cut would leave unseen."""
        plan = self._plan
        self._leased = self._capped(tokens)
        self._held = self._capped(self._leased + plan.runahead)
        amount = Amount(1, self._held, plan.prefill, self._cost(self._held, plan.prefill))
        self._hold = await self._account.reserve(amount)

    async def covers(self, seen: int) -> bool:
        """Hold what a stream needs that has come so far; False cuts it.

        More is asked for ahead of need, and waited for only where nothing is left: an upstream
        decodes on while nobody reads.
        """
        if not self.is_limited or seen < self._leased - self._slice // _AHEAD:
            return True
        if self._capped(max(self._leased, seen) + self._slice) <= self._leased:
            return True  # all of it is held, and the upstream was told of its cap
        self._look()
        is_last = seen >= self._leased
        is_next = seen >= self._asked_at + self._slice // _TRIES
        if self._asking is None and (is_next or (is_last and not self._is_refused)):
            self._asked_at = seen
            self._asking = asyncio.create_task(self._extended(seen))
        if is_last and self._asking is not None:
            await asyncio.wait([self._asking], timeout=_LAST_SECONDS)
            self._look()
        return seen < self._leased

    def _look(self) -> None:
        """Forget what was asked for once it is answered."""
        if self._asking is not None and self._asking.done():
            self._is_refused = not self._asking.result()
            self._asking = None

    async def _extended(self, seen: int) -> bool:
        assert self._hold is not None  # what streams was begun
        leased = self._capped(max(self._leased, seen) + self._slice)
        more = self._capped(leased + self._plan.runahead) - self._held
        amount = Amount(work=more, cost=self._cost(more, 0))
        is_more = await self._account.extend(self._hold, amount, waits=False)
        if is_more:
            self._held = self._hold.amount.work  # near a budget's end it may be less
            self._leased = min(leased, max(self._leased, self._held - self._plan.runahead))
        return is_more

    async def settle(self, usage: Usage) -> None:
        """End it."""
        if self._asking is not None:
            self._asking.cancel()
        if self._hold is not None:
            await self._account.settle(self._hold, usage)

    def _capped(self, tokens: int) -> int:
        return tokens if self._plan.work is None else min(tokens, self._plan.work)

    def _cost(self, work: int, prefill: int) -> Decimal:
        price = self._plan.price
        if price is None:
            return Decimal(0)
        return price.of(Usage(input_tokens=prefill, output_tokens=work))
