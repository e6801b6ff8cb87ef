"""Every allocation rule keeps the suite of its kind, and the suites see what is broken."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workspan.search
import workspan.strategies.auto
from workspan.search.batch import BatchPolicy, Moves, Runs
from workspan.search.cmc_batch import CmcBatch, CmcRule
from workspan.strategies.auto.fit.evaluation import Evaluation
from workspan.strategies.auto.fit.profile import Case, Profile, Record
from workspan.strategies.auto.fit.replayed import Shape
from workspan.strategies.auto.fit.rules import BySegment, evaluated, fitted
from workspan.strategies.auto.fit.vote_induction import PRICES
from workspan.strategies.auto.policies.cold import Cold
from workspan.strategies.auto.policies.evidence import Evidence
from workspan.strategies.auto.policies.exhaustive import Exhaustive
from workspan.strategies.auto.policies.plan import NEVER, Plan
from workspan.strategies.auto.policies.planned_batch import PlannedBatch
from workspan.strategies.auto.policies.policy import Arm, Planned, Scheduled
from workspan.strategies.auto.policies.race_batch import RaceBatch
from workspan.strategies.auto.policies.schedule import Try
from workspan.strategies.auto.policies.state import Decision, Policy, State
from workspan.strategies.auto.policies.stated import Stated
from workspan.strategies.auto.policies.support import Support
from workspan.strategies.auto.policies.votes import VoteRule
from workspan.strategies.auto.policies.within import Within
from workspan.testing.batch_policy_suite import World, check_batch_policy, play
from workspan.testing.policy_suite import (
    check_explained,
    check_policy,
    check_price,
    check_settled,
)
from workspan.testing.policy_suite import play as play_one

EVIDENCE = Evidence(scale=600)
PLANS = (
    Plan(Shape(1, 3_000, 100), 8, 0.04),
    Plan(Shape(3, 2_000, 300, 2, dive=200), 12, 0.02),
    Plan(Shape(4, 400, 400), 4, NEVER),
)
SUPPORT = Support(scale=600)
RACES = (
    Plan(Shape(4, 3_000, 100, joins=0), 4, 0.05),
    Plan(Shape(2, 2_000, 200, joins=1), 8, 0.02),
    Plan(Shape(3, 2_500, 300, joins=2), 12, 0.3),
)
ARMS = (Arm(0.8, 900, 300), Arm(0.6, 300, 40))
VOTERS = 12


@cache
def whole_samples() -> Evaluation:
    """A profile of samples that were never asked on the way."""
    rng = np.random.default_rng(0)
    cases = []
    for i in range(30):
        says = np.where(rng.random(VOTERS) < i / 30, 0, rng.integers(1, 4, VOTERS))
        both = zip(rng.integers(50, 900, VOTERS).tolist(), says.tolist(), strict=True)
        cases.append(Case(tuple(Record((t,), (g,), ended=True) for t, g in both), (0,)))
    return evaluated(Profile("simulated", "tokens", tuple(cases)))


def votes(price: float, floor: float = 0.0) -> VoteRule:
    """The rule that whole samples teach, at a price."""
    voting = whole_samples().voting
    assert voting is not None
    rule = voting.rule(PRICES.index(price), floor)
    assert isinstance(rule, VoteRule)
    return rule


def planned(plan: Plan = PLANS[0], **fields: Any) -> Planned:
    return Planned(plan, EVIDENCE, gain=0.5, reserve=9, **fields)


def with_arm(i: int) -> Planned:
    return planned(PLANS[1]._replace(arm=i, below=0.7), arm=ARMS[i])


SCHEDULE = (Try(100), Try(400), Try(300, arm=0), Try(1_000, chain=0), Try(50, arm=1))

RULES: dict[str, tuple[Callable[[], Policy], int, bool]] = {
    "cold": (Cold, 0, False),
    "cold and wide": (lambda: Cold(1.0, block=40, width=8), 0, False),
    "cold and shy": (lambda: Cold(0.8, floor=0.7), 0, False),
    "cold and judged": (lambda: Cold(block=100, is_judged=True), 0, True),
    "cold with arms": (lambda: Cold(block=40, is_judged=True, arms=2), 2, True),
    "exhaustive": (lambda: Exhaustive(5, 100), 0, False),
    **{f"plan {i}": (partial(planned, one), 0, False) for i, one in enumerate(PLANS)},
    **{
        f"race {i}": (
            partial(Planned, one, SUPPORT, gain=0.5, reserve=9, probe_tokens=20),
            0,
            False,
        )
        for i, one in enumerate(RACES)
    },
    "plan and shy": (lambda: planned(floor=0.6), 0, False),
    **{f"plan with arm {i}": (partial(with_arm, i), 2, False) for i in range(2)},
    "arm alone": (lambda: planned(Plan(Shape(1, 9, 9), 0, NEVER, 0, 1.0), arm=ARMS[0]), 1, False),
    "schedule": (lambda: Scheduled(SCHEDULE, EVIDENCE), 2, True),
    "schedule of restarts": (lambda: Scheduled((Try(100),), EVIDENCE, 0.5), 0, True),
    **{f"votes at {p}": (partial(votes, p), 0, False) for p in (PRICES[0], PRICES[16], PRICES[-1])},
    "votes and shy": (lambda: votes(PRICES[8], 0.6), 0, False),
    "by segment": (
        lambda: BySegment(3, 40, planned(), BySegment(1, 9, Cold(), Cold(0.7), Cold()), Cold()),
        0,
        False,
    ),
    "fitted": (lambda: fitted(whole_samples(), work=900, is_judged=True), 0, True),
    "within": (lambda: Within(Cold(1.0, block=100), 900), 0, False),
    "stated mode": (lambda: Stated(0.1, 24), 0, False),
    "stated mode and wide": (lambda: Stated(0.3, 24, width=8, hopeless=0.0), 0, False),
    "stated risk": (lambda: Stated(0.1, 12, 0.7), 0, False),
}
IN_ORDER = {name for name in RULES if name.startswith("stated")}
"""Rules that take in votes one after the other."""

BATCHES: dict[str, BatchPolicy] = {
    **{f"cmc {beta}": CmcBatch(beta, 100, 2_500) for beta in (0.0, 0.3, 1.0)},
    **{f"plan {i}": PlannedBatch(one, EVIDENCE, 2_500) for i, one in enumerate(PLANS)},
    **{f"race {i}": RaceBatch(one, SUPPORT, 2_500) for i, one in enumerate(RACES)},
    "race within a span": RaceBatch(RACES[1], SUPPORT, 2_500, span=900, reserve=20),
}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_keeps_the_suite(name: str) -> None:
    make, arms, is_judged = RULES[name]
    in_order = name in IN_ORDER
    check_policy(make(), arms=arms, is_judged=is_judged, in_order=in_order, seeds=range(30))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([*RULES]), st.integers(1_000, 10**9))
def test_rules_keep_the_suite_from_any_seed(name: str, seed: int) -> None:
    make, arms, is_judged = RULES[name]
    in_order = name in IN_ORDER
    check_policy(make(), arms=arms, is_judged=is_judged, in_order=in_order, seeds=[seed])


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PLANS), st.floats(0, 1), st.floats(0, 1))
def test_a_plan_buys_less_where_tokens_are_dearer(plan: Plan, one: float, other: float) -> None:
    cheap, dear = sorted((one, other))
    check_price(planned(plan._replace(least=cheap)), planned(plan._replace(least=dear)))
    check_price(planned(plan._replace(least=NEVER)), planned(plan._replace(least=cheap)))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(PRICES), st.floats(0, 2), st.floats(0, 2))
def test_votes_buy_less_where_tokens_are_dearer(of: float, one: float, other: float) -> None:
    cheap, dear = sorted((one, other))
    check_price(replace(votes(of), price=cheap), replace(votes(of), price=dear))
    check_price(replace(votes(of), price=0.0), replace(votes(of), price=cheap))


def test_who_asks_for_less_certainty_buys_less() -> None:
    for less, more in ((0.6, 0.9), (0.9, 0.99), (0.99, 1.0)):
        check_price(Cold(more, block=100), Cold(less, block=100))


@pytest.mark.parametrize("price", PRICES[::6])
def test_votes_end_where_nothing_can_overtake_the_leader(price: float) -> None:
    check_settled(votes(price), VOTERS)


@pytest.mark.parametrize("name", BATCHES)
def test_every_rule_for_many_runs_keeps_its_suite(name: str) -> None:
    check_batch_policy(BATCHES[name])


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([*BATCHES]), st.integers(1_000, 10**9))
def test_rules_for_many_runs_keep_it_from_any_seed(name: str, seed: int) -> None:
    check_batch_policy(BATCHES[name], seeds=[seed])


def test_no_rule_of_ours_is_left_out() -> None:
    asked: set[type] = {type(make()) for make, _, _ in RULES.values()}
    asked |= {type(one.rule(1)) for one in BATCHES.values()}
    found = set()
    for package in (workspan.strategies.auto, workspan.search):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            members = vars(import_module(module.name)).values()
            found |= {
                one
                for one in members
                if isinstance(one, type) and callable(getattr(one, "decide", None))
            }
    ours = {one for one in found if not getattr(one, "_is_protocol", False)}
    assert ours == asked


@dataclass
class Broken:
    """A rule with one fault, for the suite to see."""

    fault: str
    rule: Policy = field(default_factory=lambda: Cold(0.9, block=100))
    asked: int = 0

    def decide(self, state: State) -> Decision:
        """Decide as the rule, but for the fault."""
        self.asked += 1
        move = self.rule.decide(state)
        is_end = move.action in ("stop", "abstain")
        if self.fault == "greedy" and not is_end:
            return replace(move, block=move.block + 1)
        if self.fault == "silent" and is_end:
            return replace(move, why={})
        if self.fault == "wordy":
            return replace(move, why={"because": "since " * 60})
        if self.fault == "fickle" and not is_end:
            return replace(move, gain=self.asked)
        if self.fault == "numbers" and not is_end:
            return replace(move, gain=float(move.leader))
        if self.fault == "order" and state.chains:
            return replace(move, gain=float(state.chains[0].group == state.chains[-1].group))
        if self.fault == "restless" and is_end and state.chains:
            return Decision("deepen", (0,), 0, 1, why={"because": "why not"})
        if self.fault == "invented" and is_end:
            return replace(move, leader=9, confidence=0.5)
        return move


FAULTS = ("greedy", "silent", "wordy", "fickle", "numbers", "order", "restless", "invented")


@pytest.mark.parametrize("fault", FAULTS)
def test_the_suite_sees_a_rule_that_is_broken(fault: str) -> None:
    check_policy(Broken("none"))
    with pytest.raises(AssertionError):
        check_policy(Broken(fault))


def test_the_suite_sees_who_buys_more_for_being_dearer_and_who_goes_on_for_nothing() -> None:
    with pytest.raises(AssertionError, match="buys more"):
        check_price(Cold(0.6, block=100), Cold(0.99, block=100))
    with pytest.raises(AssertionError, match="of 12"):
        check_settled(Cold(1.0), VOTERS)


def test_a_run_that_was_played_is_explained_with_whole_answers() -> None:
    run = play_one(Cold(), 3, work=5_000)
    check_explained(run)
    assert all(len(answer) > 900 for answer in run.explanation.answers)


@dataclass
class BrokenBatch:
    """CMC with one fault."""

    fault: str
    chains: int = 8
    knows_ends: bool = True

    def rule(self, runs: int) -> Any:
        """Begin."""
        return _BrokenRule(self.fault, CmcBatch(0.1, 100, 2_500).rule(runs))


@dataclass
class _BrokenRule:
    fault: str
    rule: CmcRule

    def decide(self, runs: Runs) -> Moves:
        grow = self.rule.decide(runs).grow
        if self.fault == "ended":
            grow = np.where(runs.ended, 1, grow)
        if self.fault == "beside":
            grow = grow * (1 + (runs.work.sum() > 4_000))
        if self.fault == "numbers":
            grow = grow + (grow > 0) * np.maximum(0, runs.said)
        if self.fault == "skips":
            grow = grow.copy()
            grow[:, -1] = 100 * (runs.depth[:, -1] == 0)
        if self.fault == "touches":
            runs.work += 1
        return Moves(grow)

    def keep(self, going: Any) -> None:
        self.rule.keep(going)

    def answers(self, runs: Runs) -> Any:
        answers = self.rule.answers(runs)
        return answers + (self.fault == "invented") * 50


@pytest.mark.parametrize("fault", ["ended", "beside", "numbers", "skips", "touches", "invented"])
def test_the_suite_sees_a_rule_for_many_runs_that_is_broken(fault: str) -> None:
    check_batch_policy(BrokenBatch("none"))
    with pytest.raises(AssertionError):
        check_batch_policy(BrokenBatch(fault))


def test_the_batch_world_is_drawn_the_same_from_a_seed() -> None:
    one = BATCHES["cmc 0.3"]
    both = [play(one, World.drawn(5, one.chains)) for _ in range(2)]
    assert all(np.array_equal(a, b) for a, b in zip(*(vars(x).values() for x in both), strict=True))
