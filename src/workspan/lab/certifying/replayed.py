"""A recorded problem's votes under a rule: what was answered, and what it took."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from workspan.search.stated_votes import NO_ANSWER, StatedVotes
from workspan.strategies.auto.fit.profile import Case, Profile, Record


class Votes(NamedTuple):
    """The draws of one problem, in an order."""

    answers: tuple[int, ...]
    """Of each draw, a number for each answer; `NO_ANSWER` for none."""
    tokens: tuple[int, ...]
    """Decoded, of each draw."""
    right: frozenset[int] | None
    """The answers that are right; None where nobody knows."""

    @property
    def elected(self) -> int | None:
        """The answer of most draws; None where there is none or two have as many."""
        order = Counter(one for one in self.answers if one != NO_ANSWER).most_common(2)
        return order[0][0] if order and order[0][1] > sum(n for _, n in order[1:]) else None


class Replayed(NamedTuple):
    """How a rule went along the draws of a problem."""

    answer: int | None
    """None where it abstained."""
    leader: int
    """What it would have said; `NO_ANSWER` for nothing."""
    drawn: int
    work: int


def votes_of(profile: Profile, n: int, seed: int = 0) -> list[Votes]:
    """Return n draws of each problem of a profile that has as many, in an order by the seed."""
    return [_votes(case, n, seed, i) for i, case in enumerate(profile.problems) if _has(case, n)]


def _has(case: Case, n: int) -> bool:
    return len(case.chains) >= n


def _votes(case: Case, n: int, seed: int, place: int) -> Votes:
    chains = random.Random(f"{seed} {place}").sample(case.chains, n)
    right = None if case.right is None else frozenset(case.right)
    return Votes(tuple(map(_end, chains)), tuple(chain.depths[-1] for chain in chains), right)


def _end(chain: Record) -> int:
    return chain.groups[-1] if chain.ended else NO_ANSWER


def replayed(votes: Votes, rule: StatedVotes) -> Replayed:
    """Draw until the rule answers or gives up, or nothing more was recorded."""
    work = 0
    for drawn, (answer, tokens) in enumerate(zip(votes.answers, votes.tokens, strict=True), 1):
        rule.vote(answer)
        work += tokens
        verdict = rule.verdict
        if verdict != "draw":
            said = rule.leader if verdict == "answer" else None
            return Replayed(said, rule.leader, drawn, work)
    return Replayed(None, rule.leader, len(votes.answers), work)


def wrong(replays: Sequence[Replayed], right: Sequence[frozenset[int]]) -> int:
    """Count the wrong ones among the answers that were given."""
    pairs = zip(replays, right, strict=True)
    return sum(one.answer is not None and one.answer not in good for one, good in pairs)
