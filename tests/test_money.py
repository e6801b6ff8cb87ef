"""Sums of money don't hang on how precisely a library told this thread to compute."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext

import anyio
import pytest

from workspan.core.engine import Price
from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.data.types import Amount, Usage
from workspan.errors import BudgetExceeded
from workspan.serve.prices import Rates
from workspan.serve.store.limits import amount_of, units
from workspan.tasks.procedural import procedural

PRICE = Price(Decimal("1.25"), Decimal(10))


@pytest.fixture(autouse=True)
def imprecise() -> Iterator[None]:
    """Round to three digits, as a library might leave it."""
    with localcontext() as context:
        context.prec = 3
        yield


def test_prices_are_exact() -> None:
    used = Usage(1, 123_457, output_tokens=654_321)
    assert PRICE.of(used) == Decimal("6.69753125")
    assert Rates(Decimal("1.25"), Decimal(10)).of(used) == Decimal("6.69753125")


def test_small_costs_beside_large_ones_count() -> None:
    total = Usage(cost=Decimal(100)) + Usage(cost=Decimal("0.000001"))
    assert total.cost == Decimal("100.000001")
    assert Amount(cost=Decimal(100)).plus(Amount(cost=Decimal("0.01"))).cost == Decimal("100.01")
    assert Amount(cost=Decimal(100)).minus(Amount(cost=Decimal("0.01"))).cost == Decimal("99.99")


def test_a_budget_of_money_is_not_passed_by_a_thousand_small_calls() -> None:
    async def main() -> None:
        ledger, call = Ledger(Budget(cost=Decimal("10.5"))), Amount(1, cost=Decimal("0.01"))
        for _ in range(1050):
            hold = await ledger.reserve(lambda: call)
            ledger.settle(hold, Usage(1, cost=Decimal("0.01")))
        with pytest.raises(BudgetExceeded, match=r"0\.00 left"):
            await ledger.reserve(lambda: call)
        assert ledger.spent.cost == Decimal("10.5")
        assert ledger.overruns == {}

    anyio.run(main)


def test_the_store_counts_every_part_of_a_dollar() -> None:
    assert units("cost", Decimal("0.113784466440001")) == 113_784_466_441
    assert amount_of("cost", 113_784_466_441) == Decimal("0.113784466441")


def test_making_problems_leaves_the_precision_as_it_was() -> None:
    with localcontext() as context:
        procedural("decimal_arithmetic").load(2, 0)
        assert context.prec == 3
