"""What passed its budget stands beside no other as matched, and no profile passes for another's."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import anyio
import pytest
from rich.console import Console

from lab_rig import execute, tasks
from workspan.batch.compare import Comparison
from workspan.cli.comparison import table
from workspan.cli.replay import _table
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Message, Problem, Usage
from workspan.errors import InputError, SpecError
from workspan.lab.records import records
from workspan.lab.replay.held_out import Outcome
from workspan.lab.replay.methods import read_methods
from workspan.lab.replay.records import records as replay_records
from workspan.lab.replay.replay import Replayed, replay
from workspan.lab.report.caveats import caveats
from workspan.lab.report.comparison import render
from workspan.lab.report.replayed import render as render_replay
from workspan.recordings.recording import Chain, Recording
from workspan.runner import run
from workspan.spec import parse_strategy
from workspan.strategies.auto.fit.profile import Case, Profile, Record, write_profile
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.strategies.sequential.single import Single
from workspan.testing.scripted import ScriptedEngine

STRATEGIES: list[Strategy] = [Single(), SelfConsistency(n=3), SelfConsistency(n=2)]
BASE, THREE, TWO = "single", "self_consistency(n=3)", "self_consistency(n=2)"


def compared(*over: str, passed: str = "work") -> Comparison:
    """A comparison in which one run of each of these strategies passed a limit."""
    done = execute(STRATEGIES, tasks(4), ScriptedEngine(["Answer: 4"]), Budget(work=100))
    trials = list(done.trials)
    for name in over:
        i = next(i for i, one in enumerate(trials) if one.strategy == name)
        result = trials[i].result
        assert result is not None
        if passed == "stated":
            result = replace(result, overruns={"work": 3})
        elif passed == "span":
            result = replace(result, span=101)
        else:
            result = replace(result, usage=Usage(1, 5, 0, 90, 0, 11))  # 11 unseen after a cut
        trials[i] = replace(trials[i], result=None if passed == "lost" else result)
        if passed == "lost":
            trials[i] = replace(trials[i], usage=Usage(1, 5, 0, 101), grade=None, error="gone")
    budget = Budget(work=100, span=100)
    return replace(done, trials=tuple(trials), budget=budget)


def printed(shown: object) -> str:
    console = Console(width=140, file=(out := StringIO()))
    console.print(shown)
    return out.getvalue()


@pytest.mark.parametrize("passed", ["work", "span", "stated", "lost"])
def test_a_strategy_that_passed_its_budget_is_marked_and_matched_with_none(passed: str) -> None:
    done = compared(THREE, passed=passed)
    first, over, other = found = records(done)
    assert (first.over_budget, over.over_budget, other.over_budget) == (0, 1, 0)
    assert (over.difference, over.differs, over.difference_low) == (None, None, None)
    assert other.difference is not None
    assert f"{THREE} †" in printed(table(found, 140))
    assert "passed the budget: not matched" in printed(table(found, 140))
    said = " ".join(caveats(done, found))
    assert f"† passed its budget, 100 work, 100 span: {THREE} (1 run)" in said
    assert "no strategy that kept its budget differs from single" in said
    page = render(done)
    assert page.count("† passed the budget in 1 run: not matched") == 1
    assert "which those marked † passed" in page


def test_nothing_is_matched_with_a_base_that_passed_its_budget() -> None:
    done = compared(BASE)
    found = records(done)
    assert all(record.difference is None for record in found)
    assert "no verdict: single" in " ".join(caveats(done, found))
    assert "Differences on the same problems" not in render(done)
    done = compared(TWO, THREE)
    assert "no verdict: all but single" in " ".join(caveats(done, records(done)))


def test_what_kept_its_budget_bears_no_mark() -> None:
    done = compared()
    found = records(done)
    for text in (
        printed(table(found, 140)),
        render(done).replace("(†)", ""),
        *caveats(done, found),
    ):
        assert "†" not in text


def test_of_a_pooled_budget_the_sum_counts() -> None:
    done = replace(compared(), pooled=True)
    total = done.usage.amount.work // 3
    assert total < 100
    assert [one.over_budget for one in records(done)] == [0, 0, 0]
    done = replace(done, budget=Budget(work=done.trials[0].usage.work * 4 - 1))
    found = records(done)
    assert [one.over_budget for one in found] == [4, 4, 4]
    assert "the budget of all runs together" in " ".join(caveats(done, found))


def outcomes(name: str, works: list[float], budget: Budget, over: float = 0) -> list[Outcome]:
    return [
        Outcome(name, budget, "r", "m", "t", f"p{i}", float(i % 2), work, work / 2, 0.0, over)
        for i, work in enumerate(works)
    ]


def replayed(pooled: set[str], budget: Budget, **works: list[float]) -> Replayed:
    from workspan.lab.replay.folds import Folds

    found = [one for name, own in works.items() for one in outcomes(name, own, budget)]
    return Replayed((*works,), pooled, (budget,), tuple(found), Folds(), 0, 1, "tokens")


def test_a_pooled_mean_above_its_budget_is_matched_with_none() -> None:
    budget = Budget(work=100)
    done = replayed(
        {"best_fixed", "auto", "oracle"},
        budget,
        single=[90, 90],
        best_fixed=[150, 52],  # a mean of 101
        auto=[150, 50],  # one of 100: within
        oracle=[20, 20],
    )
    single, fixed, auto, oracle = found = replay_records(done)
    assert [one.over_budget for one in found] == [False, True, False, False]
    assert (fixed.difference, fixed.regret, fixed.gap_closed, fixed.area) == (None,) * 4
    assert auto.difference == 0
    assert auto.regret == 0
    assert auto.gap_closed is None  # there is no best fixed split to set it beside
    assert auto.area is not None
    shown = printed(_table(found, 140))
    assert "best_fixed* †" in shown
    assert "not matched" in shown
    page = render_replay(found)
    assert page.count("† above its budget: not matched") == 1
    assert single.difference is None
    assert oracle.regret == 0


def test_nothing_is_matched_with_a_first_that_is_above_its_budget() -> None:
    found = replay_records(
        replayed({"best_fixed"}, Budget(work=100), best_fixed=[150, 52], single=[90, 90])
    )
    assert [one.difference for one in found] == [None, None]
    found = replay_records(
        replayed({"auto"}, Budget(span=50), single=[90, 90], auto=[150, 52])  # spans 75 and 26
    )
    assert [one.over_budget for one in found] == [False, True]


PROBLEM = Problem.ask("2 + 2?", kind="number", id="p")


def profile(path: Path, model: str, unit: str = "tokens", kinds: tuple[str, ...] = ()) -> str:
    cases = tuple(Case((Record((3,), (0,), ended=True),) * 4, (0,)) for _ in range(4))
    write_profile(Profile(model, unit, cases, kinds=kinds), path)
    return str(path)


def solve(text: str) -> list[str]:
    async def main() -> list[str]:
        engine = ScriptedEngine(["Answer: 4"])
        try:
            result = await run(parse_strategy(text), PROBLEM, engine, budget=Budget(work=90))
        except InputError:
            assert engine.billed.calls == 0
            raise
        return [one.text for one in result.notices if one.code == "other_library"]

    return anyio.run(main)


OWN = "simulated (no model)"


def test_a_profile_of_the_model_is_used_without_a_word(tmp_path: Path) -> None:
    for model in (OWN, f"scripted {OWN}"):  # as a journal names it
        path = profile(tmp_path / "l.json", model, kinds=("number", "text"))
        assert solve(f"auto(profile={path!r})") == []


@pytest.mark.parametrize("form", ["auto(profile={!r})", "then(single, auto(profile={!r}))"])
def test_a_profile_of_another_model_is_refused_before_any_spend(tmp_path: Path, form: str) -> None:
    path = profile(tmp_path / "l.json", "other-7b")
    with pytest.raises(SpecError, match="is of 'other-7b', and the engine serves 'simulated"):
        solve(form.format(path))


def test_who_names_the_model_of_a_profile_may_use_it_and_is_told(tmp_path: Path) -> None:
    path = profile(tmp_path / "l.json", "other-7b")
    assert solve(f"auto(profile={path!r}, of='other-7b')") == [
        "the profile is of another model, other-7b"
    ]
    with pytest.raises(SpecError, match="other-7b"):
        solve(f"auto(profile={path!r}, of='yet-another')")


def test_a_profile_of_other_answers_or_in_characters_is_named(tmp_path: Path) -> None:
    path = profile(tmp_path / "l.json", OWN, kinds=("choice", "code"))
    assert solve(f"auto(profile={path!r})") == [
        "the profile knows answers of kind choice, code, not number"
    ]
    path = profile(tmp_path / "c.json", OWN, unit="characters")
    with pytest.raises(SpecError, match="counts characters"):
        solve(f"auto(profile={path!r})")


def test_a_replay_takes_a_profile_of_its_model_and_unit_only(tmp_path: Path) -> None:
    problems = tuple(Problem(f"p{i}", (Message("user", f"p{i}"),)) for i in range(4))
    chains = {one.id: (Chain((9,), ("4",)),) * 4 for one in problems}
    one = Recording("m", problems, chains, {problem.id: "4" for problem in problems})

    def replays(text: str) -> Replayed:
        return anyio.run(lambda: replay([one], read_methods(text), [Budget(work=90)], seeds=1))

    assert replays(f"auto(profile={profile(tmp_path / 'm', 'm')!r})").outcomes
    with pytest.raises(SpecError, match="is of 'n'"):
        replays(f"auto(profile={profile(tmp_path / 'n', 'n')!r})")
    with pytest.raises(InputError, match="counts characters, and the recording tokens"):
        replays(f"auto(profile={profile(tmp_path / 'c', 'm', 'characters')!r})")
