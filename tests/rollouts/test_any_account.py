"""Whatever rollouts do, and whatever ends them, their account is true and within its limits."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollouts.rig import roll
from workspan.core.journal import Journal
from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.data.types import Amount
from workspan.engines.rollout.engine import Command
from workspan.errors import BudgetExceeded, EngineError

TOKENS, COST = 100, Decimal("0.05")
SAYS = """echo '{"input_tokens": 5, "output_tokens": %d, "cost": %s}' > "$WORKSPAN_USAGE"; """
DEEDS = {
    "right": SAYS % (7, "0.01") + "echo x > a",
    "silent": "echo x > b",
    "idle": SAYS % (9, "0"),
    "fails": SAYS % (50, "0.02") + "exit 3",
    "garbage": 'echo "{broken" > "$WORKSPAN_USAGE"; echo x > c',
    "negative": SAYS % (-5, "-1") + "echo x > d",
}


def command(deeds: list[str]) -> Command:
    """Do one of the deeds, by the seed."""
    cases = " ".join(f"{i}) {DEEDS[deed]} ;;" for i, deed in enumerate(deeds))
    case = f"case $((WORKSPAN_SEED % {len(deeds)})) in {cases} esac"
    return Command(case, "file", tokens=TOKENS, prompt_tokens=50, cost=COST)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from([*DEEDS]), min_size=1, max_size=5),
    st.integers(0, 450),
    st.integers(0, 12),
    st.integers(1, 5),
)
def test_any_account(deeds: list[str], work: int, cents: int, n: int) -> None:
    budget = Budget(work=work, cost=Decimal(cents) / 50)
    account, journal = Ledger(Budget()), Journal(sink=lambda _: None)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "f.py").write_text("x\n")
        try:
            strategy, told = f"self_consistency(n={n})", command(deeds)
            more = {"account": account, "journal": journal}
            result = roll(told, folder, strategy, str(budget) if work and cents else "", **more)
        except (EngineError, BudgetExceeded):
            result = None
    spent = account.spent
    assert account.held == Amount()
    assert journal.usage() == spent
    assert spent.calls <= n
    if result is not None:
        assert result.usage == spent
        assert result.overruns == {}
        if work and cents:
            assert spent.amount.work <= work
            assert (spent.cost or 0) <= Decimal(cents) / 50
            fit = min(work // TOKENS, int(Decimal(cents) / 50 / COST))
            assert spent.calls >= min(n, fit)
