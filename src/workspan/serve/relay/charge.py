"""What one passed-on request holds of its account: slice by slice, settled once."""

from __future__ import annotations

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

    async def extend(self, hold: Hold, amount: Amount) -> bool:
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
        """Hold what a stream needs that has come so far; False cuts it."""
        if not self.is_limited or seen < self._leased - self._slice // _AHEAD:
            return True
        assert self._hold is not None  # what streams was begun
        leased = self._capped(max(self._leased, seen) + self._slice)
        if leased <= self._leased:
            return True  # all of it is held, and the upstream was told of its cap
        more = self._capped(leased + self._plan.runahead) - self._held
        amount = Amount(work=more, cost=self._cost(more, 0))
        if await self._account.extend(self._hold, amount):
            self._held = self._hold.amount.work  # near a budget's end it may be less
            self._leased = min(leased, max(self._leased, self._held - self._plan.runahead))
        return seen < self._leased

    async def settle(self, usage: Usage) -> None:
        """End it."""
        if self._hold is not None:
            await self._account.settle(self._hold, usage)

    def _capped(self, tokens: int) -> int:
        return tokens if self._plan.work is None else min(tokens, self._plan.work)

    def _cost(self, work: int, prefill: int) -> Decimal:
        price = self._plan.price
        if price is None:
            return Decimal(0)
        return price.of(Usage(input_tokens=prefill, output_tokens=work))
