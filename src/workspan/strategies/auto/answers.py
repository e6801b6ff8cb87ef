"""What a run of `auto` has found, to answer with or to go on from: ends of lines and of arms."""

from __future__ import annotations

from collections import Counter

from workspan.data.types import Candidate
from workspan.search.population import plain
from workspan.strategies.auto.lines import Lines
from workspan.strategies.auto.policies.state import NONE


def leading(run: Lines, group: int) -> Candidate | None:
    """Return who stands for an answer: what scored best of it, then what ended, then first."""
    lines = zip(run.lines, run.chains, strict=True)
    of = [(one.score or 0, one.ended, chain.now) for one, chain in lines if one.group == group]
    arms = zip(run.tried, run.found, strict=True)
    of += [(one.score or 0, True, found) for one, found in arms if found and one.group == group]
    return None if group == NONE else max(of, key=lambda one: one[:2], default=(None,))[-1]


def candidates(run: Lines) -> list[Candidate]:
    """Return all that was found, lines before arms."""
    return [*(chain.now for chain in run.chains), *filter(None, run.found)]


def drafts(lines: Lines) -> list[Candidate]:
    """Return what an arm may go on from: whole lines and ends of arms, the best first.

    By the verifier's score; of equals the answer that was found more often, then the later text.
    Each answer is there once.
    """
    ends = [*lines.found[::-1], *(line.now for line in lines.chains[::-1] if not line.is_live)]
    found = [one for one in ends if one is not None and one.answer is not None]
    times = Counter(map(plain, found))
    order = sorted(found, key=lambda one: (one.score or 0, times[plain(one)]), reverse=True)
    first: dict[str, Candidate] = {}
    for one in order:
        first.setdefault(plain(one), one)
    return [*first.values()]
