"""Replay of recorded chains: folds, the width × depth table, the oracle and the records."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import anyio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workspan.app.replaying import check_replay, read_budgets
from workspan.data.budget import Budget
from workspan.data.types import Message, Problem
from workspan.errors import InputError, UnsupportedCapability
from workspan.lab.replay.folds import Folds
from workspan.lab.replay.grid import grid_of
from workspan.lab.replay.methods import read_methods
from workspan.lab.replay.records import records
from workspan.lab.replay.replay import Replayed, pooled_best, replay
from workspan.recordings.parquet import read_chains
from workspan.recordings.recording import Chain, Recording

CHAINS = Path(__file__).parents[3] / "shared" / "data" / "chains" / "parallel_probe_qwen3.parquet"


def recording(chain: Chain, n: int = 6, model: str = "m") -> Recording:
    problems = tuple(Problem(f"p{i}", (Message("user", f"p{i}"),)) for i in range(n))
    names = [problem.id for problem in problems]
    return Recording(
        model,
        problems,
        dict.fromkeys(names, (chain,) * 4),
        dict.fromkeys(names, "4"),
        {name: "even" if int(name[1:]) % 2 else "odd" for name in names},
    )


PROBED = recording(Chain((500, 1000), ("5", "4")))
PLAIN = recording(Chain((1000,), ("4",)))


def execute(text: str, *works: int, on: Recording = PROBED) -> Replayed:
    budgets = [Budget(work=work) for work in works]
    return anyio.run(lambda: replay([on], read_methods(text), budgets, seeds=2))


def test_a_held_out_problem_is_in_no_training_part() -> None:
    other = recording(Chain((10,), ("4",)), model="n")
    for word in ("problem", "problem:2", "task", "model", "model:2"):
        splits = Folds.parse(word).split([PROBED, other])
        held = [(split.held.model, one.id) for split in splits for one in split.held.problems]
        assert sorted(held) == sorted((m, f"p{i}") for m in "mn" for i in range(6))
        for split in splits:
            mine = {one.id for one in split.held.problems}
            assert all(not mine & {p.id for p in one.problems} for one in split.training)
            if word.startswith("model"):
                assert all(one.model != split.held.model for one in split.training)


@pytest.mark.parametrize("text", ["problems", "problem:1", "task:x", ""])
def test_unknown_folds_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="folds"):
        Folds.parse(text)


def test_the_table_charges_what_the_strategy_is_charged() -> None:
    grid = grid_of(PROBED, (600, 1000))
    accuracy, work, span = grid.means(grid.names)
    assert list(accuracy[:2]) == [0, 0]
    assert list(work[:2]) == [602, 1204]  # "5" is asked at 600: a byte, and the end
    assert (accuracy[7], work[7], span[8], work[8]) == (1, 1000, 1000, 2000)
    done = execute("fixed_split(n=2, depth=600),fixed_split(n=1, depth=1000)", 4000)
    first, second = records(done)
    assert (first.accuracy, first.work, first.span) == (0, 1204, 602)
    assert (second.accuracy, second.work) == (1, 1000)


def test_the_best_fixed_split_is_the_cheapest_of_the_best_within_the_mean() -> None:
    done = execute("best_fixed,single,oracle", 300, 1000)
    found = {(r.strategy, r.budget): r for r in records(done)}
    assert found["best_fixed", 1000].accuracy == found["oracle", 1000].accuracy == 1
    assert found["best_fixed", 1000].work == 1000
    assert found["single", 1000].difference == 0
    assert found["oracle", 1000].uses_labels
    assert found["single", 300].accuracy == 0
    assert found["oracle", 300].work <= 300
    assert found["best_fixed", 1000].regret == 0


def test_the_oracle_stays_within_the_mean_budget() -> None:
    grid = grid_of(PROBED, (600, 1000))
    bought = pooled_best(grid, Budget(work=500))
    assert sum(i is not None for i in bought) in (0, 3)


@given(st.integers(0, 10_000), st.integers(50, 3000), st.none() | st.integers(100, 9000))
@settings(max_examples=30, deadline=None)
def test_no_fixed_split_is_ahead_of_the_oracle(seed: int, span: int, work: int | None) -> None:
    rng = random.Random(seed)
    chains = {
        f"p{i}": tuple(
            Chain((100, end), (rng.choice("45"), rng.choice("45")))
            for end in (rng.randint(101, 3000) for _ in range(4))
        )
        for i in range(30)
    }
    one = replace(recording(PROBED.chains["p0"][0], n=30), chains=chains)
    grid, budget = grid_of(one, (100, 600, one.longest)), Budget(work=work, span=span)
    bought = [(row, column) for row, column in enumerate(pooled_best(grid, budget))]

    def mean(table: NDArray[np.float64]) -> float:
        return sum(0.0 if j is None else float(table[i, j]) for i, j in bought) / len(bought)

    assert mean(grid.span) <= span + 1e-6
    assert work is None or mean(grid.work) <= work + 1e-6
    fixed = grid.means(grid.names)
    fits = fixed[2] <= span
    fits &= fixed[1] <= (work or float("inf"))
    # a mixture would reach the bound; with one point for each problem two of thirty may lack a step
    assert not fits.any() or fixed[0][fits].max() <= mean(grid.accuracy) + 2 / 30


@pytest.mark.parametrize(
    ("strategies", "budget", "said"),
    [
        ("single", "30s", "take no seconds"),
        ("single,auto", "8k work + 9s", "take no seconds"),
        ("single,best_fixed", "3 calls", "best_fixed are chosen by work and span"),
        ("oracle,best_fixed", "8k work + 2 wide", "oracle and best_fixed are chosen by work"),
        ("oracle", "$1", "oracle are chosen by work"),
    ],
)
def test_limits_that_nothing_would_keep_are_refused(
    strategies: str, budget: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_replay(strategies, budget, "problem", "")


def test_ladders_are_chosen_by_work_and_span_alone() -> None:
    with pytest.raises(InputError, match="best_fixed and auto and oracle are chosen by work"):
        check_replay(None, "8k,3 calls", "problem", "", "all")
    assert len(check_replay(None, "8k,9k span", "problem", "", "all").budgets) == 2


def test_a_limit_on_calls_is_kept() -> None:
    check_replay("single,auto", "3 calls", "problem", "")
    budgets = [Budget(calls=3)]
    done = anyio.run(
        lambda: replay([PLAIN], read_methods("self_consistency(n=4)"), budgets, seeds=1)
    )
    assert {one.work for one in done.outcomes} == {3000.0}


def test_money_is_no_bare_number() -> None:
    assert read_budgets("20k work,4k") == [Budget(work=20_000), Budget(work=4000)]
    assert read_budgets("$0.5,4k,8k work + 2k span") == [
        Budget.parse("$0.5"),
        Budget(work=4000),
        Budget(work=8000, span=2000),
    ]


def test_what_was_never_asked_on_the_way_can_not_be_probed() -> None:
    with pytest.raises(UnsupportedCapability, match="continue"):
        execute("parallel_probe", 1000, on=PLAIN)
    assert records(execute("best_fixed", 1000, on=PLAIN))[0].accuracy == 1


def test_a_recorded_chain_is_given_once() -> None:
    assert records(execute("self_consistency(n=9)", 90_000))[0].work == 4000


def test_the_same_seed_gives_the_same_records() -> None:
    first, second = (execute("best_fixed,adaptive_consistency", 2000).outcomes for _ in "ab")
    assert [(o.correct, o.work) for o in first] == [(o.correct, o.work) for o in second]


@pytest.mark.slow
@pytest.mark.skipif(not CHAINS.exists(), reason="the recorded chains are not here")
def test_the_width_and_depth_table_of_aime24() -> None:
    # accuracies of an independent count on the same chains of Qwen3-8B, in %; widths 1, 2, 4, 8, 16
    known = {
        4000: (28.2, 31.9, 33.9, 35.9, 36.7),
        8000: (50.7, 52.9, 57.4, 61.1, 62.1),
        16000: (67.8, 68.4, 74.6, 75.4, 75.7),
        40000: (74.9, 75.7, 80.1, 81.0, 81.1),
    }
    grid = grid_of(read_chains(CHAINS, "Qwen/Qwen3-8B", ["aime24"]), tuple(known))
    accuracy = grid.means(grid.names)[0].reshape(len(known), -1)
    for row, values in zip(accuracy, known.values(), strict=True):
        assert list(100 * row[:5]) == pytest.approx(values, abs=1.2)


DIFFERENT = Recording(
    "m",
    PLAIN.problems,
    {one.id: tuple(Chain((10,), (said,)) for said in "4567") for one in PLAIN.problems},
    PLAIN.references,
)


@pytest.mark.parametrize(
    "text",
    [
        "bradley_terry(n=4)",
        "recursive_tournament(n=4)",
        "genselect(n=4)",
        "universal_self_consistency(n=4)",
        "best_of_n(n=4)",
        "self_revision(turns=2)",
        "rsa",
        "mixture_of_agents",
    ],
)
def test_what_needs_words_is_refused_and_no_row_of_something_else(text: str) -> None:
    with pytest.raises(InputError, match=r"recordings have no words.*leave it out"):
        execute(f"single,{text}", 100_000, on=DIFFERENT)


def test_who_asks_for_more_than_was_recorded_gets_no_more() -> None:
    done = execute("self_consistency(n=9)", 100_000, on=DIFFERENT)
    assert {one.work for one in done.outcomes} == {40.0}
