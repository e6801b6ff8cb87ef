"""A replay without an event loop comes to what `workspan.run` comes to, and so do workers."""

from __future__ import annotations

import random
import re
from collections import deque
from dataclasses import replace
from pathlib import Path

import anyio
import pyarrow
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Answer, Message, Problem
from workspan.errors import EngineError
from workspan.lab.replay.direct import Ended, run_directly
from workspan.lab.replay.folds import Folds
from workspan.lab.replay.held_out import Found, Work
from workspan.lab.replay.loop import NotDirect
from workspan.lab.replay.methods import Plain, read_methods
from workspan.lab.replay.replay import replay
from workspan.lab.replay.workers import _Told, _Worker
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.parquet import read_recordings
from workspan.recordings.recording import Chain, Recording
from workspan.runner import run
from workspan.spec import parse_strategy

STRATEGIES = (
    "single(max_tokens=4000)",
    "self_consistency(n=7, max_tokens=4000)",
    "self_consistency(n=5, max_tokens=700)",
    "adaptive_consistency(n=9, batch=2, max_tokens=4000)",
    "bayesian_stopping(n=9, batch=3, max_tokens=4000)",
    "esc(n=12, window=3, max_tokens=4000)",
    "fixed_split(n=5, depth=900)",
    "parallel_probe(n=6, block=200, warmup=1, patience=2, stable=3, max_tokens=4000)",
    "short_m_at_k(m=2, k=6, max_tokens=4000)",
    "luby_restarts(unit=300, restarts=15)",
    "auto(n=8, max_tokens=4000)",
    "auto(n=8, max_tokens=4000, prefers='span')",
    "cmc(beta=0.3, block=200, max_tokens=4000)",
    "then(single(max_tokens=600), self_consistency(n=3, max_tokens=4000))",
    "fallback(self_consistency(n=3, max_tokens=4000), single(max_tokens=300))",
    "weighted_vote(n=5, max_tokens=4000)",
    "bayes_factor(b=10, max_tokens=4000)",
    "ahead_by(k=2, max_tokens=4000)",
    "mmc(max_tokens=4000)",
    "certified_vote(max_tokens=4000)",
)
_MARKS = re.compile(r"(\[[k-t]+@[k-t]+\])+")


def recorded(seed: int, *, chains: int = 12, problems: int = 1) -> Recording:
    """Chains of all lengths; slices of 256 end on a probe, between two, or with the chain."""
    rng = random.Random(seed)
    step = rng.choice((128, 200, 256))
    found = {}
    for number in range(problems):
        many = []
        for _ in range(chains):
            end = rng.choice((rng.randint(1, 3000), 256 * rng.randint(1, 9)))
            depths = (*range(step, end, step), end)
            answers = [rng.choice(("1", "2", "03", "3", None)) for _ in depths]
            many.append(Chain(depths, tuple(answers)))
        found[f"p{number}"] = tuple(many)
    asked = tuple(Problem(name, (Message("user", name),)) for name in found)
    return Recording("m", asked, found, dict.fromkeys(found, "3"))


def both(strategy: Strategy, one: Recording, budget: Budget, order: int) -> tuple[Ended, Ended]:
    """Run it directly, and the general way."""
    problem = one.problems[0]

    def engine() -> ReplayEngine:
        return ReplayEngine(one, order=order, once=True)

    async def general() -> Ended:
        done = await run(strategy, problem, engine(), budget=budget, seed=order)
        return Ended(done.answer, done.work, done.span, bool(done.overruns))

    return run_directly(strategy, problem, engine(), budget, order), anyio.run(general)


def told(ended: Ended) -> object:
    """All of a run but the marks that stand for slices: a direct run writes the last of them."""
    answer: Answer = ended.answer

    def short(text: str) -> str:
        return _MARKS.sub(lambda found: found[1], text)

    candidates = [replace(one, text=short(one.text)) for one in answer.candidates]
    best = answer.best and replace(answer.best, text=short(answer.best.text))
    votes = (answer.votes, answer.tied, answer.why)
    return best, candidates, votes, ended.work, ended.span, ended.is_over


@given(
    st.integers(0, 10_000),
    st.sampled_from(STRATEGIES),
    st.none() | st.integers(1, 12_000) | st.integers(1, 40).map(lambda n: 256 * n),
    st.none() | st.integers(1, 4_000),
)
@example(1, STRATEGIES[1], 256 * 9, None)
@example(2, STRATEGIES[8], 5000, 900)
@settings(max_examples=150, deadline=None)
def test_a_direct_run_is_the_run(seed: int, text: str, work: int | None, span: int | None) -> None:
    budget = Budget(work=work, span=span)
    try:
        direct, general = both(parse_strategy(text), recorded(seed), budget, seed)
    except (NotDirect, EngineError):
        return
    assert told(direct) == told(general)


@pytest.mark.parametrize("text", STRATEGIES)
def test_ordinary_strategies_run_directly(text: str) -> None:
    for work in (None, 700, 6000):
        direct, general = both(parse_strategy(text), recorded(5), Budget(work=work), 3)
        assert told(direct) == told(general)


@pytest.mark.parametrize("budget", [Budget(calls=3), Budget(work=500, seconds=60.0)])
def test_other_limits_take_the_general_way(budget: Budget) -> None:
    engine = ReplayEngine(recorded(1), order=0, once=True)
    with pytest.raises(NotDirect):
        run_directly(parse_strategy("single"), engine.recording.problems[0], engine, budget, 0)


def test_branches_inside_of_branches_are_replayed_all_the_same() -> None:
    nested = "portfolio(self_consistency(n=2, max_tokens=900), single(max_tokens=900))"
    one = recorded(4, problems=4)
    engine = ReplayEngine(one, order=0, once=True)
    with pytest.raises(NotDirect):
        run_directly(parse_strategy(nested), one.problems[0], engine, Budget(), 0)
    found = anyio.run(lambda: replay([one], read_methods(nested), [Budget(work=3000)]))
    assert len(found.outcomes) == 4
    assert all(0 < outcome.work <= 3000 for outcome in found.outcomes)


def test_a_worker_finds_what_the_process_itself_finds() -> None:
    one, budgets = recorded(7, problems=8), [Budget(work=2000), Budget()]
    names = "best_fixed,self_consistency(n=3),auto,oracle"

    def found(workers: int) -> list[object]:
        done = anyio.run(
            lambda: replay([one], read_methods(names), budgets, seeds=1, workers=workers)
        )
        return [replace(outcome, seconds=0.0) for outcome in done.outcomes]

    assert found(0) == found(1)


def test_a_worker_understands_and_does_all_of_the_work() -> None:
    names, budgets = "best_fixed,self_consistency(n=3),auto", (Budget(work=2000), Budget())
    methods = tuple(one for one in read_methods(names) if one)
    work = Work((recorded(7, problems=8),), methods, budgets, Folds(), 0, 1)
    told, left, found = _Told.of(work), deque(range(5)), dict[int, Found]()
    assert told is not None
    with _Worker(told, left, found) as worker:
        worker.wait()
    assert sorted(found) == [0, 1, 2, 3, 4]
    for split in found:
        mine = anyio.run(work.do, split)
        for own, other in zip(mine, found[split], strict=True):
            for (name, means), (theirs, told_means) in zip(own, other, strict=True):
                assert name == theirs
                assert [*means[:3], *means[4:]] == [*told_means[:3], *told_means[4:]]  # no seconds


def test_a_worker_is_told_of_recordings_as_files_hold_them(tmp_path: Path) -> None:
    """Without the questions, and with them: else a replay would go on alone, and say nothing."""
    step = {"answer": "3", "tokens": 40}
    names = [f"p{i}" for i in range(4)]
    columns = {"task": "t", "model": "m", "gold": "3", "chain": 0, "setting": "8k", "effort": "low"}
    rows = [{"problem_id": name, **columns, "steps": [step]} for name in names]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "chains.parquet")
    (method,) = read_methods("single")
    assert method is not None
    for prompts in ({}, dict.fromkeys(names, "What is 1 + 2?")):
        (one,) = read_recordings(tmp_path / "chains.parquet", prompts=prompts).recordings
        told = _Told.of(Work((one,), (method,), (Budget(),), Folds(), 0, 1))
        assert told is not None
        assert told.work().recordings == (one,)


def test_what_a_worker_can_not_be_told_is_kept() -> None:
    (method,) = read_methods("single")
    assert isinstance(method, Plain)
    other = replace(method, strategy=parse_strategy("self_consistency(n=2)"))
    work = Work((recorded(7, problems=8),), (other,), (Budget(),), Folds(), 0, 1)
    assert _Told.of(work) is None
