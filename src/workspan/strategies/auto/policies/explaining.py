"""How the account of why is made: what was bought in which order, and what it had shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb, exp, isfinite, lgamma, log, sqrt

from workspan.data.explanation import FORMAT, Evidence, Explanation, Grown, More, Step
from workspan.search.censored import median_length
from workspan.strategies.auto.policies.state import NONE, Chain, Decision, State

_LONGEST_REASON = 200
"""Characters of a reason that an explanation keeps."""


def explain(
    taken: Sequence[tuple[State, Decision]], end: State, answers: Sequence[str], knows: str = ""
) -> Explanation:
    """Put the account of a run together.

    Args:
        taken: each decision with the state it was made in, in order.
        end: the state after the last.
        answers: one of each group.
        knows: the model of the profile, if there was one.
    """
    after = [state for state, _ in taken[1:]] + [end]
    steps = tuple(
        Step(
            decision.action,
            state.work,
            state.span,
            decision.leader,
            round(decision.confidence, 4),
            round(decision.gain, 6),
            round(decision.cost, 1),
            _grown(state.chains, then.chains),
            then.tried[len(state.tried) :],
            {name: _short(value) for name, value in decision.why.items()},
        )
        for (state, decision), then in zip(taken, after, strict=True)
    )
    chains, ended = end.chains, sum(chain.ended for chain in end.chains)
    return Explanation(
        steps,
        tuple(answers),
        end.work,
        end.span,
        len(chains),
        ended,
        _margin([chain.group for chain in chains]),
        natural_depth(chains),
        evidence(chains),
        more(chains),
        knows,
        FORMAT,
    )


def natural_depth(chains: Sequence[Chain]) -> float | None:
    """Return the Kaplan-Meier median of the lengths; chains that were left open are censored."""
    return median_length((chain.depth, chain.ended) for chain in chains)


def evidence(chains: Sequence[Chain]) -> tuple[Evidence, ...]:
    """Return what a vote at each depth is worth, of all chains that were read there or had ended.

    With shares q1 and q2 of the two answers that lead, -ln(1 - (sqrt q1 - sqrt q2)^2) tokens⁻¹ over
    the mean cost of a chain cut there.
    """
    found = []
    for depth in sorted({probe.depth for chain in chains for probe in chain.probes}):
        read = [(min(depth, chain.depth), _group_at(chain, depth)) for chain in chains]
        known = [(cost, group) for cost, group in read if group is not None]
        votes = Counter(group for _, group in known if group != NONE)
        first, second = [*(n / len(known) for _, n in votes.most_common(2)), 0.0, 0.0][:2]
        cost = sum(cost for cost, _ in known) / len(known)
        lead = min((sqrt(first) - sqrt(second)) ** 2, 1 - 1 / (len(known) + 1))
        worth = -log(1 - lead) / cost
        found.append(Evidence(depth, len(known), round(first, 4), round(second, 4), worth))
    return tuple(found)


def more(chains: Sequence[Chain]) -> tuple[More, ...]:
    """Return the chance that 1, 2, 4 or 8 further chains put the runner-up ahead.

    Each is a vote for one of the two answers that lead; what share of them the leader has is
    believed after the votes so far, under a flat prior (beta-binomial).
    """
    votes = Counter(chain.group for chain in chains if chain.group != NONE)
    if not votes:
        return ()
    first, second = [*(n for _, n in votes.most_common(2)), 0][:2]
    each = sum(chain.depth + chain.cost_of_probes for chain in chains) / len(chains)
    return tuple(
        More(n, round(n * each, 1), round(_overtaken(first, second, n), 4)) for n in (1, 2, 4, 8)
    )


def _overtaken(first: int, second: int, n: int) -> float:
    """Return P(the runner-up has more votes after n further ones)."""
    a, b = first + 1, second + 1

    def log_beta(x: float, y: float) -> float:
        return lgamma(x) + lgamma(y) - lgamma(x + y)

    return sum(
        comb(n, k) * exp(log_beta(a + n - k, b + k) - log_beta(a, b))
        for k in range(n + 1)
        if second + k > first + n - k
    )


def _group_at(chain: Chain, depth: int) -> int | None:
    """Return what a chain says at a depth; None where it was not read there."""
    if chain.ended and chain.depth <= depth:
        return chain.group
    return next((probe.group for probe in reversed(chain.probes) if probe.depth == depth), None)


def _grown(before: Sequence[Chain], after: Sequence[Chain]) -> tuple[Grown, ...]:
    old = [*before, *[None] * (len(after) - len(before))]
    return tuple(
        Grown(i, chain.depth, chain.group, chain.ended, chain.score)
        for i, (chain, was) in enumerate(zip(after, old, strict=True))
        if chain != was
    )


def _margin(groups: Sequence[int]) -> float | None:
    votes = Counter(group for group in groups if group != NONE)
    if not votes:
        return None
    first, second = [*(n for _, n in votes.most_common(2)), 0][:2]
    return (first - second) / sum(votes.values())


def _short(value: float | str) -> float | str:
    if isinstance(value, str):
        return value[:_LONGEST_REASON]
    return float(f"{value:.4g}") if isfinite(value) else str(value)  # JSON has no infinity
