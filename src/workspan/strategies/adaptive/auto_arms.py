"""The arms of `auto`: other strategies, each of which a library must know or a verifier judge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workspan.allocate.state import NONE, Decision
from workspan.budget import Budget
from workspan.errors import EngineError
from workspan.explanation import Tried
from workspan.session import Session, Strategy
from workspan.strategies.adaptive.auto_answers import drafts
from workspan.strategies.adaptive.auto_library import known
from workspan.strategies.adaptive.auto_lines import Lines

if TYPE_CHECKING:
    from workspan.strategies.adaptive.auto import Auto


async def switch(arm: Strategy, decision: Decision, lines: Lines, session: Session) -> None:
    """Let an arm go on from what was found, with a part of the budget.

    One that fails has no answer. What it scored itself is not believed: a pass is one of the run's
    own verifier.
    """
    with session.child(Budget(work=decision.block)) as part:
        try:
            best = (await part.attempt(arm, lines.problem, drafts=drafts(lines))).best
        except EngineError:
            best = None
        left = part.left().work
    if best is not None and lines.verifier is not None:
        plain = replace(best, score=None)
        [best] = await session.score(lines.verifier, lines.problem, [plain])
    is_refuted = best is None or (lines.verifier is not None and best.score == 0)
    group = NONE if is_refuted or best is None else lines.groups.number(best.answer)
    score = best.score if best is not None and lines.verifier is not None else None
    work = decision.block - (left or 0)
    lines.tried.append(Tried(decision.arm, work, group, score))
    lines.found.append(best)


def check_arms(auto: Auto) -> None:
    """Refuse arms of which nothing says what they are worth.

    Raises:
        DataError: the library can't be read.
        ValueError: the library knows other arms, or there is none and no verifier.
    """
    library = known(auto.library)
    if not auto.arms or auto.fitted is not None:
        return
    if library is None and auto.verifier is None:
        raise ValueError("arms need a library calibrated with them, or a verifier to judge them")
    if library is not None and library.arms != arm_names(auto):
        has = ", ".join(library.arms) or "no arms"
        raise ValueError(f"the library {auto.library} knows {has}: calibrate with these arms again")


def arm_names(auto: Auto) -> tuple[str, ...]:
    """Return the arms with every dial, as a library names them."""
    return tuple(map(repr, auto.arms))
