"""The plan verifier: the evaluator's verdict and its words, at no cost."""

from __future__ import annotations

from typing import cast

import anyio
import pytest

from workspan.core.session import Score, Session
from workspan.data.types import Answer, Candidate, Message, Problem
from workspan.errors import VerifierError
from workspan.planning import dump
from workspan.planning.calendar import Busy, Calendar
from workspan.runner import run_sync
from workspan.spec import parse_strategy
from workspan.testing.scripted import ScriptedEngine
from workspan.verifiers.plan_check import PlanCheck

CALENDAR = Calendar(("Monday",), 60, (Busy("Ann", "Monday", 540, 720),))
PROBLEM = Problem("p", (Message("user", "When?"),), "open", dump(CALENDAR))


def best_of(*texts: str) -> Answer:
    strategy = parse_strategy(f"best_of_n(n={len(texts)}, verifier=plan_check)")
    return run_sync(strategy, PROBLEM, ScriptedEngine(texts)).answer


def test_the_best_of_three_plans_is_the_one_that_solves() -> None:
    best = best_of("Monday, 9:00 - 10:00", "Monday, 13:00 - 14:00", "no idea").best
    assert best
    assert best.text.strip() == "Monday, 13:00 - 14:00"
    assert best.score == 1
    assert best.feedback == "The plan satisfies every constraint."


def test_a_plan_that_fails_is_told_why() -> None:
    best = best_of("Monday, 9:00 - 10:00").best
    assert best
    assert best.score == 0.5
    assert "Ann can't meet on Monday from 9:00 to 12:00." in best.feedback


def test_a_text_without_a_plan_scores_nothing() -> None:
    best = best_of("whenever you like").best
    assert best
    assert best.score == 0


def test_a_problem_without_an_instance_is_the_verifiers_error() -> None:
    async def judged() -> Score:
        candidate = Candidate("now", "now")
        return await PlanCheck()(Problem.ask("When?"), candidate, cast("Session", None))

    with pytest.raises(VerifierError, match="problem question: there is no metadata"):
        anyio.run(judged)
