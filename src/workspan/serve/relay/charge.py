"""What one passed-on request holds of its account: slice by slice, settled once.

An upstream decodes on while nobody looks: between two looks at a stream, and after a hang-up until
it notices. Both are held beside what has come, so that a stream is cut while there is still room
for what its cut leaves unseen. What comes is never waited for: a stream that has used up what it
holds is cut at once, and more is asked for well before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import msgspec
from msgspec import structs

from workspan.core.engine import Price
from workspan.core.ledger import Hold, Ledger
from workspan.data.types import Amount, Usage
from workspan.errors import BudgetExceeded, Refused
from workspan.serve.leases import busy

SLICE = 256
"""Tokens of a slice, at least."""
_SLICE_OVER_OVERSHOOT = 20
_TRIES = 16
"""So many in each slice, where there is nothing more just now."""
_SMALLEST = 80
"""Tokens of a first slice that are worth a request, where so many are left of a budget."""
_WHOLE = 256
"""The same of a reply that comes whole and that its client did not cap."""
_AHEAD = 4
"""The next slice is asked for when the last one has a quarter left."""
_AHEAD_SECONDS = 0.25
"""Or by when what is left lasts for so long: a store has answered by then."""
_LOOKS = 2
"""What came between two looks, at most so far, is held so often."""
_ASKED = 4
"""How often less is asked for, where others spend what was left meanwhile."""


class Account(Protocol):
    """A key's account, for one request."""

    @property
    def ledger(self) -> Ledger:
        """The same account as strategies draw on it."""
        ...

    async def reserve(self, amount: Amount, least: Amount | None = None) -> Hold:
        """Hold an amount, or the least of it; waits while what others hold may come back."""
        ...

    async def extend(self, hold: Hold, amount: Amount, *, waits: bool = True) -> bool:
        """Hold more; False where it can't be had now."""
        ...

    def settle(self, hold: Hold, usage: Usage) -> None:
        """Give back what is held, and charge what was used; once."""
        ...


class Plan(msgspec.Struct, frozen=True):
    """What a request may take at one upstream."""

    work: int | None
    """Of all its choices together; None where nobody caps it."""
    prefill: int
    """A bound, where a limit rests on it; else 0."""
    is_cuttable: bool
    """It streams, and its pieces can be counted closely enough to cut it."""
    overshoot: int
    """Of all its choices together."""
    price: Price | None
    choices: int = 1
    may_shrink: bool = False
    """It comes whole, and nobody but the account caps it."""


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
        limited = ledger.limited()
        if not limited:
            return _UNLIMITED
        has_cost = "cost" in limited
        return cls(
            has_cost or "work" in limited,
            has_cost or "prefill" in limited,
            ledger.work_left(),
            ledger.cost_left(),
        )


_UNLIMITED = Limited(tokens=False, prompts=False)


Left = Callable[[], int | None]
"""Returns the tokens that nobody has spent of a request's limits; None where none counts them."""


def _is_short(refused: BudgetExceeded | Refused) -> bool:
    """Say whether less might fit: nothing that is held will come back."""
    if isinstance(refused, Refused):
        return refused.code == "budget_exceeded"
    return refused.limit in ("work", "cost")


class Charge:
    """One request's hold."""

    def __init__(
        self, account: Account, plan: Plan, limited: Limited, left: Left = lambda: None
    ) -> None:
        self._account = account
        self.plan = plan
        """As it was told, or with a lower cap, once it has begun."""
        self.is_limited = limited.tokens
        """Something is to be counted while it streams."""
        self._left = left
        self._slice = max(SLICE, _SLICE_OVER_OVERSHOOT * plan.overshoot)
        self._held = 0
        """Tokens."""
        self._hold: Hold | None = None
        self._asking: asyncio.Task[bool] | None = None
        """More is asked for: what streams is read meanwhile, since it is decoded meanwhile."""
        self._ask_at = 0
        """Tokens that have come by when more is asked for, at the earliest."""
        self._seen = self._jump = 0
        """Tokens at the last look, and the most that came between two."""
        self._began: tuple[float, int] | None = None
        """When a stream was first looked at, and the tokens that had come by then."""
        self._ahead = 0
        """Tokens before the end of what is held at which a look is not over at once."""

    async def begin(self) -> None:
        """Hold the prompt and the first slice, or all where nothing could cut it.

        The last tokens of a budget are shared: a request gets half of what is left, or less, and
        its upstream ends the answer there by its cap, so that nothing is cut or left unseen.

        Raises:
            BudgetExceeded: it does not fit, whoever ends.
            Refused: the same, of a key's account, or it is held by others for now.
        """
        if not self.is_limited:
            self._hold = await self._account.reserve(Amount(1, prefill=self.plan.prefill))
            return
        left = self._left()
        for place in range(_ASKED):
            try:
                await self._hold_first(left)
                break
            except (BudgetExceeded, Refused) as refused:
                before, left = left, self._left()
                is_less = left is not None and left > 0 and (before is None or left < before)
                if not is_less or not _is_short(refused):
                    raise
                if place == _ASKED - 1:
                    raise busy(refused.limit) from None  # others were faster each time
        self._ahead = self._slice // _AHEAD + self.plan.overshoot

    async def _hold_first(self, left: int | None) -> None:
        """Hold the prompt, and the tokens that a request begins with."""
        plan = self.plan
        is_sliced = plan.is_cuttable or plan.work is None
        wanted = self._capped(self._slice + plan.overshoot) if is_sliced else plan.work or 0
        is_last = left is not None and (plan.may_shrink or (is_sliced and left < wanted))
        if left is None or not is_last:
            self._hold = await self._account.reserve(self._first(wanted))
            self._held = wanted
            return
        worth = _SMALLEST if is_sliced else _WHOLE
        wanted = self._even(min(wanted, max(left // 2, min(left, worth))))
        least = self._even(min(wanted, worth))
        self._hold = await self._account.reserve(self._first(wanted), self._first(least))
        self._held = self._hold.amount.work
        self.plan = structs.replace(plan, work=self._even(self._held))

    @property
    def cap(self) -> int | None:
        """Tokens of one choice, as its upstream is told; None is none."""
        return None if self.plan.work is None else self.plan.work // self.plan.choices

    def _even(self, tokens: int) -> int:
        """Return as many for each choice, one at least."""
        choices = self.plan.choices
        return max(1, tokens // choices) * choices

    def _first(self, tokens: int) -> Amount:
        prefill = self.plan.prefill
        return Amount(1, tokens, prefill, self._cost(tokens, prefill))

    async def covers(self, seen: int) -> bool:
        """Hold what a stream needs that has come so far; False cuts it.

        There must be room for as much as came between two looks, and for what is decoded until a
        hang-up is noticed.
        """
        if not self.is_limited:
            return True
        if seen - self._seen > self._jump:
            self._jump = seen - self._seen
        self._seen = seen
        if seen + self._ahead + _LOOKS * self._jump <= self._held:
            return True
        return self._is_whole or await self._goes_on(seen)

    @property
    def _is_whole(self) -> bool:
        """All of it is held, and the upstream was told of its cap."""
        return self.plan.work is not None and self._held >= self.plan.work

    async def _goes_on(self, seen: int) -> bool:
        pace = self._pace(seen)
        self._ahead = max(self._slice // _AHEAD, int(_AHEAD_SECONDS * pace)) + self.plan.overshoot
        self._look()
        if self._asking is None and seen >= self._ask_at:
            self._ask(seen)
        if not self._is_enough(seen) and self._asking is not None and pace > 0:
            last = self._held - seen - self.plan.overshoot
            if last > 0:  # for half as long as that lasts
                await asyncio.wait([self._asking], timeout=last / pace / 2)
                self._look()
        return self._is_enough(seen)

    def _is_enough(self, seen: int) -> bool:
        return self._is_whole or seen + self._jump + self.plan.overshoot <= self._held

    def _pace(self, seen: int) -> float:
        """Return tokens a second; 0 where it is not known."""
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now, seen
        at, before = self._began
        return (seen - before) / (now - at) if now > at else 0.0

    def _ask(self, seen: int) -> None:
        """Hold the next slice, or ask for it."""
        assert self._hold is not None  # what streams was begun
        self._ask_at = seen + max(1, self._slice // _TRIES)
        beyond = self._ahead + _LOOKS * self._jump
        more = self._capped(seen + max(self._slice, self._ahead) + beyond) - self._held
        amount = Amount(work=more, cost=self._cost(more, 0))
        if self._account.ledger.extend(self._hold, amount.work, amount.cost) is None:
            self._take()
        else:
            self._asking = asyncio.create_task(
                self._account.extend(self._hold, amount, waits=False)
            )

    def _look(self) -> None:
        """Forget what was asked for once it is answered."""
        if self._asking is not None and self._asking.done():
            if self._asking.result():
                self._take()
            self._asking = None

    def _take(self) -> None:
        """Go on to where the hold is now: near a budget's end it may be less than was asked for."""
        assert self._hold is not None
        self._held, self._ask_at = self._hold.amount.work, 0

    def unseen(self, seen: int, bound: int) -> int:
        """Return what a stream that was hung up may have decoded unseen, of a bound.

        A bound may be the whole cap, where words may hide in calls of tools. What was held covers
        the overshoot: beyond that nobody promised anything.
        """
        if not self.is_limited or self.plan.work is None:
            return bound
        return min(bound, max(self._held - seen, self.plan.overshoot))

    def settle(self, usage: Usage) -> None:
        """End it."""
        if self._asking is not None:
            self._asking.cancel()
        if self._hold is not None:
            self._account.settle(self._hold, usage)

    def _capped(self, tokens: int) -> int:
        return tokens if self.plan.work is None else min(tokens, self.plan.work)

    def _cost(self, work: int, prefill: int) -> Decimal:
        price = self.plan.price
        if price is None:
            return Decimal(0)
        return price.of(Usage(input_tokens=prefill, output_tokens=work))
