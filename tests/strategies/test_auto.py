"""The strategy that decides: worked runs on scripted chains, its limits, its explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import anyio
import pytest

from workspan.core.context import Best
from workspan.core.engine import Capability, EngineInfo, Price
from workspan.core.journal import Journal
from workspan.core.session import Score, Session
from workspan.data.budget import Budget
from workspan.data.entry import End
from workspan.data.explanation import Explanation
from workspan.data.types import Candidate, Problem, Request
from workspan.errors import DataError, EngineRejected, SpecError
from workspan.runner import Result, run
from workspan.spec import parse_strategy, write
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.policies.exhaustive import Exhaustive
from workspan.strategies.auto.policies.state import Decision, State
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def thinking(words: int, answer: Callable[[int], int] = lambda _: 4) -> ScriptedEngine:
    """Think for so many words; asked earlier, chains say 7. Chain i ends on its own answer."""
    started: list[int] = []

    def script(request: Request) -> str:
        if request.prefix.endswith("Answer:"):
            return "7"
        if not request.prefix:
            started.append(len(started))
            return f"c{started[-1]} " + "think " * (words - 1) + f"Answer: {answer(started[-1])}"
        said = request.prefix.split()
        return "think " * (words - len(said)) + f"Answer: {answer(int(said[0][1:]))}"

    return ScriptedEngine(script)


class Whole(ScriptedEngine):
    """Can't continue a text."""

    @property
    def info(self) -> EngineInfo:
        nothing: frozenset[Capability] = frozenset()
        return EngineInfo("whole", "simulated (no model)", capabilities=nothing, concurrency=64)


def solve(strategy: str | Auto, engine: ScriptedEngine, budget: str | None = None) -> Result:
    limits = Budget.parse(budget) if budget else None
    plan = parse_strategy(strategy) if isinstance(strategy, str) else strategy
    result = anyio.run(lambda: run(plan, PROBLEM, engine, budget=limits))
    assert result.work == engine.billed.output_tokens
    return result


def why(result: Result) -> Explanation:
    assert result.answer.why is not None
    return result.answer.why


def test_chains_are_widened_until_their_votes_agree() -> None:
    result = solve("auto", thinking(10))
    assert result.answer.text == "4"
    assert why(result).chains == 4  # 1, 2, 4: four of four are the plurality with 31/32
    assert [step.action for step in why(result).steps] == ["widen", "widen", "widen", "stop"]


def test_a_chain_that_did_not_end_answers_what_it_said_when_asked() -> None:
    result = solve("auto", thinking(5000), "600 work")
    assert result.answer.text == "7"
    assert result.work <= 600


def test_without_a_probe_chains_grow_in_blocks_and_are_asked_nothing() -> None:
    rule = Exhaustive(chains=2, block=10)
    result = solve(Auto(probe="", max_tokens=100, fitted=rule), thinking(25))
    grown = [one for step in why(result).steps for one in step.grown]
    chains = [[one.depth for one in grown if one.chain == chain] for chain in (0, 1)]
    assert all(depths[:2] == [10, 20] and len(depths) == 3 for depths in chains)
    assert result.work == sum(depths[-1] for depths in chains)
    assert len(result.trace) == 6
    assert result.answer.text == "4"


def test_the_end_of_a_chain_outweighs_what_it_said_before() -> None:
    result = solve("auto(n=1)", thinking(1000), "2k work")
    assert result.answer.text == "4"
    (chain,) = {grown.chain for step in why(result).steps for grown in step.grown}
    assert chain == 0
    assert result.work == 1000 + 2 + 1  # the end takes "Answer: 4", the one probe before it a word


def test_whole_chains_are_drawn_where_the_engine_can_not_continue() -> None:
    engine = Whole(thinking(2000).script)
    result = solve("auto(n=2)", engine, "8k work")
    assert all(not request.prefix for request in engine.requests)
    assert result.answer.text == "4"


def test_every_budget_is_kept_and_still_answers() -> None:
    for budget in ("40 work", "40 span", "300 work, 100 span", "3 calls"):
        result = solve("auto(n=8)", thinking(10, lambda i: i % 3), budget)
        assert result.answer.text is not None, budget
        assert result.overrun == 0


def test_nothing_is_bought_without_a_budget_to_buy_it() -> None:
    assert solve("auto", thinking(10), None).work > 0
    result = anyio.run(lambda: run(Auto(), PROBLEM, thinking(10), budget=Budget(work=0)))
    assert (result.answer.text, result.work, result.stop) == (None, 0, "done")


def test_a_best_answer_stands_before_the_run_ends() -> None:
    seen: list[str | None] = []

    def observe(event: object) -> None:
        if isinstance(event, Best):
            seen.append(event.candidate.answer)

    plan = parse_strategy("auto(n=1)")
    anyio.run(lambda: run(plan, PROBLEM, thinking(700), observer=observe))
    assert (seen[0], seen[-1]) == ("7", "4")


def test_below_the_floor_it_abstains_and_says_what_it_spent() -> None:
    result = solve("auto(n=4, floor=0.9)", thinking(5, lambda i: i))
    assert result.answer.best is None
    assert why(result).steps[-1].action == "abstain"
    assert len(result.answer.votes) == 4


def test_a_verifier_ends_the_run_at_its_first_pass() -> None:
    text = "auto(verifier=answered, n=8)"
    result = solve(text, thinking(5))
    assert (result.usage.calls, why(result).chains) == (1, 1)
    assert why(result).steps[0].grown[0].score == 1


def test_an_answer_that_the_verifier_refuses_has_no_vote() -> None:
    refusing = Auto(n=3, verifier=Refuses())
    result = solve(refusing, thinking(5))
    assert why(result).answers == ()
    assert result.answer.text == "4"  # without a floor, what was drawn is better than nothing
    assert solve(replace(refusing, floor=0.1), thinking(5)).answer.text is None


@dataclass(frozen=True)
class Refuses:
    """Hold every answer for wrong."""

    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        return Score(0.0, "no")


def test_the_account_of_purchases_adds_up() -> None:
    result = solve("auto(n=3)", thinking(600, lambda i: i), "9k work")
    told = why(result)
    assert (told.work, told.span, told.chains, told.ended) == (result.work, result.span, 3, 3)
    depth = {grown.chain: grown.depth for step in told.steps for grown in step.grown}
    assert depth == dict.fromkeys(range(3), 602)
    assert told.natural_depth == 602
    assert told.margin == 0
    assert [one.depth for one in told.evidence] == [512]
    assert told.evidence[0].first == 1  # all said 7 there
    assert told.steps == tuple(sorted(told.steps, key=lambda step: step.work))


def test_a_resumed_run_tells_the_same() -> None:
    plan, budget = parse_strategy("auto(n=4)"), Budget(work=3000)

    def go(journal: Journal) -> Result:
        return anyio.run(
            lambda: run(plan, PROBLEM, thinking(600, lambda i: i), budget=budget, journal=journal)
        )

    whole = Journal()
    first = go(whole)
    assert whole.entries[-1].end == End(str(budget), "done", first.answer.why)
    assert go(Journal(whole.entries)).answer == first.answer


@dataclass(frozen=True)
class Wants:
    """A rule that asks for more than there may be."""

    def decide(self, state: State) -> Decision:
        return Decision("widen", n=100, block=100, why={"chains": float(len(state.chains))})


def test_no_rule_can_start_more_chains_than_n() -> None:
    result = solve(Auto(n=3, fitted=Wants()), thinking(5))
    assert (result.usage.calls, why(result).chains) == (3, 3)
    assert result.answer.text == "4"


def test_a_rule_of_its_own_has_no_written_form() -> None:
    assert write(Auto(n=3, fitted=Wants())) == "auto(n=3)"
    with pytest.raises(SpecError):
        parse_strategy("auto(fitted=1)")


def test_a_profile_that_can_not_be_read_is_refused_before_any_spend(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be read"):
        parse_strategy(f"auto(profile={str(tmp_path / 'none.json')!r})")


def test_values_out_of_range_are_refused() -> None:
    for text in ("auto(n=0)", "auto(floor=2)", "auto(price=-1)", "auto(prefers='money')"):
        with pytest.raises(SpecError):
            parse_strategy(text)


def test_a_failure_of_every_call_is_a_failure() -> None:
    engine = FaultyEngine(thinking(5).script, faults={0: (0, EngineRejected("no"))})
    with pytest.raises(EngineRejected):
        anyio.run(lambda: run(Auto(), PROBLEM, engine))


def test_money_limits_the_work_that_a_rule_sees() -> None:
    seen: list[int | None] = []

    @dataclass(frozen=True)
    class Watches:
        def decide(self, state: State) -> Decision:
            seen.append(state.work_left)
            return Decision("stop")

    engine = ScriptedEngine(["Answer: 4"], price=Price(Decimal(0), Decimal(2)))
    budget = Budget(work=10_000, cost=Decimal("0.01"))
    anyio.run(lambda: run(Auto(fitted=Watches()), PROBLEM, engine, budget=budget))
    assert seen == [5000]
