"""One account: reserve before spending, settle after, here and in every account above."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import anyio

from workspan.data.budget import Budget
from workspan.data.money import minus, plus
from workspan.data.types import Amount, Usage
from workspan.errors import BudgetExceeded

_NOTHING = Amount()
_UNSPENT = Usage()


def _said(amount: int | Decimal, column: str) -> str:
    return f"${amount:f}" if column == "cost" else f"{amount} {column}"


class Hold:
    """What one call has reserved; grows slice by slice until it is settled."""

    __slots__ = ("amount",)

    def __init__(self, amount: Amount) -> None:
        self.amount = amount


class Ledger:
    """Account of one budget: spent + owed + held never exceeds the limit, here or in any parent.

    `owed` is what the journal of an interrupted run shows and the resumed run has not replayed yet.
    Nothing between two halves of a change awaits, so a cancellation can't split it.
    """

    def __init__(
        self, budget: Budget, parent: Ledger | None = None, owed: Usage | None = None
    ) -> None:
        self.budget = budget
        self.parent = parent
        self._above = () if parent is None else parent.path()
        self.spent = _UNSPENT
        self._width = anyio.CapacityLimiter(budget.width) if budget.width else None
        self._owed = owed.amount if owed else _NOTHING
        self._held = _NOTHING
        self._settled: anyio.Event | None = None
        columns = ("calls", "work", "prefill", "cost")
        self._limits = [(c, getattr(budget, c)) for c in columns if getattr(budget, c) is not None]
        self._paid = _NOTHING

    def path(self) -> tuple[Ledger, ...]:
        """This account, then each above it."""
        return (self, *self._above)

    def widths(self) -> list[anyio.CapacityLimiter]:
        """Return the limits on calls in flight, here and above."""
        return [node._width for node in self.path() if node._width is not None]

    @property
    def held(self) -> Amount:
        """Reserved by calls in flight."""
        return self._held

    @property
    def owed(self) -> Amount:
        """Recorded by an earlier run and not replayed yet."""
        return self._owed

    @property
    def overruns(self) -> dict[str, int | Decimal]:
        """Say by how much each limit was passed: empty, unless an engine billed more than asked."""
        over = {column: minus(getattr(self._paid, column), limit) for column, limit in self._limits}
        return {column: excess for column, excess in over.items() if excess > 0}

    def limited(self) -> set[str]:
        """Return the columns that are limited here or above."""
        return {column for node in self.path() for column, _ in node._limits}

    def limits(self, column: str) -> bool:
        """Say whether `column` is limited here or above."""
        return column in self.limited()

    def work_left(self) -> int | None:
        """Decoded tokens that are not spent or owed, here and above; None is unlimited."""
        left = [x for node in self.path() if (x := node._left("work")) is not None]
        return None if not left else int(min(left))

    def cost_left(self) -> Decimal | None:
        """USD that are not spent or owed, here and above; None is unlimited."""
        left = [x for node in self.path() if (x := node._left("cost")) is not None]
        return None if not left else Decimal(min(left))

    async def reserve(self, bound: Callable[[], Amount]) -> Hold:
        """Hold what `bound` asks for; wait while calls in flight may still give back theirs.

        It is asked anew after each wait, since what is left has changed.

        Raises:
            BudgetExceeded: the bound does not fit and nothing in flight could free it.
        """
        while (refusal := self._refusal(amount := bound())) is not None:
            node, column = refusal
            await node._wait_for(amount, column)
        self._hold(amount)
        return Hold(amount)

    def take(self, amount: Amount) -> Hold | None:
        """Hold an amount if it fits now; never waits."""
        if self._refusal(amount) is not None:
            return None
        self._hold(amount)
        return Hold(amount)

    def free(self, column: str) -> int | Decimal | None:
        """Return what could be held of one column now, here and above; None is unlimited."""
        left = [x for node in self.path() if (x := node._unheld(column)) is not None]
        return min(left, default=None)

    def extend(self, hold: Hold, work: int, cost: Decimal) -> str | None:
        """Add `work` tokens and their `cost` to `hold` if they fit now; never waits.

        Returns:
            The column that refused, or None.
        """
        more = Amount(0, work, 0, cost)
        refusal = self._refusal(more)
        if refusal is not None:
            return refusal[1]
        self._hold(more)
        hold.amount = hold.amount.plus(more)
        return None

    async def stretch(self, hold: Hold, work: int, cost: Decimal) -> str | None:
        """Extend a hold; wait where an account above is told only now what it may still hold.

        Returns:
            The column that refused, or None.
        """
        more = Amount(0, work, 0, cost)
        while (refusal := self._refusal(more)) is not None:
            node, column = refusal
            if not await node._fetched(more, column):
                return column
        return self.extend(hold, work, cost)

    def settle(self, hold: Hold, used: Usage) -> None:
        """Free what `hold` reserved and charge what was used."""
        for node in self.path():
            node._release(hold.amount, used)
        hold.amount = _NOTHING

    def owe(self, usage: Usage) -> None:
        """Take over, here and above, what the journal of a run to be resumed shows."""
        for node in self.path():
            node._owed = node._owed.plus(usage.amount)

    def charge(self, used: Usage) -> None:
        """Move replayed compute from owed to spent."""
        amount = used.amount
        for node in self.path():
            node._owed = node._owed.minus(amount)
            node._pay(used)

    def _pay(self, used: Usage) -> None:
        self.spent = used if self.spent is _UNSPENT else self.spent + used
        self._paid = self.spent.amount

    def _committed(self, column: str) -> int | Decimal:
        """Add up one column of what is spent, owed and held."""
        total = plus(getattr(self._paid, column), getattr(self._owed, column))
        return plus(total, getattr(self._held, column))

    def _left(self, column: str) -> int | Decimal | None:
        """Return what is not spent or owed of one column, on this account alone."""
        limit = getattr(self.budget, column)
        if limit is None:
            return None
        left = minus(minus(limit, getattr(self._paid, column)), getattr(self._owed, column))
        return left if left > 0 else type(left)(0)

    def _unheld(self, column: str) -> int | Decimal | None:
        """Return what could be held of one column now, by this account alone."""
        left = self._left(column)
        return None if left is None else minus(left, getattr(self._held, column))

    async def _wait_for(self, amount: Amount, column: str) -> None:
        """Wait until some of what is held here has been given back.

        Raises:
            BudgetExceeded: nothing is.
        """
        if self._held == _NOTHING:
            need, limit = getattr(amount, column), getattr(self.budget, column)
            left = minus(limit, self._committed(column))
            raise BudgetExceeded(
                f"a call needs {_said(need, column)}, {_said(left, column)} left of {self.budget}",
                limit=column,
            )
        if self._settled is None:
            self._settled = anyio.Event()
        await self._settled.wait()

    async def _fetched(self, more: Amount, column: str) -> bool:  # noqa: ARG002  # of this account
        """Say whether more could be had from wherever this account has what it holds."""
        return False

    def _hold(self, amount: Amount) -> None:
        for node in self.path():
            node._take(amount)

    def _take(self, amount: Amount) -> None:
        """Hold it here alone."""
        self._held = amount if self._held is _NOTHING else self._held.plus(amount)

    def _release(self, held: Amount, used: Usage) -> None:
        """Give back here alone what was held, and charge what was used."""
        self._held = _NOTHING if self._held is held else self._held.minus(held)
        self._pay(used)
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    def _refusal(self, bound: Amount) -> tuple[Ledger, str] | None:
        """Find the first account and column that `bound` does not fit."""
        for node in self.path():
            column = node._lacking(bound)
            if column is not None:
                return node, column
        return None

    def _lacking(self, bound: Amount) -> str | None:
        """Find the first column that `bound` does not fit, here alone."""
        for column, limit in self._limits:
            asked = getattr(bound, column)
            if asked and plus(self._committed(column), asked) > limit:
                return column
        return None
