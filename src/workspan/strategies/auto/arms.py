"""The arms of `auto`: other strategies, each of which a profile must know or a verifier judge."""

from __future__ import annotations

from dataclasses import replace

from workspan.core.session import Session, Strategy
from workspan.data.budget import Budget
from workspan.data.explanation import Tried
from workspan.errors import EngineError
from workspan.strategies.auto.answers import drafts
from workspan.strategies.auto.chains import Chains
from workspan.strategies.auto.policies.state import NONE, Decision
from workspan.strategies.auto.profile import known


async def switch(arm: Strategy, decision: Decision, chains: Chains, session: Session) -> None:
    """Let an arm go on from what was found, with a part of the budget.

    One that fails has no answer. What it scored itself is not believed: a pass is one of the run's
    own verifier.
    """
    with session.child(Budget(work=decision.block)) as part:
        try:
            best = (await part.attempt(arm, chains.problem, drafts=drafts(chains))).best
        except EngineError:
            best = None
        left = part.left().work
    if best is not None and chains.verifier is not None:
        plain = replace(best, score=None)
        [best] = await session.score(chains.verifier, chains.problem, [plain])
    is_refuted = best is None or (chains.verifier is not None and best.score == 0)
    group = NONE if is_refuted or best is None else chains.groups.number(best.answer)
    score = best.score if best is not None and chains.verifier is not None else None
    work = decision.block - (left or 0)
    chains.tried.append(Tried(decision.arm, work, group, score))
    chains.found.append(best)


def check_arms(arms: tuple[Strategy, ...], path: str, *, is_judged: bool) -> None:
    """Refuse arms of which nothing says what they are worth.

    Args:
        arms: in order.
        path: of the profile; "" where there is none.
        is_judged: a verifier tells good ends from bad ones.

    Raises:
        DataError: the profile can't be read.
        ValueError: the profile knows other arms, or there is none and no verifier.
    """
    profile = known(path)
    if not arms:
        return
    if profile is None and not is_judged:
        raise ValueError("arms need a profile calibrated with them, or a verifier to judge them")
    if profile is not None and profile.arms != arm_names(arms):
        has = ", ".join(profile.arms) or "no arms"
        raise ValueError(f"the profile {path} knows {has}: calibrate with these arms again")


def arm_names(arms: tuple[Strategy, ...]) -> tuple[str, ...]:
    """Return the arms with every dial, as a profile names them."""
    return tuple(map(repr, arms))
