"""`auto` in a replay: what it learns, from whom, and that its budgets hold."""

from __future__ import annotations

import random
from pathlib import Path

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.types import Message, Problem
from workspan.lab.calibrating import calibrate
from workspan.lab.replay.fitted import Known
from workspan.lab.replay.fitting import Fitting
from workspan.lab.replay.folds import Folds
from workspan.lab.replay.methods import read_methods
from workspan.lab.replay.records import records
from workspan.lab.replay.replay import Replayed, replay
from workspan.recordings.recording import Chain, Recording
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import write_profile


def made(n: int = 20, chains: int = 12, seed: int = 0, *, probed: bool = True) -> Recording:
    """Problems of two kinds: chains that end at 400 to 800 tokens, and at 3,000 to 6,000.

    Three of four chains of the first kind end right, two of three of the second.
    """
    rng = random.Random(seed)
    problems = tuple(Problem(f"p{i}", (Message("user", f"p{i}"),), "number") for i in range(n))
    found: dict[str, tuple[Chain, ...]] = {}
    for i, problem in enumerate(problems):
        share, low, high = ((3 / 4, 400, 800), (2 / 3, 3000, 6000))[i % 2]
        own = []
        for _ in range(chains):
            end = rng.randint(low, high)
            last = "4" if rng.random() < share else str(rng.randint(5, 9))
            depths = [*range(200, end, 200)] if probed else []
            said = [last if depth > 0.8 * end else str(rng.randint(4, 30)) for depth in depths]
            own.append(Chain((*depths, end), (*said, last)))
        found[problem.id] = tuple(own)
    return Recording("m", problems, found, {problem.id: "4" for problem in problems})


def execute(text: str, *works: int, on: Recording) -> Replayed:
    budgets = [Budget(work=work) for work in works]
    return anyio.run(
        lambda: replay([on], read_methods(text), budgets, folds=Folds("problem", 2), seeds=2)
    )


@pytest.mark.slow
def test_auto_pools_its_budget_and_auto_hard_keeps_it_on_every_run() -> None:
    done = execute("auto,auto_hard", 3000, on=made())
    mean, hard = records(done)
    assert (mean.pooled, hard.pooled) == (True, False)
    assert mean.strategy == "auto"
    assert mean.work <= 1.25 * 3000  # chosen on other problems: near it, not below it
    works = [one.work for one in done.outcomes if one.strategy == "auto_hard"]
    assert max(works) <= 3000
    assert max(one.work for one in done.outcomes if one.strategy == "auto") > 3000


@pytest.mark.slow
def test_auto_is_not_behind_the_best_fixed_split_on_two_kinds_of_problem() -> None:
    found = {r.strategy: r for r in records(execute("best_fixed,auto", 6000, on=made(40)))}
    assert found["auto"].accuracy >= found["best_fixed"].accuracy - 0.05


def test_samples_without_interim_answers_are_drawn_whole() -> None:
    done = execute("auto", 4000, on=made(8, probed=False))
    (found,) = records(done)
    assert found.accuracy > 0.5
    assert found.work > 0


def test_with_plenty_of_whole_samples_it_answers_as_the_full_width_does_for_less() -> None:
    done = execute("self_consistency(n=12),auto", 10**6, on=made(8, probed=False))
    answered = {
        one: [x.correct for x in done.outcomes if x.strategy == one] for one in done.strategies
    }
    assert answered["auto"] == answered["self_consistency(n=12)"]
    full, auto = records(done)
    assert auto.work < 0.95 * full.work


def test_a_label_of_a_held_out_problem_changes_nothing_that_runs_on_it() -> None:
    one = made(8, 6)
    flipped = Recording(one.model, one.problems, one.chains, {**one.references, "p0": "999"})

    def rule(recording: Recording) -> object:
        (method,) = read_methods("auto")
        assert isinstance(method, Fitting)
        splits = Folds("problem", 2).split([recording])
        split = next(s for s in splits if "p0" in {problem.id for problem in s.held.problems})
        return method.fit(split, Budget(work=3000), Known()).strategy

    others = {name: "5" if name != "p0" else "4" for name in one.references}
    assert rule(one) == rule(flipped)
    assert rule(one) != rule(Recording(one.model, one.problems, one.chains, others))


def test_parallel_probe_runs_on_recorded_chains() -> None:
    text = "parallel_probe(n=4, block=200, warmup=1, patience=2, stable=3)"
    (found,) = records(execute(text, 40_000, on=made(8)))
    assert found.accuracy > 0.5
    assert found.work < 40_000


def test_a_profile_that_is_named_is_used_instead_of_the_training_part(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    write_profile(calibrate([made(6, seed=5)]), path)
    (method,) = read_methods(f"auto(profile={str(path)!r})")
    assert isinstance(method, Fitting)
    first, second = Folds("problem", 2).split([made(8)])
    one, other = (
        method.fit(split, Budget(work=3000), Known()).strategy for split in (first, second)
    )
    assert isinstance(one, Auto)
    assert isinstance(other, Auto)
    assert one.fitted == other.fitted
