"""How `auto` begins: its lines as engine and problem allow, its rule by what its library knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workspan.allocate.cold import Cold
from workspan.allocate.groups import Groups
from workspan.allocate.state import Policy, State
from workspan.budget import Budget
from workspan.session import Session
from workspan.strategies.adaptive.auto_fits import say_library
from workspan.strategies.adaptive.auto_library import planned, study_of
from workspan.strategies.adaptive.auto_lines import Lines
from workspan.types import Problem, Request
from workspan.verifiers.judge import Judge

if TYPE_CHECKING:
    from workspan.strategies.adaptive.auto import Auto


def open_lines(auto: Auto, problem: Problem, session: Session) -> Lines:
    """Open the lines; an answer that is a whole text, or a program, is not asked for early."""
    say_library(auto, problem, session)
    verifier = auto.verifier or (Judge() if problem.kind == "open" else None)
    logprobs = verifier is not None and "logprobs" in verifier.requires
    whole = Request(problem.prompt, "", auto.max_tokens, auto.temperature, logprobs=logprobs)
    can = "continue" in session.engine.capabilities
    ask = Request(problem.prompt, auto.probe, auto.probe_tokens, 0.0, stop=("\n",))
    is_asked = bool(can and auto.probe) and problem.kind not in ("open", "code")
    groups = Groups(problem.kind, session.same)
    return Lines(problem, whole, ask if is_asked else None, not can, verifier, auto.n, groups)


def rule_for(auto: Auto, state: State) -> Policy:
    """Make the rule for a run that begins at `state`: a library's if there is one."""
    budget = Budget(work=state.work_left, span=state.span_left)
    if auto.library:
        return planned(auto, study_of(auto.library, budget.work), budget)
    return cold(auto, width=8 if auto.prefers == "span" else 1)


def cold(auto: Auto, width: int = 1) -> Cold:
    """Make the rule that knows nothing of the model; arms need a verifier there."""
    is_judged = auto.verifier is not None
    arms = len(auto.arms) if is_judged else 0
    return Cold(auto.confidence, auto.floor, is_judged=is_judged, width=width, arms=arms)
