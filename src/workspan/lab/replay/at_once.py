"""Fitted rules that need no session: all problems and orders of a split played at once.

A run whose account might refuse something is left to a session.
"""

from __future__ import annotations

import time
from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from workspan.batch.drawn import drawn
from workspan.data.budget import Budget
from workspan.errors import InputError
from workspan.lab.replay.episodes import Account, Chains, orders, play
from workspan.recordings.engine import ReplayEngine
from workspan.search.batch import NONE, BatchPolicy
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.policies.planned_batch import PlannedBatch
from workspan.strategies.auto.policies.policy import Planned
from workspan.strategies.auto.policies.race_batch import RaceBatch
from workspan.strategies.auto.policies.support import Support

if TYPE_CHECKING:
    from workspan.lab.replay.fitted import Fitted, Known
    from workspan.recordings.recording import Recording

_ASKED = ("math", "number", "choice", "text")
"""Kinds of answers that a chain is asked for on the way."""


def policy_of(fitted: Fitted, held: Recording) -> BatchPolicy | None:
    """Return the rule on arrays of a plan within its budget; None where there is none."""
    auto = fitted.strategy
    if not isinstance(auto, Auto) or not held.is_probed:
        return None
    rule, chains = auto.fitted, min(map(len, held.chains.values()))
    if not isinstance(rule, Planned) or rule.arm or rule.plan.chains > min(auto.n, chains):
        return None
    span = fitted.budget.span if rule.plan.is_race else None
    work = fitted.budget.work
    if fitted.budget != Budget(work=work, span=span):
        return None
    is_bare = auto.floor == 0 and auto.verifier is None and auto.max_tokens >= held.longest
    is_asked = auto.probe.endswith(ReplayEngine.asks)
    is_asked &= all(problem.kind in _ASKED for problem in held.problems)
    if not (is_bare and is_asked and rule.plan.chains):
        return None
    if isinstance(rule.evidence, Support):
        spans = (span, rule.probe_tokens)
        return RaceBatch(rule.plan, rule.evidence, auto.max_tokens, *spans, work, rule.reserve)
    return PlannedBatch(rule.plan, rule.evidence, auto.max_tokens, work, rule.reserve)


def played(
    fitted: Fitted, held: Recording, known: Known, seed: int, seeds: int
) -> list[list[tuple[float | None, ...] | None]]:
    """Return of each problem and order what a run comes to, as `Outcome` has it.

    None is left to a session. So are equal answers of which one counts as right and another does
    not: those need their texts.
    """
    rows: list[list[tuple[float | None, ...] | None]] = [[None] * seeds for _ in held.problems]
    policy, auto = policy_of(fitted, held), fitted.strategy
    if policy is None or not isinstance(auto, Auto):
        return rows
    if held.name not in known.chains:
        try:
            known.chains[held.name] = Chains.of(held)
        except InputError:
            known.chains[held.name] = None
    chains = known.chains[held.name]
    if chains is None or not chains.is_even:
        return rows
    began = time.perf_counter()
    work, probe = fitted.budget.work, auto.probe_tokens
    account = None if work is None else Account(work, probe)
    problem, order = orders(chains, seeds, seed)
    found = play(policy, chains.heard(probe), problem, order, account)
    seconds = (time.perf_counter() - began) / len(problem)
    for run in np.flatnonzero(found.is_whole).tolist():
        row = int(problem[run])
        said = [group for group in found.latest[run].tolist() if group != NONE]
        votes = [float(n) for n in Counter(said).values()]
        squares = sum(n**2 for n in votes)
        told = drawn([float(chains.right[row, group]) for group in said])
        spent = (
            float(found.right[run]),
            int(found.work[run]),
            int(found.span[run]),
            seconds,
            False,
        )
        chosen = (told.random, told.coverage, sum(votes) ** 2 / squares if squares else None)
        rows[row][run % seeds] = (*spent, *chosen)
    return rows


def means(rows: list[tuple[float | None, ...]]) -> list[float | None]:
    """Average over orders what is known."""
    columns = (
        [value for value in column if value is not None] for column in zip(*rows, strict=True)
    )
    return [fmean(column) if column else None for column in columns]
