"""Forced choice, on models whose every probability is written down."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.engine import Bill, EngineInfo
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.types import Chunk, Message, Problem, Request, Usage
from workspan.engines.embedded import Embedded
from workspan.errors import EngineRejected, EngineUnavailable, InputError, UnsupportedCapability
from workspan.runner import Result, run, run_sync
from workspan.search.choices import meant
from workspan.spec import parse_strategy
from workspan.tasks import open_tasks
from workspan.testing.scripted import ScriptedEngine

CUE = "\nAnswer:"
END = ""
Table = Mapping[str, float]


@dataclass
class Tabled(ScriptedEngine):
    """Thinks "hm" to its cap; after the cue draws from a table of tokens by what was said since.

    Simulated: there is no model. The seed draws, and the log-probability is the table's.
    """

    script: Callable[[Request], str] = field(default=lambda _: "hm " * 1000)
    table: Callable[[str, int], Table] = field(default=lambda said, chain: {"4": 1.0})
    chains: dict[str, int] = field(default_factory=dict)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one token, or think."""
        if CUE not in request.prefix:
            async for chunk in super().stream(request, bill):
                yield chunk
            return
        thought, _, said = request.prefix.partition(CUE)
        table = self.table(said, self.chains.setdefault(thought, len(self.chains)))
        (token,) = random.Random(request.seed).choices([*table], [*table.values()])
        self.requests.append(request)
        self._charge(bill, Usage(1, await self.count(request), output_tokens=1))
        logprobs = (math.log(table[token]),) if request.logprobs else ()
        yield Chunk(token, logprobs=logprobs, finish="length" if token != END else "stop")


def named(*choices: str) -> Problem:
    prompt = (Message("user", "Which one?"),)
    return Problem("q", prompt, "text", {"choices": "\n".join(choices)})


def solve(
    engine: ScriptedEngine,
    problem: Problem,
    spec: str = "forced_choice(thinking=5)",
    budget: str = "",
) -> Result:
    limits = Budget.parse(budget) if budget else None
    result = anyio.run(lambda: run(parse_strategy(spec), problem, engine, budget=limits))
    assert result.work == engine.billed.output_tokens
    return result


def scores(result: Result) -> dict[str | None, float | None]:
    return {one.answer: one.score for one in result.answer.candidates}


def test_the_candidate_with_more_probability_is_chosen_though_the_model_would_say_neither() -> None:
    engine = Tabled(table=lambda *_: {" no": 0.6, " Rome": 0.1, " Oslo": 0.3})
    result = solve(engine, named("Rome", "Oslo"), "forced_choice(thinking=5, draws=60)")
    assert result.answer.text == "Oslo"
    assert scores(result) == pytest.approx({"Rome": 0.25, "Oslo": 0.75})
    assert result.answer.margin == pytest.approx(0.5)


def test_it_thinks_as_long_as_it_is_told_then_draws_single_tokens_after_the_cue() -> None:
    engine = Tabled()
    result = solve(engine, named("3", "4"), "forced_choice(thinking=5, draws=3)")
    thinking, *asked = engine.requests
    assert thinking.max_tokens == 5
    assert [request.prefix for request in asked] == ["hm " * 5 + CUE] * 3
    assert {(request.max_tokens, request.temperature) for request in asked} == {(1, 1.0)}
    assert (result.work, result.span) == (8, 6)


def test_an_early_end_is_answered_with_wait() -> None:
    engine = Tabled(script=lambda _: "done")
    solve(engine, named("3", "4"), "forced_choice(thinking=5, waits=2, draws=1)")
    assert engine.requests[2].prefix.count("\nWait") == 2
    assert engine.requests[-1].prefix.startswith("done \nWaitdone \nWaitdone ")


def test_a_common_beginning_is_walked_down() -> None:
    def table(said: str, _: int) -> Table:
        return {"": {" ": 1.0}, " ": {"8": 0.5, "9": 0.5}, " 8": {"1": 0.2, "3": 0.8}}[said]

    result = solve(
        Tabled(table=table), named("81", "83"), "forced_choice(thinking=1, draws=40, steps=3)"
    )
    assert scores(result) == pytest.approx({"81": 0.2, "83": 0.8})


def test_a_candidate_that_begins_another_needs_its_end() -> None:
    def table(said: str, _: int) -> Table:
        return {"": {"2": 1.0}, "2": {"2": 0.3, END: 0.5, ".": 0.2}}[said]

    result = solve(Tabled(table=table), named("2", "22"), "forced_choice(thinking=1, draws=60)")
    assert scores(result) == pytest.approx({"2": 0.7, "22": 0.3})


def test_steps_bound_a_beginning_that_never_ends() -> None:
    engine = Tabled(table=lambda *_: {" ": 1.0})
    result = solve(engine, named("3", "4"), "forced_choice(thinking=1, draws=2, steps=3)")
    assert result.answer.best is None
    assert result.work == 1 + 3 * 2


def test_chains_in_doubt_move_the_mean_little() -> None:
    def table(_: str, chain: int) -> Table:
        return {"3": 0.1, "x": 0.9} if chain else {"4": 0.3, "x": 0.7}

    class Thinks(Tabled):
        def _text(self, request: Request) -> str:
            return f"chain{len(self.requests)}"

    spec = "forced_choice(n=3, thinking=1, draws=80)"
    result = solve(Thinks(table=table), named("3", "4"), spec)
    assert scores(result) == pytest.approx({"3": 0.4, "4": 0.6})
    assert result.answer.text == "4"


def test_what_is_no_word_for_a_candidate_is_an_abstention() -> None:
    result = solve(Tabled(table=lambda *_: {" no": 0.5, END: 0.5}), named("3", "4"))
    assert result.answer.best is None
    assert result.stop == "done"


def test_the_strategys_own_choices_stand_for_every_problem() -> None:
    spec = "forced_choice(thinking=5, choices=['4', '5'])"
    assert solve(Tabled(), Problem.ask("?"), spec).answer.text == "4"


@pytest.mark.parametrize("choices", ["", "4", "4\n4"])
def test_without_two_candidates_nothing_is_spent(choices: str) -> None:
    engine = Tabled()
    with pytest.raises(InputError, match="does not name two answers"):
        solve(engine, Problem("q", (), "text", {"choices": choices}))
    assert not engine.requests


def test_candidates_given_to_the_strategy_are_two_at_least_and_different() -> None:
    for spec in ("forced_choice(choices=['4'])", "forced_choice(choices=['4', ''])"):
        with pytest.raises(InputError):
            parse_strategy(spec)


def test_an_engine_that_scores_nothing_is_refused() -> None:
    class Mute(Tabled):
        @property
        def info(self) -> EngineInfo:
            return EngineInfo("mute", "none")

    with pytest.raises(UnsupportedCapability, match="continue, logprobs"):
        solve(Mute(), named("3", "4"))


def test_chains_that_fail_are_left_out_and_all_failing_is_an_error() -> None:
    class Failing(Tabled):
        left = 2

        async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
            if CUE not in request.prefix and self.left:
                self.left -= 1
                raise EngineRejected("no")
            async for chunk in super().stream(request, bill):
                yield chunk

    spec = "forced_choice(n=3, thinking=2, draws=2)"
    assert solve(Failing(), named("3", "4"), spec).answer.text == "4"
    with pytest.raises(EngineRejected):
        solve(Failing(), named("3", "4"), "forced_choice(n=2, thinking=2)")


def test_a_failure_while_reading_is_an_abstention_with_the_thought_kept() -> None:
    class Failing(Tabled):
        async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
            if CUE in request.prefix:
                raise EngineUnavailable("gone")
            async for chunk in super().stream(request, bill):
                yield chunk

    result = solve(Failing(), named("3", "4"))
    assert result.answer.best is None
    assert result.answer.candidates[0].text == "hm " * 5


@given(work=st.integers(1, 60), n=st.integers(1, 3), draws=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_no_budget_is_passed_and_room_is_left_for_the_reading(
    work: int, n: int, draws: int
) -> None:
    spec = f"forced_choice(n={n}, thinking=20, draws={draws})"
    result = solve(Tabled(), named("3", "4"), spec, f"{work} work")
    assert result.work <= work
    if work >= n * (draws + 1):
        assert result.answer.text == "4"


words = st.text("abc", min_size=1, max_size=3)


@given(choices=st.lists(words, min_size=2, max_size=4, unique=True), seed=st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_many_draws_give_the_probabilities_that_a_table_has(choices: list[str], seed: int) -> None:
    """Against a brute-force walk over the whole tree of tokens."""

    def table(said: str, _: int = 0) -> Table:
        weights = random.Random(f"{seed} {said}").choices(range(1, 5), k=4)
        return {token: w / sum(weights) for token, w in zip(["a", "b", "c", END], weights)}  # noqa: B905

    exact = dict.fromkeys(choices, 0.0)

    def walk(said: str, mass: float) -> None:
        for token, probability in table(said).items():
            now = said + token
            left = [c for c in choices if c == now or (token and c.startswith(now))]
            if len(left) == 1:
                exact[left[0]] += mass * probability
            elif left:
                walk(now, mass * probability)

    walk("", 1.0)
    total = sum(exact.values())
    spec = "forced_choice(thinking=1, draws=150, steps=99)"
    result = solve(Tabled(table=table), named(*choices), spec)
    if not total:
        assert result.answer.best is None
    else:
        assert scores(result) == pytest.approx({c: p / total for c, p in exact.items()})


@given(said=st.text(" 12.x\n", max_size=5), choices=st.lists(st.sampled_from(["1", "12", "121"])))
def test_nothing_is_meant_that_was_not_named_and_more_words_mean_less(
    said: str, choices: list[str]
) -> None:
    now = meant(said, choices)
    assert set(now) <= set(choices)
    assert meant("", choices) == choices
    for before in range(len(said)):
        assert set(now) <= set(meant(said[:before], choices))


def test_a_finished_run_is_replayed_without_a_call() -> None:
    strategy = parse_strategy("forced_choice(n=2, thinking=4, draws=5)")
    journal = Journal()
    engine = Tabled(table=lambda *_: {"3": 0.4, "4": 0.6})

    async def once() -> Result:
        return await run(strategy, named("3", "4"), engine, journal=journal)

    first = anyio.run(once)
    calls = len(engine.requests)
    assert anyio.run(once).answer == first.answer
    assert len(engine.requests) == calls


def test_problems_name_their_candidates() -> None:
    graph, *_ = open_tasks("deep(d=2, english=True)").load(1)
    assert graph.reference in graph.problem.metadata["choices"].split("\n")
    things, *_ = open_tasks("compose(t=2, english=True)").load(1)
    assert things.problem.metadata["choices"] == "A\nB\nC\nD\nE"


@pytest.mark.slow
def test_the_embedded_model_chooses_one_of_two_nodes() -> None:
    task, *_ = open_tasks("deep(d=2, english=True)").load(1)
    result = run_sync(
        parse_strategy(r"forced_choice(thinking=16, draws=6, cue='\nAnswer: node ')"),
        task.problem,
        Embedded(),
    )
    assert result.answer.text in task.problem.metadata["choices"].split("\n")
    assert sum(score or 0 for score in scores(result).values()) == pytest.approx(1)
