"""`auto` with a profile of whole samples: it stops when a further vote is not worth its price."""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path

import anyio

from workspan.core.engine import Capability, EngineInfo
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.runner import Result, run
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import Case, Profile, Record, write_profile
from workspan.strategies.auto.policies.state import State
from workspan.strategies.auto.policies.votes import VoteRule
from workspan.testing.scripted import ScriptedEngine
from workspan.verifiers.judge import Judge

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def profile(path: Path, *, right: tuple[int, ...] | None = None) -> str:
    """Write the samples of problems of which most are nearly unanimous, some split in two."""
    rng = random.Random(0)
    cases = []
    for i in range(60):
        p = 0.95 if i % 3 else 0.6
        said = [0 if rng.random() < p else 1 for _ in range(16)]
        cases.append(Case(tuple(Record((20,), (x,), ended=True) for x in said), right))
    write_profile(Profile("simulated (no model)", "tokens", tuple(cases)), path)
    return str(path)


class Whole(ScriptedEngine):
    """Can't continue a text."""

    @property
    def info(self) -> EngineInfo:
        nothing: frozenset[Capability] = frozenset()
        return EngineInfo("whole", "simulated (no model)", capabilities=nothing, concurrency=64)


def solve(auto: Auto, answers: str, budget: Budget | None = None) -> Result:
    """Run on chains whose answers are these digits in turn, over and over."""
    turn = count()

    def script(_: Request) -> str:
        return f"think think Answer: {answers[next(turn) % len(answers)]}"

    return anyio.run(lambda: run(auto, PROBLEM, Whole(script), budget=budget))


def test_samples_are_drawn_one_by_one_until_the_vote_has_settled(tmp_path: Path) -> None:
    auto = Auto(profile=profile(tmp_path / "votes.json"))
    settled = solve(auto, "4")
    assert settled.answer.text == "4"
    assert settled.usage.calls < 8
    contested = solve(auto, "45")
    assert settled.usage.calls < contested.usage.calls <= 16  # what the profile has seen
    told = contested.answer.why
    assert told is not None
    assert told.steps[-1].action == "stop"
    assert all(step.gain > 0 for step in told.steps[:-1])


def test_a_dear_sample_is_not_drawn_and_a_budget_is_kept(tmp_path: Path) -> None:
    path = profile(tmp_path / "votes.json")
    assert solve(Auto(profile=path, price=100.0), "45").usage.calls == 1
    limited = solve(Auto(profile=path), "45", Budget(work=13))
    assert limited.work <= 13
    assert limited.answer.text == "4"


def test_votes_are_for_whole_samples_and_who_has_no_other_wish(tmp_path: Path) -> None:
    path = profile(tmp_path / "votes.json")
    labelled = profile(tmp_path / "right.json", right=(0,))
    for auto in (Auto(profile=path), Auto(profile=labelled)):
        assert isinstance(auto.rule_for(State()), VoteRule)
    others = (Auto(), Auto(profile=path, verifier=Judge()), Auto(profile=path, prefers="span"))
    assert not any(isinstance(auto.rule_for(State()), VoteRule) for auto in others)
