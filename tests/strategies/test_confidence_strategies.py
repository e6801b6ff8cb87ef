"""Votes by confidence and by early arrival, by hand.

The scripted engine is surest of words with five letters (confidence 10, log-probability -0.1) and
least sure of words with four (2 and -0.5); "Answer:" has 6 and -0.3, a single letter 8 and -0.2.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import anyio
import pytest

from workspan.core.engine import Bill
from workspan.data.budget import Budget
from workspan.data.types import Chunk, Problem, Request
from workspan.errors import EngineRejected, SpecError
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")
SURE_4 = "think think Answer: 4"  # confidences 10 10 6 8
UNSURE_5 = "hmmm hmmm Answer: 5"  # confidences 2 2 6 8


class WithoutAlternatives(ScriptedEngine):
    """Tells the log-probability of what it draws, and nothing of what it might have drawn."""

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        async with aclosing(super().stream(replace(request, top_logprobs=0), bill)) as chunks:
            async for chunk in chunks:
                yield chunk


def solve(strategy: str, engine: ScriptedEngine | list[str], budget: str | None = None) -> Result:
    """Run, texts being told in turn and word by word, and hold the account against the bill."""
    if isinstance(engine, list):
        engine = ScriptedEngine(engine, latency=lambda _: 1)
    limits, parsed = Budget.parse(budget) if budget else None, parse_strategy(strategy)
    result = anyio.run(lambda: run(parsed, PROBLEM, engine, budget=limits))
    assert result.work == engine.billed.output_tokens
    assert result.work == sum(call.usage.output_tokens for call in result.trace)
    return result


def weights(result: Result) -> dict[str, float]:
    return {vote.answer: vote.weight for vote in result.answer.votes}


@pytest.mark.parametrize(
    ("options", "four", "five"),
    [
        ("rule='self_certainty'", 8.5 - math.log(20), 2 * (4.5 - math.log(20))),
        ("rule='self_certainty', alternatives=2", 8.5 - math.log(2), 2 * (4.5 - math.log(2))),
        ("rule='probability'", math.exp(-0.175), 2 * math.exp(-0.375)),
        ("rule='inverse_entropy'", 1 / 0.175, 2 / 0.375),
        ("borda=0", 1, 2),
        ("borda=1", 3, 3),
        ("borda=2", 9, 5),
    ],
)
def test_confidence_weighs_the_votes(options: str, four: float, five: float) -> None:
    result = solve(f"confidence_vote(n=3, {options})", [UNSURE_5, SURE_4, UNSURE_5])
    assert weights(result) == pytest.approx({"4": four, "5": five})
    assert result.answer.text == ("4" if four > five else "5")
    assert result.answer.tied == (four == five)


def test_a_chain_without_an_answer_takes_no_rank() -> None:
    result = solve("confidence_vote(n=3, borda=1)", ["think think", SURE_4, UNSURE_5])
    assert weights(result) == {"4": 2, "5": 1}


def test_without_alternatives_self_certainty_is_the_mean_probability() -> None:
    result = solve("confidence_vote(n=1)", WithoutAlternatives([SURE_4]))
    mean = (2 * math.exp(-0.1) + math.exp(-0.3) + math.exp(-0.2)) / 4
    assert weights(result) == pytest.approx({"4": mean})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("eta=25, measure='lowest'", {"4": 7}),  # the percentile of 2 2 2 7 is 3.25
        ("eta=25, measure='bottom'", {"4": 7}),
        ("eta=25, measure='mean'", {"4": 8.5}),
        ("eta=25, measure='tail'", {"4": 7, "5": 21}),  # all tails are alike: all are kept
        ("eta=100, measure='lowest'", {"4": 7, "5": 6}),
        ("eta=100, measure='mean'", {"4": 8.5, "5": 13.5}),
    ],
)
def test_offline_the_surest_chains_vote_with_their_confidence(
    options: str, expected: dict[str, float]
) -> None:
    texts = [UNSURE_5, UNSURE_5, SURE_4, UNSURE_5]
    result = solve(f"deepconf_offline(n=4, window=2, {options})", texts)
    assert weights(result) == pytest.approx(expected)
    assert result.answer.text == max(expected, key=lambda answer: expected[answer])


def test_offline_without_an_answer_is_an_abstention() -> None:
    assert solve("deepconf_offline(n=3, window=2)", ["hm"]).answer.best is None


def test_online_an_unsure_chain_is_cut_after_its_first_group_and_has_no_vote() -> None:
    long_doubt = "hmmm " * 50 + "Answer: 5"
    texts = [SURE_4, "think think Answer: 5", long_doubt, SURE_4]  # the bar is 7
    result = solve("deepconf_online(n=4, warmup=2, window=2)", texts)
    assert weights(result) == {"4": 14, "5": 7}
    assert result.work == 4 + 4 + 2 + 4
    assert result.span == 4 + 4


def test_online_a_chain_that_is_as_sure_as_the_bar_goes_on() -> None:
    texts = [UNSURE_5, SURE_4, UNSURE_5]
    result = solve("deepconf_online(n=3, warmup=2, window=2, eta=100)", texts)
    assert weights(result) == {"4": 7, "5": 4}


def test_online_the_eta_percent_set_the_bar() -> None:
    texts = [UNSURE_5, SURE_4, UNSURE_5]  # lowest groups 2 and 7: the 50th percentile is 4.5
    result = solve("deepconf_online(n=3, warmup=2, window=2, eta=50)", texts)
    assert weights(result) == {"4": 7, "5": 2}
    assert result.work == 4 + 4 + 2


def test_online_a_warm_up_that_agrees_needs_no_more() -> None:
    result = solve("deepconf_online(n=9, warmup=2, window=2)", [SURE_4])
    assert result.usage.calls == 2


def test_online_agreement_cuts_the_chains_under_way() -> None:
    long = "think " * 50 + "Answer: 5"
    texts = [SURE_4, "think think Answer: 5", SURE_4, long, long]
    result = solve("deepconf_online(n=5, warmup=2, window=2, consensus=0.6)", texts)
    assert weights(result) == {"4": 14, "5": 7}
    assert result.usage.calls == 5
    assert 3 * 4 < result.work < 3 * 4 + 2 * 10
    assert result.span == 4 + 4


def test_online_without_alternatives_the_drawn_tokens_set_the_bar() -> None:
    texts = [SURE_4, "think think Answer: 5", "hmmm " * 50 + "Answer: 5"]
    engine = WithoutAlternatives(texts)
    result = solve("deepconf_online(n=3, warmup=2, window=2)", engine)
    lowest = (math.exp(-0.3) + math.exp(-0.2)) / 2
    assert weights(result) == pytest.approx({"4": lowest, "5": lowest})
    assert result.work == 4 + 4 + 2


def test_online_a_budget_that_ends_in_the_warm_up_still_answers() -> None:
    result = solve("deepconf_online(n=9, warmup=2, window=2)", [SURE_4, UNSURE_5], "8 work")
    assert result.answer.text == "4"
    assert result.stop == "work"


def test_the_first_m_to_finish_vote_and_the_rest_are_cut() -> None:
    long = "think " * 50 + "Answer: 5"
    texts = [long, "think Answer: 4", long, "think think Answer: 4", long]
    result = solve("short_m_at_k(m=2, k=5)", texts)
    assert weights(result) == {"4": 2}
    assert 3 + 4 < result.work < 3 + 4 + 3 * 10
    assert result.span == 4


def test_a_tie_goes_to_the_shortest_chain_though_it_came_last() -> None:
    texts = ["think think Answer: 5", "Answer: 4"]
    result = solve("short_m_at_k(m=2, k=2)", texts, "1 width")
    assert result.answer.text == "4"
    assert result.answer.tied


def test_a_chain_without_an_answer_has_not_finished() -> None:
    result = solve("short_m_at_k(m=1, k=3)", ["hm", "no", "think think Answer: 4"])
    assert result.answer.text == "4"
    assert solve("short_m_at_k(m=1, k=3)", ["hm"]).answer.best is None


def test_a_failing_chain_leaves_the_vote_to_the_others() -> None:
    faults = {0: (0, EngineRejected("bad request")), 4: (1, EngineRejected("bad request"))}
    for strategy in ("short_m_at_k(m=3, k=4)", "deepconf_online(n=5, warmup=2, window=2, eta=90)"):
        result = solve(strategy, FaultyEngine([SURE_4, "think think Answer: 5"], faults=faults))
        assert result.answer.text == "5"
        assert result.failures > 0


@pytest.mark.parametrize(
    "text",
    [
        "short_m_at_k(m=3, k=2)",
        "confidence_vote(rule='perplexity')",
        "confidence_vote(borda=-1)",
        "deepconf_offline(eta=101)",
        "deepconf_offline(eta=0)",
        "deepconf_online(warmup=9, n=8)",
        "deepconf_online(consensus=1.5)",
    ],
)
def test_values_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(SpecError):
        parse_strategy(text)
