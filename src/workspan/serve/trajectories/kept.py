"""The account of a trajectory where there is no store: in this process, as long as it lives."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.data.types import Amount
from workspan.errors import BudgetExceeded, Refused
from workspan.serve.leases import LeaseRefused, exceeded
from workspan.serve.store.limits import Limit, amount_of, shown, units


@dataclass(frozen=True, slots=True)
class Within:
    """The budget of a trajectory that a request lies within."""

    id: str = ""
    """Of the trajectory; empty where the request is of none."""
    limits: tuple[Limit, ...] = ()
    ledger: OwnLedger | None = None
    """Its account; None where the store keeps it."""


NO_TRAJECTORY = Within()


class OwnLedger(Ledger):
    """An account in memory whose refusals are a trajectory's."""

    def __init__(self, limits: tuple[Limit, ...], parent: Ledger | None = None) -> None:
        most = {one.quantity: amount_of(one.quantity, one.most) for one in limits}
        super().__init__(Budget(**most), parent)  # type: ignore[arg-type]  # a column's own type
        self.limits_held = limits

    def check(self, first: Amount) -> None:
        """Refuse a turn of which nothing could be paid.

        Raises:
            Refused: so it is; nothing was spent.
        """
        for limit in self.limits_held:
            if getattr(first, limit.quantity) and self.remaining(limit) < 1:
                raise self._refused(limit)

    def remaining(self, limit: Limit) -> int:
        """Return what is not spent of one limit, as a store would count it."""
        left = self._left(limit.quantity)
        return 0 if left is None else units(limit.quantity, Decimal(left))

    def _refused(self, limit: Limit) -> Refused:
        written = shown(limit.quantity, limit.most)
        return exceeded(limit.quantity, written, self.remaining(limit), "the trajectory")

    async def _wait_for(self, amount: Amount, column: str) -> None:
        try:
            await super()._wait_for(amount, column)
        except BudgetExceeded:
            [limit] = [one for one in self.limits_held if one.quantity == column]
            raise LeaseRefused(self._refused(limit), column) from None
