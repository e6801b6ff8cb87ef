"""A claim that was measured as a row of the evidence map, with the command that repeats it."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from workspan.claims.base import Finding, Setting, Verdict
from workspan.core.engine import Engine, EngineInfo
from workspan.lab.map.rows import Kind, Part, Row, Word, sound, this_machine

WORDS: dict[Verdict, Word] = {
    "holds": "held",
    "fails": "came out against",
    "undecided": "undecided",
}
_NO_MODEL = "no model"
"""What engines that stand in for one say of themselves."""


@dataclass
class Noted:
    """Opens an engine for a claim, and notes whose it was."""

    open: Callable[[], Engine | Awaitable[Engine]]
    info: EngineInfo | None = field(default=None, init=False)

    async def __call__(self) -> Engine:
        """Open it.

        Raises:
            WorkspanError: it can't be opened.
        """
        opened = self.open()
        engine = await opened if inspect.isawaitable(opened) else opened
        self.info = engine.info
        return engine

    def __hash__(self) -> int:
        """Stand for itself: what was measured on one opener is kept for it."""
        return id(self)

    __eq__ = object.__eq__

    @property
    def kind(self) -> Kind:
        """What it was."""
        assert self.info is not None  # a claim was measured on it
        if _NO_MODEL in f"{self.info.name} {self.info.model}":
            return "program"
        return "reasoner" if self.info.name == "reasoner" else "model"


def row_of(
    found: Finding, setting: Setting, now: float, *, engine: str = "", model: str | None = None
) -> Row:
    """Flatten a finding for the store.

    Args:
        found: what came out.
        setting: what it was measured under; its engine is a `Noted` where there is one.
        now: when, in seconds of UTC's epoch.
        engine: the text of the engine that was named, as the command had it.
        model: and of the model.
    """
    claim, measured = found.claim, found.measured
    judged = setting.engine if isinstance(setting.engine, Noted) else None
    is_other = judged is not None and judged.info is not None
    return Row(
        name=claim.name,
        idea=claim.idea,
        claim=claim.statement,
        source=claim.source,
        verdict=WORDS[found.verdict],
        statistic=claim.statistic,
        line=claim.line,
        found=sound(measured.statistic),
        low=sound(measured.low),
        high=sound(measured.high),
        problems=measured.problems,
        budget=claim.budget,
        model=_model(judged) if judged is not None and is_other else claim.model,
        kind=judged.kind if judged is not None and is_other else claim.kind,
        command=command(claim.name, setting, engine, model),
        measured=now,
        machine=this_machine(),
        why=f"Would change it: {claim.changes}.",
        parts=tuple(Part(*one) for one in measured.rows),
    )


def command(name: str, setting: Setting, engine: str = "", model: str | None = None) -> str:
    """Write the command that measures a claim again."""
    words = ["workspan", "claims", name]
    if setting.full:
        words.append("--full")
    if setting.seed:
        words += ["--seed", str(setting.seed)]
    if setting.weights is not None:
        words += ["--weights", setting.weights.name]
    if engine:
        words += ["--engine", engine]
    if model:
        words += ["--model", model]
    return shlex.join(words)


def _model(judged: Noted) -> str:
    assert judged.info is not None
    return judged.info.model
