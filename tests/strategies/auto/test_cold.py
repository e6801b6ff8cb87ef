"""The rule that knows nothing: its guarantees, by simulation of chains with a known law."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from math import inf, log2

import pytest

from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.policies.cold import Cold
from workspan.strategies.auto.policies.exhaustive import Exhaustive
from workspan.strategies.auto.policies.state import NONE, Chain, Policy, State
from workspan.strategies.auto.policies.within import Within

BLOCK = 10


def simulate(
    rule: Policy, draw: Callable[[], tuple[float, int]], state: State, *, judged: bool = False
) -> State:
    """Run a rule on chains that end after a drawn number of tokens with a drawn answer.

    A judged chain scores 1 if its answer is 0.
    """
    drawn: list[tuple[float, int]] = []
    chains = list(state.chains)
    while True:
        state = replace(state, chains=tuple(chains), work=sum(chain.depth for chain in chains))
        decision = rule.decide(state)
        if decision.action in ("stop", "abstain"):
            return state
        chains += [Chain(0)] * decision.n
        drawn += [draw() for _ in range(decision.n)]
        for i in (*decision.chains, *range(len(chains) - decision.n, len(chains))):
            end, group = drawn[i]
            depth = int(min(end, chains[i].depth + decision.block))
            ended = depth == end
            score = float(group == 0) if ended and judged else None
            chains[i] = Chain(depth, (), group if ended else NONE, ended, 0, score)
        if state.work_left is not None:
            used = sum(chain.depth for chain in chains)
            state = replace(state, work_left=max(0, state.work_left - (used - state.work)))


@pytest.mark.parametrize(("blocks", "share"), [(1, 0.5), (4, 0.3), (8, 0.2)])
def test_restarts_stay_within_a_logarithm_of_the_best_cap(blocks: int, share: float) -> None:
    # a chain passes after `blocks` blocks with probability `share`, else it never ends: the best
    # restart cuts there and takes blocks / share; Luby, Sinclair and Zuckerman bound the rest
    rng = random.Random(blocks)
    rule = Cold(block=BLOCK, is_judged=True)

    def draw() -> tuple[float, int]:
        return (blocks * BLOCK, 0) if rng.random() < share else (inf, NONE)

    spent = [simulate(rule, draw, State(), judged=True).work / BLOCK for _ in range(100)]
    best = blocks / share
    mean = sum(spent) / len(spent)
    assert mean >= 0.7 * best
    assert mean <= 4 * best * (log2(best) + 1)


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95])
def test_the_confidence_that_it_stops_at_is_calibrated(confidence: float) -> None:
    # one of two answers has a share drawn from the flat prior: of the runs that stop with this
    # confidence, so many have the plurality's answer
    rng = random.Random(1)
    found, right = 0, 0
    for _ in range(800):
        share = rng.random()
        draw = lambda share=share: (BLOCK, int(rng.random() >= share))  # noqa: E731
        end = simulate(Cold(confidence, block=BLOCK), draw, State(work_left=BLOCK * 64))
        votes = [chain.group for chain in end.chains]
        last = Cold(confidence, block=BLOCK).decide(end)
        if last.confidence >= confidence and votes:
            found += 1
            right += last.leader == int(share < 0.5)
    error = (confidence * (1 - confidence) / found) ** 0.5
    assert found > 400
    assert right / found >= confidence - 2 * error


def test_it_abstains_below_the_floor() -> None:
    end = State((Chain(BLOCK, (), 0, True), Chain(BLOCK, (), 1, True)), 2 * BLOCK, BLOCK, 0)
    assert Cold(floor=0.6).decide(end).action == "abstain"
    assert Cold(floor=0.4).decide(end).action == "stop"
    assert Cold().decide(State(work_left=0)).action == "abstain"


def test_what_is_decided_fits_what_is_left() -> None:
    rng = random.Random(2)
    for work in range(0, 400, 7):
        end = simulate(Cold(block=BLOCK), lambda: (35, rng.randint(0, 3)), State(work_left=work))
        assert end.work <= work


def test_the_exhaustive_rule_lets_every_chain_end() -> None:
    end = simulate(Exhaustive(3, BLOCK), lambda: (25, 0), State())
    assert [chain.depth for chain in end.chains] == [25, 25, 25]


def test_a_share_of_a_budget_is_all_that_a_rule_sees() -> None:
    rule = Within(Cold(confidence=1.0, block=BLOCK), 90)
    end = simulate(rule, lambda: (BLOCK, 0), State(work_left=1000))
    assert 0 < end.work <= 90


@pytest.mark.parametrize(
    ("work", "span", "n"),
    [
        (None, None, 1),
        (9_000, None, 1),
        (9_000, 3_000, 3),
        (9_000, 100, 8),
        (50, 100, 1),
        (None, 100, 8),
    ],
)
def test_where_span_is_limited_as_many_begin_as_surely_fit(
    work: int | None, span: int | None, n: int
) -> None:
    state = State(work_left=work, span_left=span)
    assert Auto(max_tokens=500).rule_for(state).decide(state).n == n
