"""A sweep's comparison as verdicts: each strategy against the base, adjusted for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from workspan.errors import WorkspanError
from workspan.lab.map.rows import Kind, Row, Word, this_machine
from workspan.lab.sweeping.comparing import Versus
from workspan.lab.sweeping.outcome import CellRow
from workspan.legible import counted
from workspan.registry.card import Card
from workspan.spec import parse_strategy

_IDEAS = {
    "parallel": "parallel",
    "sequential": "sequential",
    "hybrid": "hybrid",
    "adaptive": "hybrid",
    "evolutionary": "evolution",
    "retrieval": "retrieval",
}
"""The node of the map that a strategy of a family bears on."""
_LEVEL = 0.05


def compared(
    found: Sequence[Versus], cells: Sequence[CellRow], command: str, now: float
) -> list[Row]:
    """Make a row of each comparison.

    It held if the strategy is ahead, and came out against if it is behind, by an interval that
    leaves zero out and a p that is small after Holm's adjustment for all comparisons of the sweep.

    Args:
        found: the comparisons.
        cells: of the sweep: whose model each engine was.
        command: makes them again.
        now: in seconds of UTC's epoch.
    """
    of = {(cell.engine, cell.effort): cell for cell in cells}
    return [_row(one, of[one.engine, one.effort], command, now) for one in found]


def _row(one: Versus, cell: CellRow, command: str, now: float) -> Row:
    shared = " The two share draws: paired, and not independent." if one.shares_draws else ""
    seeds = counted(one.seeds, "seed")
    return Row(
        name=f"sweep: {one.strategy} over {one.base} on {one.task}",
        idea=_idea(one.strategy),
        claim=f"{one.strategy} is ahead of {one.base} on {one.task}.",
        source="a sweep of one's own",
        verdict=_word(one),
        statistic="accuracy of the first minus that of the second, same problems",
        line=0.0,
        found=one.difference,
        low=one.low,
        high=one.high,
        problems=one.problems,
        budget=one.budget,
        model=cell.model + (f", effort {one.effort}" if one.effort else ""),
        kind=_kind(cell.identity),
        command=command,
        measured=now,
        machine=this_machine(),
        why=f"p {one.p:.3g}, {one.p_holm:.3g} after Holm; {seeds}.{shared}",
    )


def _word(one: Versus) -> Word:
    if one.p_holm > _LEVEL:
        return "undecided"
    if one.low > 0:
        return "held"
    return "came out against" if one.high <= 0 else "undecided"


def _kind(identity: str) -> Kind:
    """Read off an engine's identity what answered."""
    if "no model" in identity:
        return "program"
    return "reasoner" if identity.partition(" ")[0] == "reasoner" else "model"


def _idea(strategy: str) -> str:
    """Return the idea of a strategy's family; of one that is not installed, none."""
    try:
        card = getattr(type(parse_strategy(strategy)), "card", None)
    except WorkspanError:
        return ""
    return _IDEAS.get(card.family, "") if isinstance(card, Card) else ""
