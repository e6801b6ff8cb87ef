"""What a claim is: a statement about a statistic, the line it must pass, and how it is measured."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from workspan.core.engine import Engine
from workspan.lab.map.rows import Kind
from workspan.spec.engines import open_engine

Verdict = Literal["holds", "fails", "undecided"]


@dataclass(frozen=True, slots=True)
class Setting:
    """How large and on what a claim is measured."""

    full: bool = False
    """The sizes that a paper would want, instead of those of seconds."""
    seed: int = 0
    weights: Path | None = None
    """The folder of another training run of a claim's own model; its packaged weights if None."""
    engine: Callable[[], Engine | Awaitable[Engine]] | None = None
    """Opens the engine whose model is judged, or is awaited for it; the claim's own if None."""

    def size(self, default: int, full: int) -> int:
        """Choose a size."""
        return full if self.full else default

    async def open(self, otherwise: str) -> Engine:
        """Open the engine whose model is judged; whoever opened it closes it.

        Args:
            otherwise: the claim's own, by its text.

        Raises:
            WorkspanError: see `engine_spec.open_engine`.
        """
        if self.engine is None:
            return await open_engine(otherwise)
        opened = self.engine()
        return await opened if inspect.isawaitable(opened) else opened


class Row(NamedTuple):
    """One line of what stands beside the statistic."""

    what: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out."""

    statistic: float
    low: float
    high: float
    """The 95 % interval of the statistic, over problems unless it says otherwise."""
    problems: int
    """In each cell."""
    rows: tuple[Row, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Claim:
    """A published statement, made measurable before it is measured.

    The rule is the same for all: the claim says that a statistic lies above a `line`. It holds if
    the statistic's 95 % interval lies above the line, fails if the interval lies at or below it,
    and is undecided if it holds the line.
    """

    name: str
    statement: str
    source: str
    design: str
    """Problems, strategies and matched budgets."""
    statistic: str
    """What must lie above the line, with its unit."""
    line: float
    on: str
    """What it is measured on, and what of that is simulated."""
    changes: str
    """What would change the verdict."""
    measure: Callable[[Setting], Measured]
    any_engine: bool = False
    """It can judge the model of any engine."""
    trains: bool = False
    """It needs PyTorch (its distribution's extra `train`) and minutes: by name only."""
    idea: str = ""
    """The node of the evidence map that it bears on, such as "parallel"; see `lab.map.ideas`."""
    budget: str = ""
    """What each side may spend on a problem, in short."""
    model: str = ""
    """Whose verdict it is, where no engine is named."""
    kind: Kind = "model"
    """Whether that is a model that people use, the reasoner trained here, or a program."""

    def verdict(self, found: Measured) -> Verdict:
        """Apply the rule."""
        if found.low > self.line:
            return "holds"
        return "fails" if found.high <= self.line else "undecided"

    def test(self, setting: Setting) -> Finding:
        """Measure it and judge."""
        began = time.perf_counter()
        found = self.measure(setting)
        return Finding(self, found, self.verdict(found), time.perf_counter() - began)


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim that was measured."""

    claim: Claim
    measured: Measured
    verdict: Verdict
    seconds: float
