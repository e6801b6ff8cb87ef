"""Other strategies as arms of `auto`: revision and evolution, by a profile or by a verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.journal import Journal
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.explanation import Explanation, Tried
from workspan.data.types import Problem, Request
from workspan.errors import DataError, EngineRejected, InputError, SpecError
from workspan.retrieval import Passage, search_tool
from workspan.runner import Result, run
from workspan.spec import parse_strategy, write
from workspan.strategies.auto.arms import arm_names
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import (
    Case,
    Once,
    Profile,
    Record,
    read_profile,
    write_profile,
)
from workspan.strategies.auto.policies.cold import FIRST, Cold
from workspan.strategies.auto.policies.state import NONE, Chain, State
from workspan.tasks import open_tasks
from workspan.testing.scripted import ScriptedEngine
from workspan.verifiers.plan_check import PlanCheck
from workspan_evidence.simulated.planner import SimulatedPlanner

CAP = 200
REVISION = f"sequential_revision(threads=2, turns=40, verifier=plan_check, max_tokens={CAP})"
EVOLUTION = f"mind_evolution(verifier=plan_check, max_tokens={CAP})"
PROBLEM = Problem.ask("What is 2 + 2?", kind="number")
LONG = "self_consistency(n=1, max_tokens=100)"
"""An arm for the scripted engine: one chain."""


class Shelf:
    """Gives one passage for every query."""

    async def search(self, queries: Sequence[str], top: int) -> list[list[Passage]]:
        return [[Passage(query, "Alba", "The harbour is old.", "notes.md:1")] for query in queries]


def why(result: Result) -> Explanation:
    assert result.answer.why is not None
    return result.answer.why


def plan(
    strategy: Auto, budget: str, problems: int = 6, journal: Journal | None = None
) -> list[Result]:
    tasks = open_tasks("trip_planning(cities=6)").load(problems, seed=5)
    engine = SimulatedPlanner.of([task.problem for task in tasks], follows=0.5)
    limits = Budget.parse(budget)

    async def main() -> list[Result]:
        return [
            await run(strategy, task.problem, engine, budget=limits, journal=journal)
            for task in tasks
        ]

    results = anyio.run(main)
    assert sum(result.work for result in results) == engine.billed.output_tokens
    return results


def profile(
    arms: Sequence[Strategy], path: Path, chains: Sequence[bool], by_arm: Sequence[bool]
) -> Path:
    """Write what is known: whether the chains of each problem are right, and whether the arm is.

    Chains take 10 tokens, the arm 30.
    """
    cases = tuple(
        Case(
            (Record((10,), (0,), ended=True),) * 4,
            (0,) if is_right else (1,),
            "t",
            (Once(30, 30, right),) * len(arms),
        )
        for is_right, right in zip(chains, by_arm, strict=True)
    )
    names = arm_names(tuple(arms))
    write_profile(Profile("simulated (no model)", "tokens", cases, arms=names), path)
    return path


def chains(words: int, answer: str) -> ScriptedEngine:
    return ScriptedEngine(lambda _: "think " * (words - 2) + f"Answer: {answer}")


def test_a_cold_run_gives_arms_their_tries_and_keeps_its_budget() -> None:
    arms = (parse_strategy(REVISION), parse_strategy(EVOLUTION))
    rule = Auto(arms=arms, verifier=PlanCheck(), max_tokens=CAP, probe="")
    results = plan(replace(rule, fitted=Cold(is_judged=True, block=100, arms=2)), "8k work")
    tried = [one for result in results for step in why(result).steps for one in step.tried]
    assert {one.arm for one in tried} == {0, 1}
    assert all(result.work <= 8000 and why(result).work == result.work for result in results)
    passed = [result for result in results if result.answer.best and result.answer.best.score == 1]
    assert len(passed) >= 3


def test_a_resumed_run_with_arms_tells_the_same() -> None:
    arms = (parse_strategy(REVISION),)
    rule = Cold(is_judged=True, block=100, arms=1)
    auto = Auto(arms=arms, verifier=PlanCheck(), max_tokens=CAP, probe="", fitted=rule)
    journal = Journal()
    tasks = open_tasks("trip_planning(cities=6)").load(1, seed=5)
    engine = SimulatedPlanner.of([task.problem for task in tasks], follows=0.5)

    async def once() -> Result:
        budget = Budget.parse("1k work")
        return await run(auto, tasks[0].problem, engine, budget=budget, journal=journal)

    first = anyio.run(once)
    billed = engine.billed.output_tokens
    again = anyio.run(once)
    assert engine.billed.output_tokens == billed
    assert (again.answer.text, again.answer.why) == (first.answer.text, first.answer.why)


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=40), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_arms_of_a_cold_run_never_take_more_than_twice_the_chains(
    sizes: list[int], arms: int
) -> None:
    rule = Cold(is_judged=True, block=16, arms=arms)
    chains: list[Chain] = []
    tried: list[Tried] = []
    for size in sizes:
        chains.append(Chain(size, ended=True))
        while (step := rule.decide(State(tuple(chains), tried=tuple(tried)))).action == "switch":
            tried.append(Tried(step.arm, step.block))
        had = sum(chain.depth for chain in chains)
        for arm in range(arms):
            own = [one.work for one in tried if one.arm == arm]
            assert sum(own) <= 2 * had
            assert bool(own) == (len(chains) >= FIRST)
            assert not own or had < 2 * own[-1]  # what takes w has had its try by 2 w


def test_a_profile_hands_on_what_chains_can_not_do(tmp_path: Path) -> None:
    arm = parse_strategy(LONG)
    known = profile([arm], tmp_path / "l.json", [False] * 20, [True] * 20)
    auto = Auto(arms=(arm,), profile=str(known), probe="", max_tokens=100)
    result = anyio.run(lambda: run(auto, PROBLEM, chains(30, "4"), budget=Budget(work=200)))
    steps = why(result).steps
    assert [step.action for step in steps] == ["switch", "stop"]
    assert steps[0].tried[0].work == 30
    assert (result.answer.text, result.work) == ("4", 30)
    assert steps[1].confidence == 1.0  # every run of the arm in the profile was right


def test_lines_are_kept_where_the_arm_is_no_better(tmp_path: Path) -> None:
    arm = parse_strategy(LONG)
    known = profile([arm], tmp_path / "l.json", [True] * 20, [True] * 20)
    auto = Auto(arms=(arm,), profile=str(known), probe="", max_tokens=100)
    result = anyio.run(lambda: run(auto, PROBLEM, chains(10, "4"), budget=Budget(work=200)))
    assert "switch" not in [step.action for step in why(result).steps]
    assert result.answer.text == "4"


def test_with_a_verifier_some_chains_are_tried_before_the_arm(tmp_path: Path) -> None:
    arm = parse_strategy(LONG)
    half = [True, False] * 10  # chains pass half of the problems, the arm the other half
    known = profile([arm], tmp_path / "l.json", half, [not one for one in half])
    refuses = PlanCheck()  # knows no plan in this answer: nothing passes
    auto = Auto(arms=(arm,), profile=str(known), verifier=refuses, probe="", max_tokens=100)
    engine = chains(10, "4")
    result = anyio.run(lambda: run(auto, PROBLEM, engine, budget=Budget(work=100)))
    actions = [step.action for step in why(result).steps]
    assert actions[:2] == ["widen", "switch"]  # half of the problems for 10 tokens, then for 30
    assert why(result).steps[1].gain == 1.0  # what no chain passed, the arm does
    assert result.work == engine.billed.output_tokens <= 100


def test_an_arm_that_fails_loses_nothing_that_was_found(tmp_path: Path) -> None:
    arm = parse_strategy("single(max_tokens=77, temperature=0.3)")
    known = profile([arm], tmp_path / "l.json", [True, False, False] * 10, [True] * 30)

    def script(request: Request) -> str:
        if request.temperature == 0.3:
            raise EngineRejected("this arm never works")
        return "think think Answer: 4"

    auto = Auto(arms=(arm,), profile=str(known), probe="", max_tokens=100, verifier=PlanCheck())
    result = anyio.run(lambda: run(auto, PROBLEM, ScriptedEngine(script), budget=Budget(work=200)))
    tried = [one for step in why(result).steps for one in step.tried]
    assert [(one.group, one.work) for one in tried] == [(NONE, 0)]  # it is not tried again
    assert result.answer.candidates
    assert result.work <= 200


def test_a_chain_stands_by_for_an_arm_that_fails(tmp_path: Path) -> None:
    arm = parse_strategy("single(max_tokens=77, temperature=0.3)")
    known = profile([arm], tmp_path / "l.json", [False] * 20, [True] * 20)

    def script(request: Request) -> str:
        if request.temperature == 0.3:
            raise EngineRejected("this arm never works")
        return "think think Answer: 4"

    auto = Auto(arms=(arm,), profile=str(known), probe="", max_tokens=100)
    result = anyio.run(lambda: run(auto, PROBLEM, ScriptedEngine(script), budget=Budget(work=200)))
    assert [step.action for step in why(result).steps][:2] == ["switch", "widen"]
    assert result.answer.text == "4"


def test_retrieval_is_an_arm_like_any_other(tmp_path: Path) -> None:
    arm = parse_strategy("retrieve(max_tokens=60)")
    known = profile([arm], tmp_path / "l.json", [False] * 20, [True] * 20)
    asked: list[str] = []

    def script(request: Request) -> str:
        if any("harbour is old" in turn.text for turn in request.prompt):
            return "<answer>Mirel</answer> Answer: Mirel"
        if any("<search>" in turn.text for turn in request.prompt):
            return '<search>["the harbour"]</search>'
        return "think think Answer: nobody"

    async def search(argument: str) -> str:
        asked.append(argument)
        return await search_tool(Shelf())(argument)

    question = Problem.ask("Who keeps the harbour?")
    auto = Auto(arms=(arm,), profile=str(known), probe="", max_tokens=60)
    result = anyio.run(
        lambda: run(
            auto,
            question,
            ScriptedEngine(script),
            budget=Budget(work=200),
            tools={"search": search},
        )
    )
    assert asked
    assert result.answer.text == "Mirel"
    with pytest.raises(InputError, match="corpus"):  # checked before any spend
        anyio.run(lambda: run(auto, question, ScriptedEngine(script), budget=Budget(work=200)))


def test_arms_that_nobody_knows_are_refused_before_any_spend(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="a profile calibrated with them, or a verifier"):
        parse_strategy(f"auto({LONG})")
    other = profile([parse_strategy("single")], tmp_path / "l.json", [True] * 5, [True] * 5)
    with pytest.raises(SpecError, match="calibrate with these arms again"):
        parse_strategy(f"auto({LONG}, profile={str(other)!r})")
    assert parse_strategy(f"auto(profile={str(other)!r})")  # chains alone are known as well


def test_arms_have_a_written_form() -> None:
    text = f"auto({REVISION}, {EVOLUTION}, verifier=plan_check, probe='')"
    auto = parse_strategy(text)
    assert isinstance(auto, Auto)
    assert len(auto.arms) == 2
    assert parse_strategy(write(auto)) == auto


def test_a_profile_with_arms_is_read_back_and_an_unsound_one_refused(tmp_path: Path) -> None:
    arm = parse_strategy(LONG)
    path = profile([arm], tmp_path / "l.json", [True] * 3, [False] * 3)
    found = read_profile(path)
    assert found.arms == (repr(arm),)
    assert found.problems[0].arms == (Once(30, 30, right=False),)
    broken = replace_case(found, (Once(-1, 0, right=True),))
    write_profile(broken, path)
    with pytest.raises(DataError, match="an arm that can't be"):
        read_profile(path)


def replace_case(found: Profile, arms: tuple[Once, ...]) -> Profile:
    first, *rest = found.problems
    return msgspec.structs.replace(
        found, problems=(msgspec.structs.replace(first, arms=arms), *rest)
    )
