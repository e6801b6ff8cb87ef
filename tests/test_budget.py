from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.data.budget import Budget, within
from workspan.errors import SpecError
from workspan.legible import counted

counts = st.none() | st.integers(1, 10**9)


def test_budget_reads_the_words_people_write() -> None:
    parsed = Budget.parse("8k work, 2K span, 16 calls, 4 wide, 30s, $0.05, 1.5k prefill")
    assert parsed == Budget(8000, 2000, 1500, 16, 4, 30.0, Decimal("0.05"))
    assert Budget.parse("20k tokens") == Budget(work=20_000)
    assert Budget.parse("$.05") == Budget(cost=Decimal("0.05"))
    assert Budget.parse(".5k work") == Budget(work=500)
    assert Budget.parse("2 min") == Budget(seconds=120.0)
    assert Budget.parse("1.5M work") == Budget(work=1_500_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8k wrok", "did you mean 'work'"),
        ("8k", "name what '8k' limits"),
        ("8k work, 2k work", "limits work twice"),
        ("0 work", "above 0"),
        ("-5 work", "not understood"),
        ("1.5 calls", "whole number"),
        ("", "not understood"),
        ("$5 work", "unknown budget word"),
    ],
)
def test_budget_says_what_it_did_not_understand(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        Budget.parse(text)


def test_budget_error_points_at_the_item() -> None:
    with pytest.raises(SpecError) as caught:
        Budget.parse("8k work, 2k spam")
    assert caught.value.column == 9


@given(
    work=counts,
    span=counts,
    prefill=counts,
    calls=counts,
    width=counts,
    seconds=st.none() | st.integers(1, 10**5).map(float),
    cost=st.none() | st.integers(1, 10**6).map(lambda cents: Decimal(cents) / 100),
)
def test_budget_reads_back_what_it_writes(**limits: object) -> None:
    budget = Budget(**limits)  # type: ignore[arg-type]
    if budget != Budget():
        assert Budget.parse(str(budget)) == budget


def test_budget_refuses_negative_limits() -> None:
    with pytest.raises(ValueError, match="work is -1"):
        Budget(work=-1)
    with pytest.raises(ValueError, match="width is 0"):
        Budget(width=0)


def test_limits_are_said_behind_what_keeps_to_them() -> None:
    assert within(Budget.parse("8k work")) == "within 8000 work"
    assert within("unlimited") == within(Budget()) == "without a limit"
    assert [counted(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
