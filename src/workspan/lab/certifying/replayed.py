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
    cut: bool = False
    """Something ended its draws for how long they were, or for what they said."""

    @property
    def elected(self) -> int | None:
        """The answer of most draws; None where there is none or two have as many."""
        order = Counter(one for one in self.answers if one != NO_ANSWER).most_common(2)
        return order[0][0] if order and order[0][1] > sum(n for _, n in order[1:]) else None


LOST = -2
"""What stands for the answer to a problem whose draws were cut: nobody knows it, so it is wrong."""


class Replayed(NamedTuple):
    """How a rule went along the draws of a problem."""

    answer: int | None
    """None where it abstained."""
    leader: int
    """What it would have said; `NO_ANSWER` for nothing."""
    drawn: int
    work: int


def votes_of(profile: Profile, n: int, seed: int = 0) -> list[Votes]:
    """Return n draws of each problem of a profile that has as many, in an order by the seed.

    A problem whose draws were cut is there too, with what it has: those that are long, or on which
    draws disagree, are cut before others, and a profile without them would promise too much.
    """
    return [
        _votes(case, n, seed, i)
        for i, case in enumerate(profile.problems)
        if case.cut or len(case.chains) >= n
    ]


def _votes(case: Case, n: int, seed: int, place: int) -> Votes:
    chains = random.Random(f"{seed} {place}").sample(case.chains, min(n, len(case.chains)))
    right = None if case.right is None else frozenset(case.right)
    answers, tokens = tuple(map(_end, chains)), tuple(chain.depths[-1] for chain in chains)
    return Votes(answers, tokens, right, case.cut)


def _end(chain: Record) -> int:
    return chain.groups[-1] if chain.ended else NO_ANSWER


def replayed(votes: Votes, rule: StatedVotes) -> Replayed:
    """Draw until the rule answers or gives up, or nothing more was recorded.

    Of draws that were cut nobody knows what the rule would have said: the worst is believed.
    """
    work = 0
    if votes.cut:
        return Replayed(LOST, NO_ANSWER, len(votes.tokens), sum(votes.tokens))
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
