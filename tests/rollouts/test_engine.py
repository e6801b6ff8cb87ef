"""Rollouts on an account: charged exactly, held as a whole, cut and refused at their limits."""

from __future__ import annotations

import subprocess
import time
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from rollouts.rig import SAYS, TASK, need_a_sandbox, repository, roll, state
from workspan.app.rolling import Rolled, begin
from workspan.core.journal import Journal
from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.data.types import Amount, Request
from workspan.engines.rollout.engine import Command, Rollouts
from workspan.errors import (
    EngineError,
    InputError,
    SpecError,
    UnpricedModel,
    UnsupportedCapability,
)
from workspan.lab.estimating import estimate
from workspan.runner import run
from workspan.spec import parse_strategy
from workspan.testing.scripted import ScriptedEngine

MENDS = 'sed -i "s/x - 1/x + $((WORKSPAN_SEED % 5))/" f.py; '
KNOWN = Command(SAYS + MENDS, "file", tokens=100, prompt_tokens=50, cost=Decimal("0.05"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path / "mine")


def test_each_rollout_is_charged_what_it_says(folder: Path) -> None:
    before = state(folder)
    result = roll(KNOWN, folder, budget="1k work, $1, 500 prefill")
    usage = result.usage
    assert (usage.calls, usage.output_tokens, usage.prefill) == (3, 21, 30)
    assert (usage.cost, usage.source, result.span) == (Decimal("0.03"), "measured", 7)
    assert len({one.text for one in result.answer.candidates}) > 1
    assert all("+    return x + " in one.text for one in result.answer.candidates)
    assert state(folder) == before


def test_the_task_and_the_limits_are_told(folder: Path) -> None:
    says = 'cat > given; cmp given "$WORKSPAN_TASK" && env | grep ^WORKSPAN_ | sort > told'
    result = roll(Command(says, tokens=9, seconds=50), folder, "single")
    assert result.answer.best is not None
    diff = result.answer.best.text
    assert "+Make f right." in diff
    for name in ("SEED=", "TOKENS=9", "SECONDS=50", "TREE=/", "USAGE=/"):
        assert f"+WORKSPAN_{name}" in diff


@pytest.mark.parametrize(
    ("budget", "calls"), [("250 work", 2), ("$0.10", 2), ("59 prefill", 1), ("2 calls", 2)]
)
def test_a_rollout_is_held_as_a_whole(folder: Path, budget: str, calls: int) -> None:
    """Side by side no more than fit begin; what they give back lets others follow."""
    result = roll(KNOWN, folder, "best_of_n(n=2, verifier=answered)", budget=budget)
    assert result.usage.calls == calls
    assert result.overruns == {}


def test_what_they_give_back_lets_others_follow(folder: Path) -> None:
    result = roll(KNOWN, folder, "self_consistency(n=4)", budget="120 work")
    assert (result.usage.calls, result.work, result.stop) == (3, 21, "work")  # 3 * 7 + 100 > 120


def test_a_span_holds_no_second_one_after_another(folder: Path) -> None:
    result = roll(KNOWN, folder, "auto(n=4, verifier='sh:echo 0')", budget="105 span")
    assert (result.usage.calls, result.span) == (1, 7)


@pytest.mark.parametrize(
    ("budget", "error"),
    [
        ("9k work", UnsupportedCapability),
        ("9k span", UnsupportedCapability),
        ("9k prefill", UnsupportedCapability),
        ("$9", UnpricedModel),
    ],
)
def test_a_limit_on_what_nobody_knows_is_refused(
    folder: Path, budget: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match="state its most"):
        roll(Command("touch ran"), folder, budget=budget)


@pytest.mark.parametrize(
    "strategy",
    [
        "best_of_n(n=2)",
        "recursive_tournament(n=2)",
        "best(single)",
        "genselect(n=2)",
        "auto(n=2)",
        "mixture_of_agents",
    ],
)
def test_no_rollout_is_asked_to_judge(folder: Path, strategy: str) -> None:
    with pytest.raises(SpecError, match=r"patch_tests|name a model"):
        roll(Command("touch ran"), folder, strategy)


def test_its_answer_is_read_as_a_whole(folder: Path) -> None:
    async def main() -> None:
        engine = await Rollouts.begin(Command("true"), folder)
        try:
            problem = TASK.ask("Do it.", kind="number")
            with pytest.raises(InputError, match="kind is open"):
                await run(parse_strategy("single"), problem, engine)
        finally:
            await engine.aclose()

    anyio.run(main)


def test_one_that_says_nothing_is_charged_its_most_or_what_was_seen(folder: Path) -> None:
    stated = roll(Command("echo x > a", tokens=30, cost=Decimal("0.2")), folder, budget="99 work")
    assert (stated.work, stated.usage.cost) == (90, Decimal("0.6"))
    assert stated.usage.source == "estimated"
    unknown = roll(Command("echo x > a"), folder, "single")
    assert unknown.work == len(unknown.answer.candidates[0].text.encode())
    assert [notice.code for notice in unknown.notices] == ["no_usage"]
    assert unknown.usage.cost is None


def test_no_change_is_no_answer_and_a_failure_none_either(folder: Path) -> None:
    idle = roll(Command("true", tokens=5), folder, "single")
    assert idle.answer.best is None
    assert idle.work == 5
    with pytest.raises(EngineError, match=r"ended with 3: what\?"):
        roll(Command("echo 'what?' >&2; exit 3"), folder, "single")
    with pytest.raises(EngineError, match=r"ended with 3, and said nothing on stderr$"):
        roll(Command("exit 3"), folder, "single")
    some = "test $((WORKSPAN_SEED % 2)) = 1 && exit 4; echo x > a"
    result = roll(Command(some, tokens=5), folder, "self_consistency(n=8)")
    assert 0 < result.failures < 8
    assert result.usage.calls == 8
    assert result.usage.amount.work == 40  # failed ones are charged as well


def test_what_passes_its_most_while_it_runs_is_stopped(folder: Path) -> None:
    line = '{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":60}}'
    says = f"echo x > a; echo '{line}'; echo '{line}'; sleep 3141"
    result = roll(Command(says, "stdout", tokens=100), folder, "single", budget="100 work")
    (call,) = result.trace
    assert call.usage.output_tokens == 120  # two turns of 60
    assert result.overruns == {"work": 20}
    assert result.answer.candidates[0].text  # half a change is one, for tests to judge


@pytest.mark.parametrize(
    ("says", "limits", "kept"),
    [
        ("echo x > a; sleep 60", {"seconds": 1}, True),
        ("yes", {"output_mb": 0.1}, False),
    ],
)
def test_its_own_limits_end_it(
    folder: Path, says: str, limits: dict[str, float], kept: bool
) -> None:
    command = Command(says, tokens=9, **limits)  # type: ignore[arg-type]
    if kept:
        assert roll(command, folder, "single").work == 9
        return
    with pytest.raises(EngineError, match="wrote more"):
        roll(command, folder, "single")


SLEEPS = "sleep 3141 & setsid sleep 3142 & (setsid sh -c 'sleep 3143 & sleep 3144') & "


def sleepers() -> list[str]:
    told = subprocess.run(["pgrep", "-f", "^sleep 314[1-4]$"], capture_output=True, text=True)
    return told.stdout.split()


def test_nothing_that_it_started_outlives_it(folder: Path) -> None:
    roll(Command(SLEEPS + "sleep 0.3; echo x > a", tokens=1), folder, "single")
    assert not sleepers()


def test_a_cancelled_run_ends_all_and_is_charged_all_it_held(folder: Path) -> None:
    account, journal = Ledger(Budget(work=1000)), Journal(sink=lambda _: None)

    async def main() -> None:
        engine = await Rollouts.begin(Command(SLEEPS + "sleep 3141", tokens=100), folder)
        try:
            async with anyio.create_task_group() as group:

                async def go() -> None:
                    made = parse_strategy("self_consistency(n=2)")
                    await run(made, TASK, engine, account=account, journal=journal)

                group.start_soon(go)
                while len(sleepers()) < 10:  # noqa: ASYNC110  # other processes set no event
                    await anyio.sleep(0.05)
                group.cancel_scope.cancel()
            assert not sleepers()
        finally:
            await engine.aclose()

    anyio.run(main)
    assert account.held == Amount()
    assert account.spent.amount.work == 200
    assert (account.spent.output_tokens, account.spent.unseen_tokens) == (0, 200)
    assert journal.usage() == account.spent


def test_the_runs_own_seconds_end_it_too(folder: Path) -> None:
    began = time.monotonic()
    result = roll(Command("sleep 3141", tokens=9), folder, "single", budget="1s")
    assert time.monotonic() - began < 60
    assert (result.stop, result.answer.best) == ("seconds", None)
    assert not sleepers()


def test_a_resumed_run_does_no_finished_rollout_again(folder: Path, tmp_path: Path) -> None:
    count = tmp_path / "count"
    command = Command(f"echo x >> {count}; {SAYS}{MENDS}", "file", tokens=100)
    journal = Journal(sink=lambda _: None)
    first = roll(command, folder, "self_consistency(n=2)", journal=journal)
    again = Journal(journal.entries, sink=lambda _: None)
    more = roll(command, folder, "self_consistency(n=3)", budget="9k work", journal=again)
    assert count.read_text().count("x") == 3
    assert more.answer.candidates[:2] == first.answer.candidates
    assert more.usage.calls == 3


def test_a_plan_prices_rollouts_by_their_most(folder: Path) -> None:
    async def main() -> None:
        engine = await Rollouts.begin(KNOWN, folder)
        try:
            made = parse_strategy("self_consistency(n=3)")
            (need,) = (await estimate([made], [TASK], engine, budget=Budget(work=1000))).needs
            assert (need.calls.high, need.work.high, need.span.high) == (3, 300, 100)
            assert need.cost is not None
            assert need.cost.high == pytest.approx(0.15)
        finally:
            await engine.aclose()

    anyio.run(main)


def test_tests_choose_among_rollouts(folder: Path) -> None:
    need_a_sandbox()
    test = "python3 -c 'import f; assert f.f(1) == 3'"
    verifier = f"patch_tests(command={test!r}, folder={str(folder)!r})"
    result = roll(KNOWN, folder, f"best_of_n(n=8, verifier={verifier})")
    scores = [one.score for one in result.answer.candidates]
    right = ["x + 2" in one.text for one in result.answer.candidates]
    assert [score == 1 for score in scores] == right
    assert any(right)
    assert result.answer.best is not None
    assert result.answer.best.score == 1


def test_a_judge_of_its_own_chooses_by_summaries(folder: Path) -> None:
    def says(request: Request) -> str:
        asked = request.prompt[-1].text
        return "Choice: 2" if "Solution 2" in asked else f"It does {len(asked)}."

    judge = ScriptedEngine(says)

    async def main() -> Rolled:
        rolling = await begin("Make f right.", KNOWN, folder=folder, n=3, judge=judge)
        try:
            return await rolling.run("9k work")
        finally:
            await rolling.aclose()

    done = anyio.run(main)
    result = done.result
    assert result.strategy == "recursive_tournament(n=3, engine='judge')"
    different = {one.text for one in result.answer.candidates}
    assert len(different) > 1
    assert judge.billed.calls >= len(different) + 3  # a summary each, and three votes
    assert result.work == 21 + judge.billed.output_tokens
    assert done.diff == result.answer.candidates[1].text
    assert all("+    return x" in request.prompt[-1].text for request in judge.requests[:3])


def test_a_journal_belongs_to_the_whole_command_and_to_the_folder(folder: Path) -> None:
    async def named(command: str, place: Path) -> str:
        engine = await Rollouts.begin(Command(command), place)
        await engine.aclose()
        return engine.info.model

    long = "true " * 100
    first = anyio.run(named, long + "1", folder)
    assert anyio.run(named, long + "1", folder) == first
    assert anyio.run(named, long + "2", folder) != first
    (folder / "in").mkdir()
    (folder / "in" / "a").write_text("a\n")
    assert anyio.run(named, long + "1", folder) != first
    whole = anyio.run(named, long + "1", folder)
    assert anyio.run(named, long + "1", folder / "in") != whole


def test_keys_of_the_environment_that_it_prints_are_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-ant-aB3dE6gH9jK2mN5pQ8rS"
    monkeypatch.setenv("AGENT_API_KEY", key)
    monkeypatch.setenv("WORDY_TOKEN", "nothing")
    journal = Journal(sink=lambda _: None)
    says = "echo $AGENT_API_KEY, nothing; "
    roll(Command(says + MENDS), folder, "single", journal=journal)
    (said,) = [entry.sample.reasoning for entry in journal.entries if entry.sample is not None]
    assert said.strip() == "***, nothing"
    journal = Journal(sink=lambda _: None)
    with pytest.raises(EngineError, match=r"ended with 3: with \*\*\*$") as failed:
        roll(Command("echo with $AGENT_API_KEY >&2; exit 3"), folder, "single", journal=journal)
    assert key not in str(failed.value)
    assert key not in repr(journal.entries)
