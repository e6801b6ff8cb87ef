"""What a server's pieces hold is learnt; until then, and in every doubt, counts are bounds."""

from __future__ import annotations

import math
from typing import Any

import anyio
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from endpoint_client import before, draw
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.engines.endpoint.figures import Figures, Shown, least_tokens, merged, reconcile
from workspan.engines.endpoint.meter import Meter, hear_of_all, may_be_of_one
from workspan.engines.endpoint.pace import Pace
from workspan.engines.endpoint.shared import _Group, split
from workspan.engines.endpoint.wire import (
    Choice,
    CompletionDetails,
    Delta,
    Event,
    PromptDetails,
    Report,
)
from workspan.runner import run
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.strategies.parallel.short_m_at_k import ShortMAtK
from workspan.testing.server import Behaviour

LONG = "word " * 3000
SHOWN = Shown(
    cap=500, decoded_least=5, decoded_most=40, text_least=5, prompt_least=4, prompt_most=60
)


@given(
    size=st.integers(1, 16),
    streams=st.lists(st.integers(16, 400), min_size=1, max_size=8),
    seen=st.integers(0, 600),
)
def test_a_fixed_number_of_tokens_a_piece_is_found_from_streams_that_ended(
    size: int, streams: list[int], seen: int
) -> None:
    pace = Pace()
    for tokens in streams:  # an end token is counted, but not sent
        pace.learn(math.ceil(tokens / size), tokens * 5, tokens + 1)
    assert pace.per_piece is not None
    assert pace.can_be_cut or size > 10
    assert pace.bound(seen, seen * size * 5) >= seen * size
    if max(streams) > 20 * size * size:  # long enough to tell it exactly
        assert pace.bound(seen, seen * size * 5) == seen * size


@given(
    size=st.integers(1, 16),
    streams=st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 200), st.booleans()), min_size=1, max_size=12
    ),
    seen=st.integers(0, 600),
)
def test_the_last_piece_of_thinking_and_of_short_streams_lowers_no_bound(
    size: int, streams: list[tuple[int, int, bool]], seen: int
) -> None:
    """Each is shorter than the rest: a thought of 4 tokens before pieces of 16 made them 15."""
    pace = Pace()
    for thought, text, has_end in streams:
        pieces = math.ceil(thought / size) + math.ceil(text / size)
        tokens = thought + text + has_end
        pace.learn(pieces, tokens * 5, tokens, 1 + (thought > 0))
    assert pace.bound(seen, seen * size * 5) >= seen * size


@given(st.lists(st.lists(st.integers(1, 6), min_size=16, max_size=60), min_size=3, max_size=9))
def test_where_pieces_vary_the_bound_is_the_most_that_any_stream_had(
    streams: list[list[int]],
) -> None:
    pace = Pace()
    for pieces in streams:
        pace.learn(len(pieces), 9 * sum(pieces), sum(pieces))
    assert all(pace.bound(len(p), 9 * sum(p)) >= sum(p) - 1 for p in streams)


def test_a_piece_far_larger_than_any_that_taught_is_bounded_by_its_bytes() -> None:
    """A server that gathers now and then: one token a piece, and then 2,000 tokens in one."""
    pace = Pace()
    pace.learn(40, 200, 41)
    assert pace.bound(3, 15) == 3
    assert pace.bound(1, 9_000) >= 9_000 - 100
    assert pace.bound(40, 40 * 60) == 40  # long words are still a token each


def test_where_answers_come_in_one_piece_each_is_bounded_by_its_own_bytes() -> None:
    pace = Pace()
    pace.learn(1, 2632, 1976)
    assert not pace.can_be_cut
    assert pace.bound(1, 4494) == 4494


def test_a_call_that_is_cut_past_its_cap_may_have_decoded_on() -> None:
    """Its server minds no cap, though nothing had told of that before."""
    meter = Meter(Request(Problem.ask("?").prompt, max_tokens=1), 10, 64, Pace())
    meter.take(Choice(delta=Delta("three words came")))
    assert meter.has_overrun
    assert meter.usage_if_cut.output_tokens >= 3
    assert meter.usage_if_cut.unseen_tokens == 64


def _cjk(index: int = 0) -> Choice:
    return Choice(index=index, delta=Delta("答"))


def test_a_call_whose_figures_are_past_its_cap_may_have_decoded_on() -> None:
    """No blanks, so that no words tell of it: the server's own figure does."""
    meter = Meter(Request(Problem.ask("?").prompt, max_tokens=30), 10, 64, Pace())
    for decoded in range(1, 51):
        meter.take(_cjk())
        hear_of_all([meter], Report(10, decoded, 10 + decoded))
    assert meter.usage_if_cut.output_tokens == 50
    assert meter.usage_if_cut.unseen_tokens == 64


def test_choices_whose_figures_are_past_all_their_caps_are_not_held_to_them() -> None:
    meters = [Meter(Request(Problem.ask("?").prompt, max_tokens=30), 10, 64, Pace()) for _ in "abc"]
    for decoded in range(1, 92):
        meters[decoded % 3].take(_cjk())
        hear_of_all(meters, Report(10, decoded, 10 + decoded))
        if decoded == 90:
            assert sum(meter.usage_if_cut.output_tokens for meter in meters) == 90
    assert all(meter.usage_if_cut.output_tokens == meter.pieces * 3 for meter in meters)  # bytes
    assert all(meter.usage_if_cut.unseen_tokens == 64 for meter in meters)


def test_a_group_of_one_choice_hears_the_figures_as_they_come() -> None:
    meter = Meter(Request(Problem.ask("?").prompt, max_tokens=30), 10, 64, Pace())
    group = _Group(meter.request)
    group.choices = (meter,)
    report = Report(10, 50, 60)
    group.take([*(Event([_cjk()]) for _ in range(50)), Event([], report)])
    assert meter.usage_if_cut.output_tokens == 50
    group.take([Event([Choice(finish_reason="stop")]), Event([], report)])
    group.settle("server")
    assert (meter.usage.output_tokens, meter.usage.source) == (50, "measured")


@pytest.mark.parametrize(
    ("text", "told", "is_of_one"),
    [
        ("🙂", 30, True),  # three tokens each: as many as ten of them take
        ("🙂", 60, False),
        ("a ", 19, True),
        ("a ", 20, False),
    ],
)
def test_a_figure_for_two_choices_may_be_of_one(text: str, told: int, is_of_one: bool) -> None:
    meters = [Meter(Request(Problem.ask("?").prompt, max_tokens=99), 9, 64, Pace()) for _ in "ab"]
    for meter in meters:
        for _ in range(10):
            meter.take(Choice(delta=Delta(text)))
        meter.take(Choice(finish_reason="stop"))
    assert may_be_of_one(meters, told) is is_of_one
    assert not may_be_of_one(meters[:1], told)


def test_short_streams_tell_together_and_whole_answers_tell_nothing_of_pieces() -> None:
    pace = Pace()
    for _ in range(3):
        assert pace.per_piece is None
        pace.learn(5, 25, 6)
    assert pace.per_piece is not None
    pace = Pace()
    pace.learn(0, 500, 120)
    assert pace.per_piece is None
    pace.learn(0, 20, 120)
    assert pace.hides


def test_a_server_that_hides_its_thinking_is_not_cut_by_what_it_shows() -> None:
    pace = Pace()
    pace.learn(40, 200, 41)
    assert pace.can_be_cut
    pace.learn(40, 200, 900)
    assert not pace.can_be_cut


@pytest.mark.parametrize(
    "per_chunk", [pytest.param(1, marks=pytest.mark.heavy), 2, 6, 16]
)  # one a piece is what every other test serves
@pytest.mark.parametrize(
    "strategy",
    [SelfConsistency(n=8, max_tokens=2048), ShortMAtK(m=2, k=8, max_tokens=2048)],
    ids=["votes", "race"],
)
def test_several_tokens_a_piece_pass_no_budget(per_chunk: int, strategy: Any) -> None:
    async def main() -> None:
        behaviour = Behaviour(text=LONG, tokens_per_chunk=per_chunk, delay_seconds=0.0001)
        async with before(behaviour) as (engine, server):
            for _ in range(2):  # unknown at first, then learnt
                earlier = server.bill.completion_tokens
                problem = Problem.ask("Go.", kind="number")
                result = await run(strategy, problem, engine, budget=Budget(work=2048))
                await anyio.sleep(0.05)
                served = server.bill.completion_tokens - earlier
                assert served <= 2048
                assert served <= result.work + result.usage.unseen_tokens
                assert served >= 0.95 * 2048 - result.usage.unseen_tokens
                assert result.overrun == 0

    anyio.run(main)


def test_usage_that_runs_along_is_the_count() -> None:
    async def main() -> None:
        async with before(Behaviour(text=LONG, tokens_per_chunk=3)) as (engine, _):
            usage = (await draw(engine)).usage
            assert (usage.output_tokens, usage.source) == (64, "measured")

    anyio.run(main)


def figures(**told: Any) -> Figures:
    reasoning, cached = told.pop("reasoning", None), told.pop("cached", None)
    return reconcile(
        Report(
            **told,
            completion_tokens_details=CompletionDetails(reasoning),
            prompt_tokens_details=PromptDetails(cached),
        ),
        SHOWN,
    )


@pytest.mark.parametrize(
    ("told", "decoded", "reasoning"),
    [
        ({"completion_tokens": 45, "reasoning": 40, "total_tokens": 55}, 45, 40),
        ({"completion_tokens": 5, "reasoning": 40, "total_tokens": 55}, 45, 40),
        ({"completion_tokens": 5, "reasoning": 40}, 45, 40),
        ({"completion_tokens": 42, "reasoning": 40}, 82, 40),  # five words and 40 are more than 42
        ({"completion_tokens": 5, "total_tokens": 55}, 45, 0),
        ({"total_tokens": 55}, 45, 0),
        ({"completion_tokens": 20, "cached": 40, "total_tokens": 70}, 20, 0),
    ],
    ids=["part", "beside", "beside-no-total", "words", "total", "total-only", "cached-beside"],
)
def test_thinking_is_found_wherever_a_server_puts_it(
    told: dict[str, int], decoded: int, reasoning: int
) -> None:
    found = figures(prompt_tokens=10, **told)
    assert (found.decoded, found.reasoning) == (decoded, reasoning)
    assert found.is_measured
    assert not found.contradictions


@pytest.mark.parametrize(
    "told",
    [
        {"completion_tokens": -5},
        {"completion_tokens": 3},
        {"completion_tokens": 20, "reasoning": -3},
        {"completion_tokens": 20, "reasoning": 30, "total_tokens": 30},
        {"completion_tokens": 20, "total_tokens": 12},
        {"completion_tokens": 20, "total_tokens": -1},
        {"completion_tokens": 20, "cached": -50},
        {"completion_tokens": 20, "cached": 10**6},
        {"completion_tokens": 10**9},
        {"completion_tokens": 20, "cost": -1.0},
        {"completion_tokens": 20, "cost": float("nan")},
        {"completion_tokens": 20, "cost": float("inf")},
    ],
    ids=str,
)
def test_what_cannot_be_true_is_named_and_lowers_nothing(told: dict[str, Any]) -> None:
    found = figures(prompt_tokens=10, **told)
    assert found.contradictions
    assert found.decoded >= max(SHOWN.decoded_least, 20 if told["completion_tokens"] > 5 else 40)
    assert found.reasoning <= found.decoded
    assert 0 <= found.cached <= (found.prompt or 0)
    assert found.cost is None


@pytest.mark.parametrize("prompt", [-100, 1, 3])
def test_a_prompt_below_its_words_stays_at_its_bound(prompt: int) -> None:
    found = figures(prompt_tokens=prompt, completion_tokens=20)
    assert found.prompt is None
    assert found.contradictions


COUNT = st.integers(-100, 2000)


@given(
    report=st.builds(
        Report,
        prompt_tokens=COUNT,
        completion_tokens=COUNT,
        total_tokens=COUNT,
        completion_tokens_details=st.builds(CompletionDetails, COUNT | st.none()),
        prompt_tokens_details=st.builds(PromptDetails, COUNT | st.none()),
        cost=st.floats() | st.none(),
    ),
    least=st.integers(0, 300),
    most=st.integers(0, 300),
)
def test_no_report_makes_an_account_impossible(report: Report, least: int, most: int) -> None:
    assume(least <= most)
    shown = Shown(500, least, most, least, 4, 60)
    found = reconcile(report, shown)
    assert found.decoded >= least
    assert found.decoded >= report.completion_tokens
    assert 0 <= found.reasoning <= found.decoded
    assert 0 <= found.cached <= (found.prompt or 0)
    assert found.cost is None or (found.cost >= 0 and found.cost.is_finite())


@given(st.lists(st.integers(0, 500), min_size=1, max_size=6))
def test_a_running_report_never_shrinks(counts: list[int]) -> None:
    last = None
    for count in counts:
        last = merged(last, Report(completion_tokens=count))
    assert last is not None
    assert last.completion_tokens == max(counts)


@given(st.text(alphabet="ab \n答", max_size=30))
def test_words_bound_tokens_from_below(text: str) -> None:
    assert least_tokens(text) == len(text.split())
    assert least_tokens("-" * 300) == 3


@pytest.mark.parametrize("alphabet", ["想答案数学", "0123456789", "🙂🤔🧮", "かな漢字", "한국어"])
def test_text_without_blanks_takes_a_token_for_so_many_characters(alphabet: str) -> None:
    text = (alphabet * 100)[:100]
    assert least_tokens(text) == 1 + 99 // 16
    assert least_tokens(alphabet[0] * 100) == 1  # vocabularies hold runs of one character
    for cut in range(0, 100, 7):  # what comes in two pieces is never more
        assert least_tokens(text[:cut]) + least_tokens(text[cut:]) <= least_tokens(text) + 1


@pytest.mark.parametrize("word", ["translatesAutoresizingMaskIntoConstraints", "=" * 100])
def test_long_words_are_no_more_than_a_token(word: str) -> None:
    assert least_tokens(f"{word} {word}") == 2


@given(st.integers(0, 10**6), st.lists(st.integers(1, 1000), min_size=1, max_size=9))
def test_shares_add_up(total: int, weights: list[int]) -> None:
    assert sum(split(total, weights)) == total
