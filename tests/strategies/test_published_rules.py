"""Worked examples of published rules that stop, weigh or elect, by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import anyio
import pytest

from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import EngineRejected, SpecError
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Chain, Recording
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")


def solve(
    text: str,
    engine: Engine,
    budget: str | None = None,
    engines: Mapping[str, Engine] | None = None,
) -> Result:
    limits = Budget.parse(budget) if budget else None
    strategy = parse_strategy(text)
    return anyio.run(lambda: run(strategy, PROBLEM, engine, budget=limits, engines=engines))


def calls(text: str, *answers: int) -> int:
    return solve(text, ScriptedEngine([f"Answer: {one}" for one in answers])).usage.calls


# Stops of votes


def test_six_equal_votes_are_a_bayes_factor_of_a_hundred() -> None:
    assert calls("bayes_factor", 4) == 6
    assert calls("bayes_factor(b=20)", 4) == 4  # 38; three are 18


def test_a_bayes_factor_minds_every_rival() -> None:
    assert calls("bayes_factor", 5, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4) > 7


def test_a_lead_of_k_ends_it_and_a_tie_goes_on() -> None:
    assert calls("ahead_by(k=3)", 4) == 3
    assert calls("ahead_by(k=2)", 5, 4, 5, 4, 4, 4) == 6
    assert calls("ahead_by(k=2, n=5)", 5, 4) == 5


def test_a_lead_is_looked_at_after_each_batch() -> None:
    engine = ScriptedEngine(["Answer: 4"])
    result = solve("ahead_by(k=3, batch=2)", engine)
    assert (result.usage.calls, result.span) == (4, 4)


def test_a_certificate_takes_eight_votes_of_eight() -> None:
    assert calls("mmc", 4) == 8
    assert calls("mmc(delta=0.5)", 4) == 4  # 2.5 of 2
    assert calls("mmc(n=5)", 4) == 5


def test_a_risk_of_nothing_is_refused() -> None:
    with pytest.raises(SpecError, match="no number of votes"):
        parse_strategy("mmc(delta=0)")


# CMC


def recorded(chains: Sequence[Chain]) -> ReplayEngine:
    held = {PROBLEM.id: tuple(chains)}
    return ReplayEngine(Recording("m", (PROBLEM,), held, {PROBLEM.id: "7"}), order=0)


def blocks(ends: int, *answers: str | None, size: int = 10) -> Chain:
    """Make a chain that was asked after every block, and ended in the last at `ends` tokens."""
    depths = (*(size * (i + 1) for i in range(len(answers) - 1)), ends)
    return Chain(depths, answers)


def test_cmc_opens_while_unsure_and_stops_when_the_finished_agree() -> None:
    engine = recorded([blocks(30, "7", "7", "7")] * 4)
    result = solve("cmc(beta=0, block=10, max_tokens=100)", engine)
    # beta 0: two chains, one more in each of the first two rounds. Averages after looks: .5, .5,
    # .7625 with two of two finished, then .908625 with three of three, of a bar of .85.
    # Tokens: three chains of 30 and one of 20, eight blocks that did not end were asked, two each.
    assert (result.answer.text, result.answer.votes[0].weight) == ("7", 3)
    assert (result.work, result.span) == (110 + 16, 4 * 12)
    assert result.usage.calls == 11 + 8


def test_cmc_opens_another_chain_when_those_that_ended_differ() -> None:
    engine = recorded([blocks(10, one, one, size=5) for one in ("7", "7", "8", "7")])
    result = solve("cmc(beta=0, block=20, max_tokens=100)", engine)
    assert [one.answer for one in result.answer.candidates] == ["7", "8", "7"]  # in this order
    # 1:1 leaves the average at .5; 2:1 raises it by .13, so that no fourth is opened
    assert (result.answer.text, result.work, result.span) == ("7", 30, 20)


def test_a_chain_that_agrees_grows_by_bursts() -> None:
    long = blocks(90, *["7"] * 9)
    engine = recorded([blocks(10, "7")] + [long] * 63)
    result = solve("cmc(beta=1, block=10, max_tokens=100)", engine)
    # the rounds: 10, then bursts of three blocks of the chains that agree: 10, 40, 70, 90
    assert result.answer.text == "7"
    assert max(call.usage.output_tokens for call in result.trace) == 30


def test_cmc_votes_on_interim_answers_where_none_has_ended() -> None:
    engine = recorded([blocks(900, *["7"] * 90)] * 4)
    result = solve("cmc(block=10, max_tokens=1000)", engine, budget="200 work")
    assert (result.answer.text, result.stop) == ("7", "work")
    assert result.work <= 200


def test_a_chain_cut_at_its_cap_has_no_vote_beside_one_that_ended() -> None:
    long, short = blocks(90, *["8"] * 9), blocks(20, "7", "7")
    result = solve("cmc(beta=0, block=10, max_tokens=40)", recorded([long, long, long, short]))
    assert [(vote.answer, vote.weight) for vote in result.answer.votes] == [("7", 1)]


def test_cmc_asks_no_more_chains_of_an_engine_that_fails() -> None:
    faults = {i: (0, EngineRejected("no")) for i in range(99)}
    engine = FaultyEngine(["x"], faults=faults)
    with pytest.raises(EngineRejected, match="no"):
        solve("cmc(beta=0)", engine)
    assert len(engine.requests) == 2


# The first m to end, and weights by length


def test_of_all_chains_the_shortest_weigh_most() -> None:
    script = ["Answer: 4", "so Answer: 5", "so so Answer: 5", "so so so Answer: 5"]
    assert solve("short_m_at_k(m=4, k=4)", ScriptedEngine(script)).answer.text == "5"
    result = solve("short_m_at_k(m=4, k=4, power=4)", ScriptedEngine(script))
    # 1, (3/4)^4, (2/4)^4, (1/4)^4
    assert result.answer.text == "4"
    assert [vote.weight for vote in result.answer.votes] == [1, pytest.approx(98 / 256)]


def test_any_m_of_n_cuts_the_rest() -> None:
    script = [f"{'so ' * i}Answer: 4" for i in range(8)]
    engine = ScriptedEngine(script, latency=lambda _: 1)
    result = solve("short_m_at_k(m=3, k=8)", engine)
    assert result.span == 4  # the third to end
    assert len(result.answer.candidates) == 3
    assert 2 + 3 + 4 < result.work < sum(range(2, 10))  # the others were cut, and charged so far
    assert result.work == engine.billed.output_tokens


# Several engines


def test_each_engines_samples_weigh_what_it_is_trusted() -> None:
    weak, strong = ScriptedEngine(["Answer: 5"]), ScriptedEngine(["Answer: 4"])
    text = "weighted_vote(engines=('', 'strong'), weights=({}, 1), n=3)"
    for weight, answer, votes in ((0.5, "4", 3), (2, "5", 6)):
        result = solve(text.format(weight), weak, engines={"strong": strong})
        assert (result.answer.text, result.answer.votes[0].weight) == (answer, votes)
        assert (result.usage.calls, result.span) == (6, 2)


def test_an_engine_that_fails_has_no_vote() -> None:
    faults = {i: (0, EngineRejected("no")) for i in range(3)}
    bad = FaultyEngine(["Answer: 5"], faults=faults)
    engines = {"bad": bad}
    text = "weighted_vote(engines=('bad', ''), weights=(9, 1), n=3)"
    result = solve(text, ScriptedEngine(["Answer: 4"]), engines=engines)
    assert (result.answer.text, result.failures) == ("4", 3)


@pytest.mark.parametrize("weights", ["(1,)", "(1, -1)", "(0, 0)", "(1, 2, 3)"])
def test_weights_fit_the_engines(weights: str) -> None:
    with pytest.raises(SpecError, match=r"weight"):
        parse_strategy(f"weighted_vote(engines=('', 'b'), weights={weights})")


# Votes on each step


def stepping(*steps: Callable[[int], str]) -> ScriptedEngine:
    """Give ballot number j of step i by steps[i](j)."""
    cast: dict[int, int] = {}

    def script(request: Request) -> str:
        said = request.prompt[-1].text
        done = said.partition("Steps done so far:\n")[2].partition("\n\n")[0]
        i = len(done.splitlines())
        cast[i] = cast.get(i, 0) + 1
        return steps[i](cast[i] - 1)

    return ScriptedEngine(script)


def test_each_step_is_elected_by_a_lead_of_k() -> None:
    engine = stepping(
        lambda j: ["Add two.", "add  two.", "x"][j],
        lambda j: ["Add one.", "Add 2.", "Add 2.", "Add 2."][j],
        lambda _: "Answer: 4",
    )
    result = solve("step_votes(k=2)", engine)
    assert result.answer.best is not None
    assert result.answer.best.text.split("\n") == ["Add two.", "Add 2.", "Answer: 4"]
    assert result.answer.text == "4"
    # 2 agree at once; 1:1, then 2 at once, 1:3; 2 agree at once
    assert result.usage.calls == 2 + 4 + 2
    assert result.span == 2 + (2 + 2) + 2


def test_lines_that_ramble_or_say_nothing_have_no_vote() -> None:
    long = "so " * 30
    engine = stepping(lambda j: [long, "", "Answer: 4", "Answer: 4.0", long][j])
    result = solve("step_votes(k=2, step_tokens=20)", engine)
    assert (result.answer.text, result.usage.calls) == ("4", 4)


def test_after_the_last_ballot_the_leader_is_taken() -> None:
    engine = stepping(lambda j: f"Answer: {[4, 5, 6, 4, 7][j]}")
    result = solve("step_votes(k=2, most=5)", engine)
    assert (result.answer.text, result.usage.calls) == ("4", 5)


def test_steps_that_the_budget_bought_are_kept() -> None:
    engine = stepping(*[lambda _, i=i: f"Step {i}." for i in range(9)])
    result = solve("step_votes(k=1)", engine, budget="6 work")
    assert result.answer.best is None
    assert [one.text for one in result.answer.candidates] == ["Step 0.\nStep 1.\nStep 2."]


def test_a_lead_longer_than_the_ballots_is_refused() -> None:
    with pytest.raises(SpecError, match="most"):
        parse_strategy("step_votes(k=5, most=4)")
