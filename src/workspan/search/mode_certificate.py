"""An anytime certificate that the leading answer is the mode: two test martingales of the votes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_LEADING = 3
"""Answers that are no "other" one."""
_LEAST = 2
"""Bets of each martingale without which nothing is certified."""


@dataclass
class Martingale:
    """A bet that hits are more frequent than misses, of capital 1 at first.

    Where hits and misses are as likely its mean stays 1, whenever one looks, so that it passes
    1 / delta with probability delta at most (Ville 1939).
    """

    value: float = 1.0
    hits: int = 0
    misses: int = 0

    def bet(self, *, is_hit: bool) -> None:
        """Take in one vote: times 2q for a hit, 2(1 - q) for a miss; q is from the votes before."""
        share = (self.hits + 0.5) / (self.hits + self.misses + 1)
        q = min(max(share, 0.50001), 0.99999)
        self.value *= 2 * q if is_hit else 2 * (1 - q)
        self.hits += is_hit
        self.misses += not is_hit


@dataclass
class ModeCertificate:
    """MMC (arXiv:2510.17472): the leader against the runner-up, and against all but the top three.

    Which answers these are is fixed before each vote; a vote for none of a martingale's two sides
    does not touch it. As published the two go on when the leader changes.
    """

    delta: float
    rival: Martingale = field(default_factory=Martingale)
    """Leader against runner-up."""
    others: Martingale = field(default_factory=Martingale)
    """Leader against what is not among the first three."""
    is_certain: bool = False
    """The leader is certified as of the latest vote."""
    _votes: Counter[int] = field(default_factory=Counter)

    def vote(self, answer: int) -> None:
        """Take in one vote, for the number of an answer."""
        order = [one for one, _ in self._votes.most_common(_LEADING)]
        if order:
            leader, second = [*order, -1][:2]
            if answer in (leader, second):
                self.rival.bet(is_hit=answer == leader)
            if answer == leader or answer not in order:
                self.others.bet(is_hit=answer == leader)
        self._votes[answer] += 1
        stays = order[:1] == [self._votes.most_common(1)[0][0]]
        self.is_certain = stays and all(
            one.value >= 1 / self.delta and one.hits + one.misses >= _LEAST
            for one in (self.rival, self.others)
        )
