"""Step-level search on a simulated walk: three turns, of which one in 125 is right."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import anyio
import pytest

from workspan.core.engine import Capability
from workspan.core.session import Score, Session, Strategy
from workspan.data.budget import Budget
from workspan.data.types import AnswerKind, Candidate, Problem, Request
from workspan.errors import EngineRejected, SpecError
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.strategies.hybrid.beam_search import BeamSearch
from workspan.strategies.hybrid.dora import Dora
from workspan.strategies.hybrid.dvts import Dvts
from workspan.strategies.hybrid.particle_filter import ParticleFilter
from workspan.strategies.hybrid.particle_gibbs import ParticleGibbs
from workspan.strategies.hybrid.rebase import Rebase
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

WAY = "314"
DEPTH = len(WAY) + 1
"""Steps of a whole walk: its turns, then the answer."""


def turns(text: str) -> str:
    return "".join(re.findall(r"turn (\d)", text))


def walk(request: Request) -> str:
    """Take the next turn at random, or, where no step ends it, all of them; then say the way."""
    rng = random.Random(request.seed)
    taken = turns(request.prefix)
    if request.stop:
        return f"turn {rng.randint(0, 4)}" if len(taken) < len(WAY) else f"Answer: {taken}"
    way = [str(rng.randint(0, 4)) for _ in WAY]
    return " ".join(f"turn {digit}" for digit in way) + f" Answer: {''.join(way)}"


@dataclass(frozen=True)
class Compass:
    """Likes a walk that has not left the right way; asks nothing."""

    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        return Score(0.9 if WAY.startswith(turns(candidate.text)) else 0.1)


@dataclass(frozen=True)
class Indifferent:
    """Scores all alike."""

    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        return Score(0.5)


SEARCHES: list[Strategy] = [
    BeamSearch(16, 8, Compass()),
    Dvts(16, 8, Compass()),
    Rebase(16, verifier=Compass()),
    Dora(16, verifier=Compass()),
    ParticleFilter(16, Compass()),
    ParticleGibbs(16, 2, Compass(), "systematic"),
]
searches = pytest.mark.parametrize("strategy", SEARCHES, ids=lambda s: type(s).__name__)


def solve(
    strategy: Strategy | str,
    engine: ScriptedEngine | None = None,
    *,
    budget: str | None = None,
    seed: int = 0,
    kind: AnswerKind = "text",
) -> Result:
    parsed = parse_strategy(strategy) if isinstance(strategy, str) else strategy
    problem = Problem.ask("Which way?", kind=kind)
    limits = Budget.parse(budget) if budget else None
    model = ScriptedEngine(walk) if engine is None else engine
    result = anyio.run(lambda: run(parsed, problem, model, budget=limits, seed=seed))
    assert result.work == model.billed.output_tokens
    return result


def hits(strategy: Strategy) -> int:
    return sum(solve(strategy, seed=seed).answer.text == WAY for seed in range(10))


@searches
def test_a_verifier_of_steps_steers_to_the_leaf(strategy: Strategy) -> None:
    assert hits(strategy) >= 8


def test_sampling_whole_walks_misses_the_leaf() -> None:
    assert hits(BestOfN(16, Compass())) <= 3


@pytest.mark.parametrize("work", [1, 5, 33, 70, 100])
@searches
def test_a_budget_that_ends_in_mid_depth_still_answers(strategy: Strategy, work: int) -> None:
    result = solve(strategy, budget=f"{work} work", kind="number")
    assert result.work <= work
    assert result.stop == "work"
    assert (result.answer.text is not None) is (work > 1), "a turn has been taken"


@searches
def test_a_draw_that_fails_leaves_the_others(strategy: Strategy) -> None:
    faults = {i: (0, EngineRejected("refused")) for i in (0, 3, 20)}
    result = solve(strategy, FaultyEngine(walk, faults=faults))
    assert result.failures == 3
    assert result.answer.text is not None


@searches
def test_when_every_draw_fails_the_error_says_so(strategy: Strategy) -> None:
    faults = {i: (0, EngineRejected("refused")) for i in range(100)}
    with pytest.raises(EngineRejected, match="refused"):
        solve(strategy, FaultyEngine(walk, faults=faults))


def test_draws_are_as_many_as_the_formulas_say() -> None:
    n, width, rounds = 8, 4, 3
    level = n * DEPTH
    counted: dict[Strategy, int] = {
        BeamSearch(n, width, Indifferent()): level,
        Dvts(n, width, Indifferent()): level,
        Rebase(n, verifier=Indifferent()): level,
        Dora(n, verifier=Indifferent()): level,
        ParticleFilter(n, Indifferent()): level,
        ParticleGibbs(n, rounds, Indifferent()): DEPTH * (n + (rounds - 1) * (n - 1)),
    }
    for strategy, calls in counted.items():
        assert solve(strategy).usage.calls == calls, strategy


def test_the_step_judge_is_asked_once_a_step() -> None:
    def script(request: Request) -> str:
        return "7" if "may not be complete" in request.prompt[-1].text else walk(request)

    result = solve("particle_filter(n=3)", ScriptedEngine(script))
    assert result.usage.calls == 2 * 3 * DEPTH
    assert result.span == DEPTH * (2 + 1)


def test_log_probabilities_are_asked_for_where_the_verifier_needs_them() -> None:
    engine = ScriptedEngine(walk)
    result = solve("rebase(n=2, verifier=likelihood)", engine)
    assert all(request.logprobs for request in engine.requests)
    assert result.usage.calls == 2 * DEPTH
    assert result.answer.best is not None
    assert result.answer.best.score is not None


def test_a_beam_keeps_the_best_and_continues_each_m_ways() -> None:
    engine = ScriptedEngine(walk)
    solve(BeamSearch(8, 4, Compass()), engine, seed=1)
    for level in range(1, DEPTH):
        prefixes = Counter(r.prefix for r in engine.requests[8 * level : 8 * level + 8])
        assert set(prefixes.values()) <= {4, 8}
        before = [r.prefix for r in engine.requests[8 * (level - 1) : 8 * level]]
        assert all(any(prefix.startswith(one) for one in before) for prefix in prefixes)


def test_subtrees_never_share_a_step() -> None:
    engine = ScriptedEngine(walk)
    result = solve(Dvts(4, 2, Compass()), engine)
    assert result.usage.calls == 4 * DEPTH
    last = Counter(r.prefix for r in engine.requests if len(turns(r.prefix)) == len(WAY))
    assert sum(last.values()) == 4
    assert all(count % 2 == 0 for count in last.values())
    assert result.span == 2 * DEPTH


def alike(request: Request, tally: Counter[str]) -> str:
    """Begin five times the same way and once another, then answer."""
    if request.prefix:
        return "Answer: 7"
    tally["begun"] += 1
    return "Another route entirely" if tally["begun"] == 6 else "turn to the left"


@pytest.mark.parametrize(("name", "same", "other"), [("rebase", 5, 1), ("dora", 3, 3)])
def test_dora_counts_one_idea_once_where_rebase_counts_it_five_times(
    name: str, same: int, other: int
) -> None:
    tally: Counter[str] = Counter()
    engine = ScriptedEngine(lambda r: alike(r, tally))
    strategies: dict[str, Strategy] = {
        "rebase": Rebase(6, verifier=Indifferent()),
        "dora": Dora(6, verifier=Indifferent()),
    }
    solve(strategies[name], engine)
    prefixes = Counter(r.prefix for r in engine.requests[6:])
    assert prefixes == {"turn to the left\n\n": same, "Another route entirely\n\n": other}


def test_a_likeness_of_ones_own_takes_the_place_of_the_counted_one() -> None:
    engine = ScriptedEngine(lambda r: alike(r, Counter()))
    texts: list[str] = []

    def strangers(drawn: Sequence[str], /) -> list[list[float]]:
        texts.extend(drawn)
        size = len(texts)
        return [[float(i == j) for j in range(size)] for i in range(size)]

    solve(Dora(3, verifier=Indifferent(), likeness=strangers), engine)
    assert texts == ["turn to the left\n\n"] * 3


def test_a_finished_path_takes_its_place_from_the_width() -> None:
    def script(request: Request) -> str:
        return "Answer: 4" if request.prefix or request.seed % 2 else "go on"

    engine = ScriptedEngine(script)
    solve(Rebase(8, verifier=Indifferent()), engine)
    done = sum(not r.prefix and r.seed % 2 for r in engine.requests)
    assert 0 < done < 8
    assert len(engine.requests) == 8 + (8 - done)


def test_a_model_that_ends_without_a_mark_is_asked_once_more_and_believed() -> None:
    engine = ScriptedEngine(lambda r: "" if r.prefix else "It makes 4")
    result = solve(BeamSearch(2, 2, Indifferent()), engine, kind="number")
    assert result.answer.text == "4"
    assert [r.prefix for r in engine.requests] == ["", "", "It makes 4\n\n", "It makes 4\n\n"]
    assert result.answer.best is not None
    assert result.answer.best.text == "It makes 4\n\n"


def test_a_step_that_hits_its_cap_is_continued_where_it_was_cut() -> None:
    engine = ScriptedEngine(lambda r: "Answer: 4" if r.prefix else "so it goes on")
    solve(Rebase(1, verifier=Indifferent(), step_tokens=2), engine, kind="number")
    assert [r.prefix for r in engine.requests] == ["", "so it "]


def test_the_reference_particle_takes_part_in_the_next_sweep_and_is_kept() -> None:
    """The first sweep has the right way by luck; the others never find it but by its steps."""
    drawn: Counter[str] = Counter()

    def script(request: Request) -> str:
        drawn["calls"] += 1
        taken = turns(request.prefix)
        if len(taken) == len(WAY):
            return f"Answer: {taken}"
        is_first_sweep = drawn["calls"] <= 2 * DEPTH
        return f"turn {WAY[len(taken)]}" if is_first_sweep else "turn 0"

    result = solve(ParticleGibbs(2, 4, Compass()), ScriptedEngine(script))
    assert result.usage.calls == DEPTH * (2 + 3 * 1)
    assert result.answer.text == WAY
    assert len(result.answer.candidates) == 2 + 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("beam_search(n=6, width=4)", "multiple of width"),
        ("dvts(n=6, width=4)", "multiple of width"),
        ("rebase(balance=0)", "balance is 0"),
        ("dora(sharpness=0)", "sharpness is 0"),
        ("particle_gibbs(n=1)", "n is 1"),
        ("particle_filter(resampling='none')", "one of 'multinomial', 'systematic'"),
    ],
)
def test_values_out_of_range_are_refused(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        parse_strategy(text)
