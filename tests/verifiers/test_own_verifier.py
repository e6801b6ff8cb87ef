"""Verifiers of the user's own: functions and commands, what they are given, and what fails."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

import workspan as ws
from workspan.boundary.shell import ask
from workspan.core.session import Session
from workspan.data.types import Candidate, Problem, Request
from workspan.runner import run
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.verifier_suite import Judged, check_verifier
from workspan.verifiers.own import CommandVerifier, FunctionVerifier, own_verifier

PROBLEM = Problem.ask("2 + 2?", id="p'; rm -rf x", kind="number")
TRICKY = "$(touch owned) `touch owned` '; touch owned; echo '\x00 4\nAnswer: 4"


def judged(verifier: Any, *texts: str) -> ws.Result:
    """Have texts judged in a run."""
    strategy = Judged(verifier, tuple(Candidate(text, "4") for text in texts or ("Answer: 4",)))

    async def main() -> ws.Result:
        return await run(strategy, PROBLEM, ScriptedEngine(["one two"]))

    return anyio.run(main)


def score(verifier: Any, *texts: str) -> float | None:
    return judged(verifier, *texts).answer.candidates[0].score


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (0.25, 0.25),
        (True, 1.0),
        (0, 0.0),
        ({"score": 0.5, "reason": "so"}, 0.5),
        (ws.Score(0.75, "so"), 0.75),
        (None, None),
        ({"score": None}, None),
        ({"verdict": 1}, None),
        (1.5, None),
        (-0.1, None),
        (float("nan"), None),
        ("1", None),
        ([1], None),
    ],
)
def test_a_function_gives_a_score_or_no_verdict(given: object, wanted: float | None) -> None:
    def check(problem: Problem, candidate: Candidate) -> object:
        assert (problem.id, candidate.answer) == (PROBLEM.id, "4")
        return given

    async def later(problem: Problem, candidate: Candidate) -> object:
        return check(problem, candidate)

    for call in (check, later):
        result = judged(own_verifier(call))
        assert result.answer.candidates[0].score == wanted
        assert (wanted is None) == ("no_verdict" in {one.code for one in result.notices})


def test_a_function_that_fails_is_no_verdict_and_is_named() -> None:
    def check(problem: Problem, candidate: Candidate) -> float:
        raise KeyError("no such\nunit")

    result = judged(FunctionVerifier("mine:check", check))
    (notice,) = result.notices
    assert "mine:check failed: KeyError" in notice.text
    assert "\n" not in notice.text


def test_a_function_that_takes_too_long_is_no_verdict() -> None:
    async def check(problem: Problem, candidate: Candidate) -> float:
        await anyio.sleep_forever()
        return 1.0

    assert score(own_verifier(check, seconds=0.05)) is None


def test_a_function_with_a_session_asks_on_the_account() -> None:
    async def check(problem: Problem, candidate: Candidate, session: Session) -> float:
        reply = await session.sample(Request(problem.prompt, max_tokens=8))
        return float(reply.text.split() == ["one", "two"])

    result = judged(own_verifier(check))
    assert result.answer.candidates[0].score == 1
    assert (result.usage.calls, result.work) == (1, 2)
    check_verifier(FunctionVerifier("mine:check", check))


def test_a_command_is_given_json_and_nothing_in_its_arguments(tmp_path: Path) -> None:
    kept, arguments = tmp_path / "asked.json", tmp_path / "arguments"
    command = f"cat > {kept}; tr '\\0' ' ' < /proc/$$/cmdline > {arguments}; echo 0.5"
    assert score(CommandVerifier(command), TRICKY) == 0.5
    asked = json.loads(kept.read_text())
    assert asked == {
        "problem": PROBLEM.id,
        "question": PROBLEM.prompt[-1].content,
        "kind": "number",
        "metadata": {},
        "text": TRICKY,
        "answer": "4",
    }
    assert "touch owned" not in arguments.read_text()
    assert not Path("owned").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("cat > /dev/null; echo broken >&2; exit 3", "ended with 3: broken"),
        ("exit 1", "ended with 1"),
        ("echo right", "wrote 'right"),
        ("true", "wrote ''"),
        ("echo 7", "gave 7: a score is a number from 0 to 1"),
        ("echo null", "gave no verdict"),
        ('echo \'{"reason": "no unit"}\'', "gave no verdict: no unit"),
        ("yes", "wrote more than 1,000,000 bytes"),
        ("no-such-command-here", "ended with 127"),
        ("printf '\\033[31m0.5\\033[0m'", "and no score"),
    ],
)
def test_a_command_that_gives_no_score_is_no_verdict(command: str, said: str) -> None:
    result = judged(CommandVerifier(command))
    assert result.answer.candidates[0].score is None
    (notice,) = result.notices
    assert said in notice.text
    assert "\x1b" not in notice.text


@pytest.mark.parametrize("command", ["echo 1", "grep -q 4 && echo 1", "cat > /dev/null; echo 1"])
def test_a_command_need_not_read_what_it_is_given(command: str) -> None:
    assert score(CommandVerifier(command), "Answer: 4 " + "x" * 300_000) == 1


def test_what_a_command_started_ends_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    command = f"sleep 600 & echo $! > {mark}; wait"

    async def until(is_so: Callable[[], bool]) -> None:
        while not is_so():  # noqa: ASYNC110  # of another process: there is no event to wait for
            await anyio.sleep(0.01)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(partial(ask, command, b"", seconds=600))
            await until(lambda: mark.exists() and mark.read_text().endswith("\n"))
            group.cancel_scope.cancel()  # now and then before `ask` knows that it has begun
        await until(lambda: not _is_running(int(mark.read_text())))

    for _ in range(5):
        mark.unlink(missing_ok=True)
        anyio.run(main)


def test_a_command_that_takes_too_long_is_no_verdict() -> None:
    result = judged(CommandVerifier("sleep 600", seconds=0.05))
    assert result.answer.candidates[0].score is None
    assert "took more than 0.05 seconds" in result.notices[0].text


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_best_of_n_falls_back_to_the_vote_without_a_verdict() -> None:
    async def main() -> ws.Result:
        engine = ScriptedEngine(["Answer: 4", "Answer: 5", "Answer: 5"])
        strategy = ws.BestOfN(n=3, verifier=CommandVerifier("exit 1"))
        return await run(strategy, PROBLEM, engine)

    result = anyio.run(main)
    assert result.answer.text == "5"
    assert {one.code for one in result.notices} == {"no_verdict"}
