"""Strategies of which one run at the largest n holds every smaller one: shared draws.

The first k of n chains that are drawn side by side are those of a run with n = k: same keys, same
seeds, same requests. So a smaller cell is the same strategy run on the recorded calls of the larger
one, which asks nobody. Cells that share draws are not independent, and say so.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, replace

from workspan.core.engine import Bill, Engine, EngineInfo
from workspan.core.journal import Journal
from workspan.core.session import Strategy
from workspan.data.entry import Entry
from workspan.data.types import Chunk, Problem, Request
from workspan.errors import EngineError, EngineRejected
from workspan.lab.sweeping.cell import Cell, limits
from workspan.runner import run
from workspan.spec import parse_strategy, write

NESTED: dict[str, str] = {
    "self_consistency": "n",
    "best_of_n": "n",
    "weighted_best_of_n": "n",
    "weighted_vote": "n",
    "confidence_vote": "n",
}
"""By a strategy's name, the parameter that counts its chains. All chains are drawn at once, nothing
is asked of one that hangs on another, and the choice is made when all are there."""


@dataclass(frozen=True, slots=True)
class Family:
    """Cells that are run together: the first draws, the others share its draws where they can."""

    cells: tuple[Cell, ...]
    """From the largest to the smallest; most families are of one."""

    @property
    def largest(self) -> Cell:
        """The one that draws."""
        return self.cells[0]


def families(cells: Iterable[Cell]) -> list[Family]:
    """Put cells together that differ in their number of chains alone, in the order of the first."""
    found: dict[object, list[tuple[int, Cell]]] = {}
    for cell in cells:
        n, root = _rooted(cell)
        told = (cell.identity, cell.problems, root, cell.budget, cell.effort, cell.seed)
        found.setdefault(told, []).append((n, cell))
    return [
        Family(tuple(cell for _, cell in sorted(many, key=lambda one: -one[0])))
        for many in found.values()
    ]


def _rooted(cell: Cell) -> tuple[int, str]:
    """Return the number of chains and the strategy without it; itself where nothing is shared.

    A limit on seconds is one on this machine's time, which no recorded call tells.
    """
    strategy = parse_strategy(cell.strategy, imports=True)
    counted = NESTED.get(cell.strategy.partition("(")[0])
    is_timed = limits(cell.budget).seconds is not None
    if counted is None or is_timed:
        return 0, cell.strategy
    n: int = getattr(strategy, counted)
    return n, write(replace(strategy, **{counted: 1}))  # type: ignore[type-var]


def cut(entry: Entry) -> bool:
    """Tell whether a call was ended by the budget or the time, as its entry says."""
    return entry.outcome == "sample" and bool(entry.refused)


def drawn(entries: Iterable[Entry]) -> list[Entry]:
    """Return the calls that a run made and that nothing cut."""
    latest = {entry.key: entry for entry in entries}
    return [one for one in latest.values() if one.outcome == "sample" and not cut(one)]


async def reached(
    strategy: Strategy, problem: Problem, engine: Engine, seed: int, entries: Sequence[Entry]
) -> Journal | None:
    """Return a journal of those calls that a strategy makes; None where it would make others.

    A run owes all that its journal holds, so it is given no call but its own.
    """
    asked = NobodyAsked(engine)
    try:
        done = await run(strategy, problem, asked, seed=seed, journal=Journal(entries))
    except EngineError:
        return None
    if done.failures:
        return None
    keys = {call.key for call in done.trace if call.waited}
    return Journal(entry for entry in entries if entry.key in keys)


class NobodyAsked:
    """An engine that refuses every call: what is not among the draws is not shared."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def info(self) -> EngineInfo:
        """Be taken for the engine itself."""
        return self._engine.info

    async def count(self, request: Request) -> int:
        """Count as it does, without asking it for an answer."""
        return await self._engine.count(request)

    def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:  # noqa: ARG002
        """Refuse.

        Raises:
            EngineRejected: always.
        """
        raise EngineRejected("this call is not among the shared draws")

    async def aclose(self) -> None:
        """Leave the engine to whoever opened it."""
