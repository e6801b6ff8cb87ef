"""Cells on the plane of breadth and depth, the path of those worth their work, and the phases."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.lab.sweeping.cell import Cell
from workspan.lab.sweeping.comparing import versus
from workspan.lab.sweeping.outcome import CellRow, TrialRow, cell_row
from workspan.lab.sweeping.phases import Phase, deepest, natural_depths, phases
from workspan.lab.sweeping.placing import efficient, levels, places, squares

DEEP, WIDE = "single", "self_consistency(n=4)"


def trial(place: int, *, right: bool, work: int, span: int, stop: str = "done") -> TrialRow:
    grade = float(right)
    told = (place, f"p{place}", grade, "4", "", stop, work, span, 0, 1, None, work)
    return TrialRow(*told, grade, grade, 1.0, False)


def cell(
    strategy: str, budget: str, rights: int, work: int, span: int, *, of: int = 40, cut: int = 0
) -> tuple[CellRow, list[TrialRow]]:
    """Make a cell of which `rights` problems are right and the first `cut` runs were cut."""
    one = Cell("engine", "engine m", "m", "task", "hash", strategy, budget, "", 0)
    stops = ["cut" if i < cut else "done" for i in range(of)]
    trials = [
        trial(i, right=i < rights, work=work, span=span, stop=stop) for i, stop in enumerate(stops)
    ]
    return cell_row(one, trials, of=of, draws=one.id, paid_by="s"), trials


def row(accuracy: float, work: float, span: float) -> CellRow:
    made, _ = cell(DEEP, "100 work", 1, 10, 10)
    return replace(made, accuracy=accuracy, work=work, span=span)


def test_a_cell_stands_at_work_over_span_and_span() -> None:
    [one] = places([row(0.5, 80, 20), replace(row(0.5, 8, 2), status="cut"), row(0.5, 0, 0)])
    assert (one.breadth, one.depth) == (4.0, 20)


def test_a_square_is_of_octaves_and_shows_its_best() -> None:
    found = squares(places([row(0.2, 80, 20), row(0.6, 90, 30), row(0.1, 64, 64)]))
    assert [(one.breadth, one.depth, one.best.accuracy, one.cells) for one in found] == [
        (1.0, 64.0, 0.1, 1),
        (2.0, 16.0, 0.6, 1),
        (4.0, 16.0, 0.2, 1),
    ]


def test_lines_stand_at_the_limits_else_at_octaves() -> None:
    assert levels([row(0.5, 80, 20)], "work") == [100]
    assert levels([row(0.5, 80, 20), row(0.5, 90, 70)], "span") == [16, 32, 64, 128]
    assert levels([], "span") == []


CELLS = st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(1, 20), st.integers(1, 20))


@given(st.lists(CELLS, max_size=12))
def test_nothing_off_the_path_is_better_for_as_little(cells: list[tuple[float, int, int]]) -> None:
    found = places([row(accuracy, work * span, span) for accuracy, work, span in cells])
    path = efficient(found)
    for one, then in pairwise(path):
        assert one.row.work < then.row.work
        assert (one.row.accuracy or 0) < (then.row.accuracy or 0)
    for place in found:
        assert any(
            one.row.work <= place.row.work and (one.row.accuracy or 0) >= (place.row.accuracy or 0)
            for one in path
        )


def test_the_base_is_the_least_parallel_whatever_it_gets() -> None:
    rows = [cell(WIDE, "100 work", 40, 80, 20)[0], cell(DEEP, "100 work", 0, 30, 30)[0]]
    assert deepest(rows) == DEEP
    assert deepest([replace(one, status="partial") for one in rows]) is None


def test_natural_depth_counts_what_was_cut_as_longer() -> None:
    few, few_trials = cell(DEEP, "50 work", 40, 20, 20)
    most, trials = cell(DEEP, "100 work", 40, 60, 60, cut=10)
    held = {few.id: few_trials, most.id: trials}
    assert natural_depths([few, most], held, DEEP) == {("engine", "task", ""): 60}
    trials[:] = [replace(one, stop="cut") for one in trials]
    assert natural_depths([few, most], held, DEEP) == {("engine", "task", ""): None}


@pytest.mark.parametrize(
    ("deep", "wide", "ahead"), [(10, 36, "breadth"), (36, 10, "depth"), (20, 21, "open")]
)
def test_who_is_ahead(deep: int, wide: int, ahead: str) -> None:
    [one] = _phases(deep, wide)
    assert one.ahead == ahead
    assert (one.work, one.natural, one.serial, one.of) == (100, 30, 7, 1)
    assert one.cell == cell(WIDE, "100 work", wide, 80, 20)[0].id
    assert one.ratio == pytest.approx(100 / 30)
    assert one.versus.difference == pytest.approx((wide - deep) / 40)


def _phases(deep: int, wide: int) -> list[Phase]:
    base, base_trials = cell(DEEP, "100 work", deep, 30, 30)
    other, trials = cell(WIDE, "100 work", wide, 80, 20)
    near, near_trials = cell("esc", "100 work", 40, 40, 30)  # not twice as parallel: no breadth
    rows = [base, other, near]
    held = {base.id: base_trials, other.id: trials, near.id: near_trials}
    return phases(rows, held, versus(rows, held, DEEP), {"task": 7})
