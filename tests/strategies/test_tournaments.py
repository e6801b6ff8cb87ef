"""Worked examples of tournaments among candidates, by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping

import anyio
import pytest

from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import EngineRejected, SpecError
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")
LARGEST = re.compile(r"--- Solution (\d+) ---\n(.*?)(?=\n\n---)", re.DOTALL)


def solve(
    text: str,
    engine: Engine,
    budget: str | None = None,
    engines: Mapping[str, Engine] | None = None,
) -> Result:
    limits = Budget.parse(budget) if budget else None
    strategy = parse_strategy(text)
    return anyio.run(lambda: run(strategy, PROBLEM, engine, budget=limits, engines=engines))


class Model:
    """Draws the given answers in turn, summarises, and chooses the largest number it is shown."""

    def __init__(self, *answers: int, summary: str = "found {}") -> None:
        self.drawn = iter(answers)
        self.summary = summary
        self.engine = ScriptedEngine(self.say)

    def say(self, request: Request) -> str:
        asked = request.prompt[-1].text
        if "Summarise it" in asked:
            number = re.search(r"Answer: (\d+)", asked)
            assert number is not None
            return self.summary.format(number[1])
        shown = LARGEST.findall(asked)
        if not shown:
            return f"Answer: {next(self.drawn)}"
        best = max(shown, key=lambda one: int(re.findall(r"\d+", one[1])[-1]))
        return f"Choice: {best[0]}"

    def asked(self, what: str) -> list[str]:
        texts = [request.prompt[-1].text for request in self.engine.requests]
        return [text for text in texts if what in text]


def test_the_one_that_wins_its_games_is_taken_whatever_the_votes_say() -> None:
    model = Model(4, 4, 4, 9, 5, 6)
    result = solve("bradley_terry(n=6, rounds=2)", model.engine)
    assert (result.answer.text, result.answer.tied) == ("9", False)
    # four different answers: two games a round; a draw is 2 words, a choice too
    assert (result.usage.calls, result.work, result.span) == (6 + 4, 6 * 2 + 4 * 2, 2 + 2 * 2)
    assert [vote.answer for vote in result.answer.votes] == ["4", "9", "5", "6"]


def test_who_has_met_meets_another_one_in_the_next_round() -> None:
    model = Model(4, 9, 5, 6)
    solve("bradley_terry(n=4, rounds=3)", model.engine)
    pairs = [tuple(sorted(re.findall(r"Answer: (\d)", text))) for text in model.asked("Compare")]
    assert len(pairs) == len({*pairs}) == 6


def test_one_answer_alone_needs_no_game() -> None:
    model = Model(4, 4, 4)
    assert solve("bradley_terry(n=3)", model.engine).usage.calls == 3


def test_summaries_are_compared_in_place_of_solutions() -> None:
    model = Model(4, 9)
    result = solve("bradley_terry(n=2, rounds=1, summary_tokens=20)", model.engine)
    assert (result.answer.text, result.usage.calls) == ("9", 2 + 2 + 1)
    (compared,) = model.asked("Compare")
    assert "found 9\n\nIts final result: 9" in compared
    assert "Answer: 9" not in compared


def test_without_a_choice_the_vote_decides_and_a_notice_says_so() -> None:
    engine = ScriptedEngine(["Answer: 5", "Answer: 4", "Answer: 4", "hm", "hm", "hm"])
    result = solve("bradley_terry(n=3, rounds=3)", engine)
    assert result.answer.text == "4"
    assert [notice.code for notice in result.notices] == ["no_verdict"]


def test_another_engine_may_judge() -> None:
    judge = Model()
    result = solve(
        "bradley_terry(n=2, rounds=1, engine='judge')",
        Model(4, 9).engine,
        engines={"judge": judge.engine},
    )
    assert result.answer.text == "9"
    assert len(judge.engine.requests) == 1


def test_groups_of_k_send_their_winners_on() -> None:
    model = Model(4, 9, 5, 6, 7)
    result = solve("recursive_tournament(n=5, k=2, votes=3)", model.engine)
    # five drawn and summarised; (4 9)(5 6)(7), (9 6)(7), (9 7): three votes each where two meet
    assert result.answer.text == "9"
    assert result.usage.calls == 5 + 5 + 3 * (2 + 1 + 1)
    assert result.span == 2 + 2 + 3 * 2
    assert all("Its final result" in text for text in model.asked("Compare"))


def test_it_ends_when_all_that_are_left_answer_alike() -> None:
    model = Model(9, 4, 9, 5)
    result = solve("recursive_tournament(n=4, k=2, votes=1)", model.engine)
    assert (result.answer.text, result.usage.calls) == ("9", 4 + 4 + 2)
    model = Model(4, 4)
    assert solve("recursive_tournament(n=2)", model.engine).usage.calls == 2


def test_most_votes_of_a_group_decide_it() -> None:
    votes = iter([1, 2, 2])

    def script(request: Request) -> str:
        asked = request.prompt[-1].text
        if "Summarise it" in asked:
            return "a way"
        if "Compare" in asked:
            return f"Choice: {next(votes)}"
        return f"Answer: {4 + len(engine.requests)}"

    engine = ScriptedEngine(script)
    result = solve("recursive_tournament(n=2, votes=3)", engine)
    assert result.answer.text == result.answer.candidates[1].answer


def test_a_failed_summary_leaves_the_attempt_itself() -> None:
    model = Model(4, 9)
    faulty = FaultyEngine(model.say, faults={3: (0, EngineRejected("no"))})
    result = solve("recursive_tournament(n=2, votes=1)", faulty)
    assert result.answer.text == "9"
    compared = faulty.requests[-1].prompt[-1].text
    assert "found 4\n\nIts final result: 4" in compared
    assert "--- Solution 2 ---\nAnswer: 9" in compared


@pytest.mark.parametrize("text", ["bradley_terry(rounds=0)", "recursive_tournament(k=1)"])
def test_values_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match="must be at least"):
        parse_strategy(text)
