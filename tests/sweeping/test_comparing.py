"""What a comparison of cells leaves out, keeps apart, and says of what it does not know."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from sweep_rig import Rig
from workspan.core.engine import Bill
from workspan.data.budget import Budget
from workspan.data.types import Chunk, Request, Usage
from workspan.errors import InputError
from workspan.lab.scaling import fit_curve
from workspan.lab.sweeping.cell import Cell, limits
from workspan.lab.sweeping.comparing import covering, overtaking, versus
from workspan.lab.sweeping.outcome import CellRow, TrialRow, cell_row
from workspan.lab.sweeping.placing import places
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter

Held = tuple[CellRow, list[TrialRow]]


def trial(place: int, grade: float, coverage: float | None, work: int = 10) -> TrialRow:
    told = (place, f"p{place}", grade, "4", "", "done", work, work, 0, 1, None, work)
    return TrialRow(*told, coverage, coverage, 1.0, False)


def cell(strategy: str, budget: str, trials: list[TrialRow], seed: int = 0) -> Held:
    plain = budget if budget == "unlimited" else str(Budget.parse(budget))
    one = Cell("engine", "engine m", "m", "task", "hash", strategy, plain, "", seed)
    return cell_row(one, trials, of=len(trials), draws=one.id), trials


def both(*held: Held) -> tuple[list[CellRow], dict[str, list[TrialRow]]]:
    return [row for row, _ in held], {row.id: trials for row, trials in held}


def rights(budget: str, strategy: str, right: int, of: int = 20, seed: int = 0) -> Held:
    return cell(strategy, budget, [trial(i, float(i < right), None) for i in range(of)], seed)


@pytest.mark.parametrize("budget", ["unlimited", "4k work", "1k work, 200 span, 8 calls"])
def test_a_cell_says_its_limits(budget: str) -> None:
    row, _ = cell("single", budget, [trial(0, 1.0, 1.0)])
    assert limits(row.budget) == (Budget() if budget == "unlimited" else Budget.parse(budget))


@dataclass
class Greedy(ScriptedEngine):
    """Bills every call for more than it was allowed."""

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        async with aclosing(super().stream(request, bill)) as chunks:
            async for chunk in chunks:
                yield chunk
        bill.usage += Usage(output_tokens=request.max_tokens)


def test_what_passed_its_budget_is_compared_with_nothing(tmp_path: Path) -> None:
    """It stands in tables; before, it was compared at a budget that it had not kept."""
    one = Rig(Greedy(chatter), str(tmp_path / "store.db"), tmp_path / "calls")
    strategies = ("single(max_tokens=60)", "self_consistency(n=4, max_tokens=60)")
    rows = anyio.run(lambda: one.sweep(strategies, ("60 work", "unlimited")))
    assert [row.status for row in rows] == ["over", "over", "done", "done"]
    assert all(row.work > 60 and row.graded == row.problems for row in rows[:2])
    trials = anyio.run(lambda: one.trials(rows))
    assert {found.budget for found in versus(rows, trials)} == {"unlimited"}
    assert {place.row.budget for place in places(rows)} == {"unlimited"}
    with pytest.raises(InputError, match="no cell is done"):
        versus(rows[:2], trials)
    asked = len(one.engine.requests)  # type: ignore[attr-defined]
    assert anyio.run(lambda: one.sweep(strategies, ("60 work", "unlimited"))) == rows
    assert len(one.engine.requests) == asked  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("budget", "more"),
    [
        ("9 work", {}),
        ("9 span", {}),
        ("3 prefill", {"prefill": 4}),
        ("1 calls", {"calls": 2}),
        ("$0.01", {"cost": 10**10 + 1}),
    ],
)
def test_a_run_is_over_by_any_of_its_limits(budget: str, more: dict[str, Any]) -> None:
    kept, passed = trial(0, 1.0, 1.0), replace(trial(1, 1.0, 1.0), **more)
    assert cell("single", budget, [kept, passed])[0].status == "over"
    assert cell("single", "unlimited", [kept, passed])[0].status == "done"


def test_two_problems_that_differ_are_not_decided() -> None:
    """Seeds without any spread: p was 0, and the verdict of two problems was that it held."""
    held = [
        rights("1k work", name, n, 2, seed) for seed in (0, 1) for name, n in (("a", 0), ("b", 2))
    ]
    [one] = versus(*both(*held))
    assert (one.difference, one.seeds, one.problems) == (1.0, 2, 2)
    assert one.low < 0
    assert one.p == pytest.approx(1 / 4)


def test_budgets_of_one_work_are_points_of_curves_of_their_own() -> None:
    """They were averaged to one point, though they differ in span."""
    wide, deep = "self_consistency(n=4)", "single"
    held = [
        rights(budget, strategy, right)
        for budget, ours, theirs in (
            ("1k work", 4, 8),
            ("4k work", 12, 8),
            ("1k work, 100 span", 4, 2),
            ("4k work, 100 span", 12, 2),
        )
        for strategy, right in ((deep, theirs), (wide, ours))
    ]
    [found] = overtaking(*both(*held))
    assert (found.beside, found.budgets) == ("", 2)
    assert found.crossover.budget == pytest.approx(2000)
    [plain] = overtaking(*both(*held[:4]))
    assert plain == found


def test_limits_that_grow_together_are_one_curve() -> None:
    held = [
        rights(budget, strategy, right)
        for budget, ours, theirs in (("1k work, 9k prefill", 4, 8), ("4k work, 36k prefill", 12, 8))
        for strategy, right in (("single", theirs), ("self_consistency(n=4)", ours))
    ]
    [found] = overtaking(*both(*held))
    assert (found.beside, found.budgets) == ("", 2)


def test_coverage_that_is_not_known_is_not_taken_for_none() -> None:
    """Too many different answers to be graded count as unknown, and not as not covered."""
    table = {n: [1 - 0.7**n, 1 - 0.9**n, 1 - 0.8**n] for n in (1, 2, 4, 8)}
    held = {
        n: cell(
            f"self_consistency(n={n})",
            "unlimited",
            [trial(i, 1.0, one) for i, one in enumerate(covered)],
        )
        for n, covered in table.items()
    }
    row, trials = held[8]
    unknown = [replace(trials[0], coverage=None, random=None), *trials[1:]]
    held[8] = cell(row.strategy, "unlimited", unknown)
    assert held[8][0].coverage is None
    assert held[8][0].random is None
    [law] = covering(*both(*held.values()))
    assert law.chains == (1, 2, 4)
    assert law.law.b == pytest.approx(
        fit_curve([1, 2, 4], np.array([table[n] for n in (1, 2, 4)]).T).b
    )
