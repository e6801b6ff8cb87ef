"""Strategies that revise or recombine begin with drafts that a run already has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import anyio
import pytest

from workspan.answers import equivalent
from workspan.core.engine import Capability
from workspan.core.session import Score, Session, Strategy
from workspan.data.budget import Budget
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import EngineRejected
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.strategies.adaptive.probed_chain import ProbedChain
from workspan.strategies.auto.answers import drafts
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.chains import Chains
from workspan.strategies.auto.groups import Groups
from workspan.strategies.auto.policies.cold import Cold
from workspan.strategies.evolutionary.mind_evolution import MindEvolution
from workspan.testing.scripted import FaultyEngine, ScriptedEngine
from workspan.verifiers.judge import RATE

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")
FIVE, THREE = Candidate("Answer: 5", "5"), Candidate("Answer: 3", "3")
REVISERS = (
    "self_revision(turns=1)",
    "self_refine(turns=1)",
    "sequential_revision(threads=1, turns=2)",
    "rsa(n=2, k=2, steps=2)",
)


@dataclass(frozen=True)
class GoOn:
    """Hand drafts to another strategy."""

    strategy: Strategy
    given: tuple[Candidate, ...]
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        return await session.attempt(self.strategy, problem, drafts=self.given)


@dataclass(frozen=True)
class IsFour:
    """Knows the answer."""

    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        away = abs(int(candidate.answer or 99) - 4)
        return Score(1 / (1 + away), f"{away} away")


def go_on(strategy: Strategy, engine: ScriptedEngine, *given: Candidate, work: int = 900) -> Result:
    budget = Budget(work=work)
    return anyio.run(lambda: run(GoOn(strategy, given), PROBLEM, engine, budget=budget))


def is_fresh(request: Request) -> bool:
    return request.prompt == PROBLEM.prompt


@pytest.mark.parametrize("text", REVISERS)
def test_no_draft_is_drawn_where_all_are_given(text: str) -> None:
    engine = ScriptedEngine(lambda r: "Rating: 4" if r.prompt[-1].text == RATE else "Answer: 4")
    result = go_on(parse_strategy(text), engine, FIVE, THREE)
    assert engine.requests
    assert not any(map(is_fresh, engine.requests))
    shown = [turn.text for turn in engine.requests[0].prompt]
    assert any("Answer: 5" in turn for turn in shown)  # the best comes first
    assert result.answer.text == "4"


def test_what_is_missing_of_a_population_is_drawn() -> None:
    engine = ScriptedEngine(lambda _: "Answer: 4")
    go_on(parse_strategy("sequential_revision(threads=3, turns=1)"), engine, FIVE)
    assert [is_fresh(one) for one in engine.requests].count(True) == 2


@pytest.mark.parametrize("text", REVISERS)
def test_a_draft_stands_where_nothing_more_can_be_drawn(text: str) -> None:
    engine = FaultyEngine(
        lambda _: "Answer: 4", faults={call: (0, EngineRejected("no")) for call in range(9)}
    )
    assert go_on(parse_strategy(text), engine, FIVE, THREE).answer.text in ("5", "3")


def test_drafts_settle_on_islands_and_breed() -> None:
    engine = ScriptedEngine(lambda _: "Refined solution:\nAnswer: 4")
    strategy = MindEvolution(
        IsFour(), generations=1, islands=2, conversations=1, turns=1, fresh=0.0, model_reset=False
    )
    result = go_on(strategy, engine, FIVE, THREE)
    assert not any(map(is_fresh, engine.requests))
    assert result.answer.text == "4"
    assert {one.answer for one in result.answer.candidates} == {"5", "3", "4"}


def test_a_draft_that_passes_ends_an_evolution_before_it_begins() -> None:
    engine = ScriptedEngine(lambda _: "Answer: 9")
    result = go_on(MindEvolution(IsFour()), engine, Candidate("Answer: 4", "4"))
    assert (result.answer.text, engine.requests) == ("4", [])


def test_a_part_of_a_part_has_no_drafts_unless_it_is_given_some() -> None:
    engine = ScriptedEngine(lambda _: "Answer: 4")
    go_on(parse_strategy("best(self_revision(turns=1))"), engine, FIVE)
    assert is_fresh(engine.requests[0])


def test_the_best_chain_comes_first_and_every_answer_once() -> None:
    run = Chains(
        PROBLEM, Request(PROBLEM.prompt), None, True, IsFour(), 8, Groups("number", equivalent)
    )
    ends = [Candidate("a", "5", 0.5), Candidate("b", "3", 0.5), Candidate("c", "5", 0.5)]
    ends += [Candidate("d", None), Candidate("e", "7", 0.25), Candidate("f", "6", 1 / 3)]
    run.grown = [ProbedChain(now=one, tokens=2, is_live=False) for one in ends]
    run.grown.append(ProbedChain(now=Candidate("g", "4", 1.0), tokens=2))  # open: no whole chain
    assert [one.text for one in drafts(run)] == ["c", "b", "f", "e"]


def test_auto_hands_its_chains_to_the_arm() -> None:
    arm = parse_strategy("self_revision(turns=1, max_tokens=50)")
    rule = Cold(is_judged=True, block=8, arms=1)
    auto = Auto(arms=(arm,), verifier=IsFour(), probe="", max_tokens=50, fitted=rule)

    def script(request: Request) -> str:
        return "Answer: 5" if is_fresh(request) else "Answer: 4"

    engine = ScriptedEngine(script)
    result = anyio.run(lambda: run(auto, PROBLEM, engine, budget=Budget(work=100)))
    assert result.answer.text == "4"
    assert [is_fresh(one) for one in engine.requests] == [True] * 4 + [False]
    assert result.work == engine.billed.output_tokens
