"""What a run of `auto` has found, to answer with or to go on from: ends of chains and of arms."""

from __future__ import annotations

from collections import Counter

from workspan.data.types import Candidate
from workspan.search.population import plain
from workspan.strategies.auto.chains import Chains
from workspan.strategies.auto.policies.state import NONE


def leading(run: Chains, group: int) -> Candidate | None:
    """Return who stands for an answer: what scored best of it, then what ended, then first."""
    chains = zip(run.chains, run.grown, strict=True)
    of = [(one.score or 0, one.ended, own.now) for one, own in chains if one.group == group]
    arms = zip(run.tried, run.found, strict=True)
    of += [(one.score or 0, True, found) for one, found in arms if found and one.group == group]
    return None if group == NONE else max(of, key=lambda one: one[:2], default=(None,))[-1]


def candidates(run: Chains) -> list[Candidate]:
    """Return all that was found, chains before arms."""
    return [*(own.now for own in run.grown), *filter(None, run.found)]


def drafts(run: Chains) -> list[Candidate]:
    """Return what an arm may go on from: whole chains and ends of arms, the best first.

    By the verifier's score; of equals the answer that was found more often, then the later text.
    Each answer is there once.
    """
    ends = [*run.found[::-1], *(own.now for own in run.grown[::-1] if not own.is_live)]
    found = [one for one in ends if one is not None and one.answer is not None]
    times = Counter(map(plain, found))
    order = sorted(found, key=lambda one: (one.score or 0, times[plain(one)]), reverse=True)
    first: dict[str, Candidate] = {}
    for one in order:
        first.setdefault(plain(one), one)
    return [*first.values()]
