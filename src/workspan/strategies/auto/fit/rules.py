"""The rule of `auto` where the model is known: plans and schedules fitted on its profile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf

import numpy as np

from workspan.data.explanation import PROMPT
from workspan.strategies.auto.fit.choose import chosen, segments_for
from workspan.strategies.auto.fit.evaluation import MOST_CHAINS, Evaluation, Evaluations, caps
from workspan.strategies.auto.fit.profile import Profile
from workspan.strategies.auto.fit.segments import Segment, Tree, divide, segments_of
from workspan.strategies.auto.fit.table import Table
from workspan.strategies.auto.fit.vote_evaluation import VoteEvaluation
from workspan.strategies.auto.policies.plan import Outcome
from workspan.strategies.auto.policies.policy import Arm, Planned, Scheduled
from workspan.strategies.auto.policies.schedule import best_schedule, restarts
from workspan.strategies.auto.policies.state import NONE, Decision, Policy, State
from workspan.strategies.auto.prompt_features import NAMES

LITTLE = 0.01
"""Accuracy that who finds span dear gives for it."""


@dataclass(frozen=True, slots=True)
class BySegment:
    """A rule for each segment of problems, told apart by what the prompt shows."""

    feature: int
    at: float
    below: Policy
    above: Policy
    blind: Policy
    """For problems whose prompt nobody looked at."""

    def decide(self, state: State) -> Decision:
        """Let the rule of this segment choose."""
        if len(state.prompt_features) <= self.feature:
            return self.blind.decide(state)
        is_below = state.prompt_features[self.feature] <= self.at
        decision = (self.below if is_below else self.above).decide(state)
        told = f"{NAMES[self.feature]} {'up to' if is_below else 'above'} {self.at:g}"
        further = decision.why.get(PROMPT, "")
        told = f"{told}, {further}" if further else told
        return replace(decision, why={**decision.why, PROMPT: told})


def evaluated(profile: Profile, limit: float | None = None) -> Evaluation:
    """Run all plans on a profile; for several limits keep its `Evaluations`."""
    return Evaluations.of(profile).within(limit or float("inf"))


@lru_cache(maxsize=16)
def fitted(
    found: Evaluation,
    *,
    work: float | None = None,
    span: float | None = None,
    price: float = 0.0,
    floor: float = 0.0,
    is_judged: bool = False,
    has_arms: bool = False,
    rate: float = 0.0,
    probe_tokens: int = 0,
    chains: int = 64,
) -> Policy:
    """Make the rule for a budget: a fraction of a second, so the latest are kept.

    Args:
        found: of `evaluated`.
        work: tokens of a problem, on the mean.
        span: of its longest chain, on the mean.
        price: accuracy that a token must be worth.
        floor: abstain where the leader is right with less.
        is_judged: a sound verifier scores what ends: try until a pass.
        has_arms: the profile's arms can be used.
        rate: tokens of work that one of span is worth, and is priced as. Where nothing has a price,
            or it is infinite: of the plans that are about as good as the best the cheapest by both,
            or the quickest.
        probe_tokens: tokens of an interim answer, at most.
        chains: of a race, at most.
    """
    budget = (work, span, price)
    if is_judged:
        return _scheduled(found, budget, floor, has_arms=has_arms)
    most = (probe_tokens, chains)
    return _planned(found, budget, floor, most, has_arms=has_arms, rate=rate)


_Budget = tuple[float | None, float | None, float]


def _planned(
    found: Evaluation,
    budget: _Budget,
    floor: float,
    most: tuple[int, int],
    *,
    has_arms: bool,
    rate: float,
) -> Policy:
    """Choose a plan for each segment of problems, and one for all; or votes, if they are better."""
    work, span, price = budget
    found = found if span is None else found.as_cut(span)
    table = found.table
    votes = _votes(found, work) if span is None and not (has_arms or rate) else None
    at = votes.affordable(work, price) if votes else 0
    if votes and not table.is_asked:
        return votes.rule(at, floor)
    (probe_tokens, chains), plans = most, found.plans(work, span, has_arms=has_arms)
    plans = tuple(one for one in plans if not one.plan.is_race or one.plan.chains <= chains)
    every = [Segment(np.arange(len(table.tokens)))]
    if rate and (rate == inf or not price):
        plans = _cheapest(plans, chosen(plans, every, *budget)[0], work, rate)
    reserve = round(2 * table.asked) + 1 if table.asked else 0

    def rule(one: Outcome) -> Policy:
        arm = _told(table, one.plan.arm)
        evidence = found.races.support if one.plan.is_race else found.evidence
        return Planned(one.plan, evidence, found.gain, floor, reserve, arm, probe_tokens)

    segments = [*segments_of(tree := segments_for(plans, table.prompt_features, work, price))]
    dear = (price, 0.0 if rate == inf else rate)
    picked = chosen(plans, segments, work, span, *dear)
    right = [
        len(segment.problems) * one.accuracy for segment, one in zip(segments, picked, strict=True)
    ]
    if votes and votes.ended(at).right * len(table.tokens) > sum(right):
        return votes.rule(at, floor)
    if isinstance(tree, Segment):
        return rule(picked[0])
    whole = rule(chosen(plans, every, work, span, *dear)[0])
    return _by_segment(tree, map(rule, picked), whole)


def _cheapest(
    plans: Sequence[Outcome], best: Outcome, work: float | None, rate: float
) -> tuple[Outcome, ...]:
    """Keep the plans that are no dearer than the cheapest that is about as good as the best."""

    def cost(one: Outcome) -> float:
        return one.span if rate == inf else one.work + rate * one.span

    good = [one for one in plans if one.accuracy >= best.accuracy - LITTLE]
    fits = [cost(one) for one in (*good, best) if work is None or one.work <= work]
    most = min(fits, default=cost(best))
    return tuple(one for one in plans if cost(one) <= most)


def _votes(found: Evaluation, work: float | None) -> VoteEvaluation | None:
    """Return votes on whole chains where probes tell nothing, or more fit than plans look at."""
    is_wide = work is not None and work > MOST_CHAINS * found.table.scale
    return found.voting if is_wide or not found.table.is_asked else None


def _scheduled(found: Evaluation, budget: _Budget, floor: float, *, has_arms: bool) -> Policy:
    """Choose a schedule of tries for each segment of problems, and one for all."""
    table, work = found.table, budget[0]
    deep = caps(table, 8)

    def rule(part: Table) -> Policy:
        return Scheduled(best_schedule(part, deep, work, has_arms=has_arms), found.evidence, floor)

    tree = divide(restarts(table, deep, work), table.prompt_features)
    if isinstance(tree, Segment):
        return rule(table)
    return _by_segment(
        tree, (rule(table.on(segment.problems)) for segment in segments_of(tree)), rule(table)
    )


def _by_segment(tree: Tree, rules: Iterator[Policy], blind: Policy) -> Policy:
    if isinstance(tree, Segment):
        return next(rules)
    below, above = (_by_segment(part, rules, blind) for part in (tree.below, tree.above))
    return BySegment(tree.feature, tree.at, below, above, blind)


def _told(table: Table, arm: int) -> Arm | None:
    if table.arms is None or arm == NONE:
        return None
    work, right = table.arms.work[:, arm], table.arms.right[:, arm]
    return Arm(float(right.mean()), float(work.mean()), float(work.min()))
