"""One budget for many problems: hard, and what the easy ones leave goes to the hard ones."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from lab_rig import tasks
from workspan.batch.compare import Comparison
from workspan.batch.pooling import pool
from workspan.data.budget import Budget
from workspan.data.entry import Header
from workspan.data.types import Message, Problem, Request
from workspan.errors import InputError
from workspan.lab.calibrating import calibrate
from workspan.recordings.recording import Chain, Recording
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.strategies.auto.fit.profile import write_profile
from workspan.testing.scripted import ScriptedEngine


def mixed(request: Request) -> str:
    """Answer 4 at once to even problems, and something else each time to odd ones, at length."""
    number = int(request.prompt[-1].text.split()[1].rstrip(":"))
    if number % 2 == 0:
        return "Answer: 4"
    if request.prefix.endswith("Answer:"):
        return str(request.seed % 997)
    return "so " * 40 + f"Answer: {request.seed % 997}"


def execute(
    text: str, n: int, work: int, journal: Path | None = None, engine: ScriptedEngine | None = None
) -> Comparison:
    async def main(journals: JournalFile | None) -> Comparison:
        plan, budget = parse_strategy(text), Budget(work=work)
        used = engine or ScriptedEngine(mixed)
        return await pool([plan], tasks(n), used, budget=budget, journals=journals)

    if journal is None:
        return anyio.run(main, None)
    with JournalFile(journal, Header("scripted", 0)) as journals:
        return anyio.run(main, journals)


def works(done: Comparison) -> list[int]:
    return [trial.usage.work for trial in done.trials]


def test_the_total_is_never_passed() -> None:
    for work in (30, 200, 1000, 3000):
        assert sum(works(execute("auto", 12, work))) <= work


def test_hard_problems_are_given_what_easy_ones_leave() -> None:
    spent = works(execute("auto", 12, 2400))
    easy, hard = spent[::2], spent[1::2]
    assert max(easy) < 20
    assert max(hard) > 200  # the mean


def test_problems_below_the_floor_are_abstained_on() -> None:
    done = execute("auto(floor=0.9)", 4, 1200)
    answers = [trial.result.answer.text for trial in done.trials if trial.result]
    assert answers == ["4", None, "4", None]


def test_a_resumed_batch_asks_nothing_again(tmp_path: Path) -> None:
    first = execute("auto", 10, 900, tmp_path / "run.jsonl")
    engine = ScriptedEngine(mixed)
    again = execute("auto", 10, 900, tmp_path / "run.jsonl", engine)
    assert engine.billed.calls == 0
    assert works(again) == works(first)


def test_a_profile_gives_one_plan_for_the_mean(tmp_path: Path) -> None:
    problems = tuple(Problem(f"p{i}", (Message("user", f"p{i}"),), "number") for i in range(8))
    chains = {
        problem.id: tuple(Chain((20, 40 + i + j), ("7", "4")) for j in range(8))
        for i, problem in enumerate(problems)
    }
    one = Recording(
        "simulated (no model)", problems, chains, {problem.id: "4" for problem in problems}
    )
    write_profile(calibrate([one]), tmp_path / "profile.json")
    text = f"auto(profile={str(tmp_path / 'profile.json')!r})"
    assert sum(works(execute(text, 9, 600))) <= 600


def test_what_can_not_be_pooled_is_refused() -> None:
    with pytest.raises(InputError, match="auto alone"):
        execute("single", 2, 100)
    with pytest.raises(InputError, match="limit on work"):
        anyio.run(
            lambda: pool([parse_strategy("auto")], tasks(1), ScriptedEngine(mixed), budget=Budget())
        )
