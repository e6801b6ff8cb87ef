"""The account of one request: within its own budget, and within every limit of its key.

Both ways of answering use it, and nothing else of the store. Where there is no store it is an
account in this process alone.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType

import anyio
from anyio.abc import TaskGroup
from msgspec import structs

from workspan.core.journal import bound_usage
from workspan.core.ledger import Hold, Ledger
from workspan.data.budget import UNLIMITED, Budget
from workspan.data.money import exactly, subtract
from workspan.data.types import Amount, Usage
from workspan.errors import Refused, StoreGone, UnpricedModel
from workspan.legible import quoted
from workspan.serve.exchanging import NORMAL_PACE, Exchange, OnStore, Pace, Utc
from workspan.serve.leases import Lease, LeasedLedger, LeaseRefused, Wish
from workspan.serve.store.base import Row, Store, Window
from workspan.serve.store.keys import Key
from workspan.serve.store.limits import Limit, units, window_start
from workspan.serve.trajectories.kept import NO_TRAJECTORY, OwnLedger, Within

_ONE = Amount(1, 1, 0)
FIRST = Amount(1, 256, 0)
"""What a request is expected to hold first, unless its caller knows better."""

_CLIENT_GONE, _FAILED, _DONE = 499, 500, 200


class Account:
    """What one request may hold, and has spent."""

    def __init__(self, ledger: Ledger, exchange: Exchange | None, row: Row) -> None:
        self.ledger = ledger
        """For `workspan.runner.run(…, account=…)`: the request's own budget, below its key's."""
        self.row = row
        self.trajectory: Sequence[LeasedLedger | OwnLedger] = ()
        """Of the accounts above, those of the trajectory's own budget."""
        self._exchange = exchange
        self._holds: set[Hold] = set()

    @property
    def spent(self) -> Usage:
        """What was settled so far."""
        return self.ledger.spent

    def note(
        self,
        *,
        status: int | None = None,
        model: str | None = None,
        strategy: str | None = None,
        span: int | None = None,
        overhead_ms: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """Say what the request's row is to hold; what is None stays."""
        if self._exchange is None:
            return  # no row is kept
        told = {
            "status": status,
            "model": model,
            "strategy": strategy,
            "span": span,
            "overhead_ms": overhead_ms,
            "seconds": seconds,
        }
        self.row = structs.replace(
            self.row, **{name: x for name, x in told.items() if x is not None}
        )

    async def reserve(self, amount: Amount, least: Amount | None = None) -> Hold:
        """Hold an amount before a call that may take it, prompt and first slice.

        With `least`, which differs from it in tokens and their cost, as much is held as can be
        had at once, that much at least: `hold.amount` says how much.

        Raises:
            Refused: the key's account has no room for the least: see `Refused.code`.
            BudgetExceeded: the request's own budget has none.
            StoreGone: the store can't be asked.
        """
        hold, needed = self.ledger.take(amount), least or amount
        if hold is None:
            await self._gain(amount, needed)
            hold = self._most(amount, needed)
        if hold is None:
            try:
                hold = await self.ledger.reserve(lambda: needed)
            except LeaseRefused as refused:
                raise refused.why from None
        self._holds.add(hold)
        return hold

    def _most(self, amount: Amount, least: Amount) -> Hold | None:
        """Hold as many of the tokens between two amounts as fit now; None where none do."""
        if amount.work <= least.work:
            return self.ledger.take(amount)
        beyond = Amount(0, amount.work - least.work, 0, subtract(amount.cost, least.cost))
        if (hold := self.ledger.take(least)) is not None:
            self._add_most(hold, beyond)
        return hold

    async def extend(self, hold: Hold, amount: Amount, *, waits: bool = True) -> bool:
        """Add decoded tokens and their cost to a hold, asked ahead of need.

        Near a budget's end less may be added than was asked for: `hold.amount` says what is held,
        and the call may go on to there. False where nothing could be added. Without `waits` it is
        not waited for what others hold.
        """
        if self.ledger.extend(hold, amount.work, amount.cost) is None:
            return True
        with suppress(Refused, StoreGone):
            await self._gain(amount, _part(amount, 1), waits=waits)
        return self._add_most(hold, amount)

    def _add_most(self, hold: Hold, amount: Amount) -> bool:
        """Add as many of an amount's tokens to a hold as fit now; False where none do."""
        most = self._tokens(amount)
        return any(  # one less where the money of the last was rounded
            self.ledger.extend(hold, tokens, _part(amount, tokens).cost) is None
            for tokens in (most, most - 1)
            if tokens > 0
        )

    def settle(self, hold: Hold, used: Usage) -> None:
        """Free a hold and charge what was used: once only."""
        if hold in self._holds:
            self._holds.remove(hold)
            self.ledger.settle(hold, used)

    def close(self, status: int) -> Row:
        """Charge in full what nobody settled, and return the request's row."""
        for hold in self._holds:
            self.ledger.settle(hold, bound_usage(hold.amount))
        self._holds.clear()
        if self._exchange is None:
            return self.row
        spent = self.ledger.spent
        return structs.replace(
            self.row,
            status=self.row.status or status,
            work=spent.amount.work,
            calls=spent.calls,
            prefill=spent.prefill,
            cached=spent.cached_tokens,
            cost=None if spent.cost is None else units("cost", spent.cost),
            source=spent.source,
        )

    async def _gain(self, amount: Amount, least: Amount, *, waits: bool = True) -> None:
        if self._exchange is not None:
            nodes = [node for node in self.ledger.path() if isinstance(node, LeasedLedger)]
            await self._exchange.gain([node.wish(amount, least) for node in nodes], waits=waits)

    def _tokens(self, amount: Amount) -> int:
        """Return how many of the tokens asked for could be held now."""
        work, cost = self.ledger.free("work"), self.ledger.free("cost")
        rooms = [amount.work]
        if work is not None:
            rooms.append(int(work))
        if cost is not None and amount.cost:
            with exactly():
                rooms.append(int(cost * amount.work / amount.cost))
        return max(0, min(rooms))


def _part(amount: Amount, tokens: int) -> Amount:
    """Return what so many of an amount's tokens take."""
    with exactly():
        cost = amount.cost * tokens / amount.work if amount.work else amount.cost
    return Amount(0, tokens, 0, cost)


class _Opened:
    """The account of one request, open while its block runs."""

    __slots__ = ("_accounts", "_asked", "_is_priced", "_leases", "_row", "account")

    def __init__(
        self,
        accounts: Accounts,
        key: Key | None,
        budget: Budget,
        first: Amount,
        within: Within,
        row: Row,
        *,
        is_priced: bool,
    ) -> None:
        self._accounts, self._row, self._is_priced = accounts, row, is_priced
        self._asked = key, budget, first, within
        self._leases: Sequence[Lease] = ()

    async def __aenter__(self) -> Account:
        """Take a request of the limits on these."""
        key, budget, first, within = self._asked
        if not self._is_priced:
            refuse_unpriced(key, budget, self._row.model, within)
        accounts, own = self._accounts, within.ledger
        self._leases = accounts._enter(key, self._row.at, within)
        try:
            if own is not None:
                own.check(first)
            await accounts._admit(self._leases, first)
            parent = own or accounts._ledger_of(self._leases) or accounts._top
            self.account = Account(Ledger(budget, parent), accounts._exchange, self._row)
            self.account.trajectory = [own] if own is not None else _own_of(parent)
        except BaseException:
            self._leave()
            raise
        return self.account

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Charge what nobody settled, and keep the row."""
        status = _DONE
        if kind is not None:
            is_left = issubclass(kind, (anyio.get_cancelled_exc_class(), GeneratorExit))
            status = _CLIENT_GONE if is_left else _FAILED
        try:
            done = self.account.close(status)
            if self._accounts._exchange is not None:
                self._accounts._exchange.record(done)
        finally:
            self._leave()

    def _leave(self) -> None:
        """Let go of the leases."""
        for lease in self._leases:
            lease.users -= 1


class Accounts:
    """All accounts of one worker of the gateway; open while it serves.

    Example: ``async with Accounts(store) as accounts, accounts.open(key, budget) as account: …``
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        budget: Budget | None = None,
        utc: Utc = time.time,
        pace: Pace = NORMAL_PACE,
        on_store: OnStore = lambda _: None,
    ) -> None:
        """Take an opened store, or none; `budget` is of all requests of this process together.

        `on_store` is told when the store is gone, and when it is back.
        """
        self.utc = utc
        self._top = Ledger(budget) if budget is not None else None
        self._exchange = Exchange(store, utc, pace, on_store) if store is not None else None
        self._ledgers: dict[str, LeasedLedger] = {}
        self._group: TaskGroup | None = None

    @property
    def keeps_rows(self) -> bool:
        """What `Account.note` is told is kept somewhere."""
        return self._exchange is not None

    @property
    def gone(self) -> str:
        """Why the store can't be reached; empty where it can, or where there is none."""
        return str(self._exchange.gone or "") if self._exchange is not None else ""

    async def __aenter__(self) -> Accounts:
        self._group = await anyio.create_task_group().__aenter__()
        if self._exchange is not None:
            self._group.start_soon(self._exchange.run)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell the store what was spent, and give back what is leased."""
        try:
            if self._exchange is not None:
                await self._exchange.finish()
        finally:
            assert self._group is not None
            self._group.cancel_scope.cancel()
            await self._group.__aexit__(None, None, None)  # what the block raised passes as it is

    def open(
        self,
        key: Key | None = None,
        budget: Budget | None = None,
        *,
        route: str = "",
        model: str = "",
        id: str = "",
        is_priced: bool = True,
        first: Amount = FIRST,
        within: Within = NO_TRAJECTORY,
    ) -> AbstractAsyncContextManager[Account]:
        """Open the account of one request, which ends with the block.

        It lies within a trajectory's budget, too, where it is of one. `first` is what it will hold
        first; `id` one of our own making, never a client's, since one
        that comes twice is recorded once. The request's row has status 200, 499 where the block
        was cancelled, 500 where it failed, unless `Account.note` says another.

        Raises:
            Refused: the key's account has no room: nothing was spent.
            StoreGone: the store can't be asked: nothing was spent.
            UnpricedModel: money is limited, and the model's price is unknown.
        """
        name, at = id or uuid.uuid4().hex, self.utc()
        row = Row(name, at, key.id if key else "", route, model, trajectory=within.id)
        return _Opened(self, key, budget or UNLIMITED, first, within, row, is_priced=is_priced)

    def _enter(self, key: Key | None, at: float, within: Within) -> Sequence[Lease]:
        """Return the leases of a key's windows at a moment, kept from being forgotten.

        Those of a trajectory come first: it lies within all that its key may spend.
        """
        if key is None or self._exchange is None:
            return ()
        leases = [self._exchange.lease(_window(key, limit, at), limit) for limit in key.limits]
        if within.ledger is None:
            windows = [
                (Window(within.id, limit.quantity, limit.period, 0, key.id), limit)
                for limit in within.limits
            ]
            leases = [*(self._exchange.lease(*one) for one in windows), *leases]
        for lease in leases:
            lease.users += 1
        return leases

    async def _admit(self, leases: Sequence[Lease], first: Amount) -> None:
        """Take a request of each limit on requests, once there is something left of all others."""
        if self._exchange is None:
            return
        self._exchange.check()
        wishes = [
            Wish(lease, max(1, _counted(lease, first)), max(1, _counted(lease, _ONE)))
            for lease in leases
        ]
        while True:
            await self._exchange.gain(wishes)
            if all(wish.lease.free >= wish.least for wish in wishes):
                break
        for lease in leases:
            if lease.limit.quantity == "requests":
                lease.used += 1
                lease.drawn += 1
            lease.touched = self._exchange.now()

    def _ledger_of(self, leases: Sequence[Lease]) -> Ledger | None:
        """Return the innermost account: each lies within those of the leases after its own."""
        ledger: Ledger | None = self._top
        keys: list[LeasedLedger] = []
        own: list[LeasedLedger] = []
        for lease in reversed(leases):
            if lease.limit.quantity != "requests":
                ledger = self._node(lease, ledger)
                (own if lease.window.parent else keys).append(ledger)
        for node in keys:  # several trajectories draw on these
            node.chain = keys
        for node in own:
            node.chain = [*keys, *own]
        return ledger

    def _node(self, lease: Lease, parent: Ledger | None) -> LeasedLedger:
        """Return a window's account: one as long as the worker holds its lease."""
        assert self._exchange is not None
        found = self._ledgers.get(lease.window.id)
        if found is None or found.lease is not lease or found.parent is not parent:
            self._ledgers = {
                id: one for id, one in self._ledgers.items() if self._exchange.is_held(one.lease)
            }
            found = self._ledgers[lease.window.id] = LeasedLedger(lease, parent, self._exchange)
        return found


def _window(key: Key, limit: Limit, at: float) -> Window:
    return Window(key.id, limit.quantity, limit.period, window_start(limit.period, at))


def _own_of(parent: Ledger | None) -> list[LeasedLedger | OwnLedger]:
    """Return the accounts of a trajectory among those above a request's."""
    above = [] if parent is None else [*parent.path()]
    return [one for one in above if isinstance(one, LeasedLedger) and one.lease.window.parent]


def _counted(lease: Lease, amount: Amount) -> int:
    if lease.limit.quantity == "requests":
        return 1
    return units(lease.limit.quantity, getattr(amount, lease.limit.quantity))


def refuse_unpriced(
    key: Key | None, budget: Budget | None, model: str, within: Within = NO_TRAJECTORY
) -> None:
    """Refuse a model without a price where money is limited, before it is spent.

    Raises:
        UnpricedModel: so it is.
    """
    has_cost = (budget is not None and budget.cost is not None) or (key and key.limits_of("cost"))
    if has_cost or any(limit.quantity == "cost" for limit in within.limits):
        raise UnpricedModel(
            f"the budget limits money, and no price is known for {quoted(model)}: "
            "the gateway's operator can give one with --price"
        )
