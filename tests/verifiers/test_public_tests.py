from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import anyio
import pytest

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Answer, Candidate, Message, Problem
from workspan.errors import SandboxUnavailable, VerifierError
from workspan.runner import run
from workspan.sandbox import available
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.testing.scripted import ScriptedEngine
from workspan.verifiers.tests import PublicTests

TESTS = "assert twice(2) == 4\n\nassert twice('a') == 'aa'\nassert twice(0.5) == 1\n"
PROBLEM = Problem("twice", (Message("user", "Write twice(x)."),), "code", {"tests": TESTS})
RIGHT = "def twice(x):\n    return x * 2"


@pytest.fixture(autouse=True)
def _sandbox() -> None:
    try:
        available()
    except SandboxUnavailable as error:
        pytest.skip(str(error))


class Judged:
    """A strategy that keeps what the verifier says of one program."""

    requires: ClassVar[frozenset[Capability]] = frozenset()

    def __init__(self, program: str | None) -> None:
        self.program = program
        self.score: Score | None = None

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        candidate = Candidate("", self.program)
        self.score = await PublicTests(seconds=2.0)(problem, candidate, session)
        return Answer(candidate)


def judge(program: str | None, problem: Problem = PROBLEM) -> Score:
    strategy = Judged(program)

    async def go() -> None:
        await run(strategy, problem, ScriptedEngine(["unused"]))

    anyio.run(go)
    assert strategy.score is not None
    return strategy.score


@pytest.mark.parametrize(
    ("program", "passed", "reason"),
    [
        (RIGHT, 3, "passed, passed, passed"),
        ("def twice(x):\n    return x + 2", 1, "passed, error, error"),
        ("def twice(x) return", 0, "error, error, error"),
        ("import os\nos._exit(0)", 0, "ended early, ended early, ended early"),
        ("twice = lambda x: bytearray(10 << 30)", 0, "memory, memory, memory"),
        (None, 0, "no program"),
    ],
)
def test_the_score_is_the_share_of_tests_passed(
    program: str | None, passed: int, reason: str
) -> None:
    score = judge(program)
    assert score == Score(passed / 3, reason)


def test_a_machine_without_a_sandbox_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    available.cache_clear()
    with pytest.raises(SandboxUnavailable, match="apt install bubblewrap"):
        judge(RIGHT)


def test_a_problem_without_tests_gets_no_verdict() -> None:
    with pytest.raises(VerifierError, match="shows no tests"):
        judge(RIGHT, Problem.ask("?", kind="code"))


def test_the_best_program_is_taken() -> None:
    engine = ScriptedEngine(
        ["twice = lambda x: 4", "I can not.", "twice = lambda x: x * 2", "twice = lambda x: 4"]
    )

    async def go() -> Answer:
        return (await run(BestOfN(n=4, verifier=PublicTests()), PROBLEM, engine)).answer

    answer = anyio.run(go)
    assert answer.best is not None
    assert answer.best.score == 1
    assert answer.text == "twice = lambda x: x * 2"
