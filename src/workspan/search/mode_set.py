"""Answers that may still be the mode of a model's answers: a set that holds at any look.

Votes are answers drawn alike, one after the other, from unknown shares p over unknown answers; the
mode is the answer of the largest share. A test by betting (Shafer 2021; Waudby-Smith and Ramdas
2024), in the manner of CITE (arXiv:2605.05873: an intersection of e-processes over all rivals, none
of which need be known) and MMC (arXiv:2510.17472); the bets are this package's own.

**The bets.** Before each vote the leader L of those before is fixed. Each other answer b has a
capital K_b, 1 at first, of which a share s goes on L against b: with a vote of weight w

    K_b <- K_b (1 + s w),  K_b (1 - s w),  K_b    for a vote for L, for b, for another.

s is `bet` where L is ahead of b by two votes or more, half of it by one, and 0 where they are
equal; never more than takes K_b to 1 / delta. There K_b rests: b is not the mode. While b itself
leads it stakes nothing. The leader is certified once that is said of every other answer.

**Why it holds.** If b is a mode, p_b >= p_L whoever leads, so that a bet on L has the mean factor
1 + s (p_L - p_b) <= 1 (with weights, of the shares of weight): K_b is a non-negative
supermartingale, which reaches 1 / delta with probability delta at most, however often one looks
(Ville 1939). Whoever else is certified, K_b was there; so all false certificates together have
probability delta, without a correction for the number of answers.

**A rival that was not seen yet** has lost no bet. One capital stands for all of these; an answer
that appears takes it over with its first loss. Seven votes of seven certify at delta 0.1.

**Equal modes.** Where two answers share the largest probability no certificate is true. While an
answer e leads, K_e idles; E_eb is K_e with these times used for bets of e against b. If p_e = p_b
is the largest share, E_eb and E_be are supermartingales, and so is their mean, which reaches
1 / delta only if both do. They are asked to, for each e that has led and every b (for one that has
not, E_eb is K_e). So false certificates have probability delta at most there too.

**What it is not.** It says nothing of whether the mode is right. Votes must be drawn alike: of
chains that were all let to end or all cut at one length; of votes selected by what they say, or by
who ended first, it says nothing. Renaming answers changes nothing. The order of votes counts, by
who led when: a martingale of the counts alone would have to bet on every answer at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, exp, inf, lgamma, log, log1p

BET = 0.6
"""Share of a capital that is staked: about the best mean number of votes on recorded chains."""
CLEAR = 2.0
"""Votes that the leader must be ahead by for the whole of it."""
_NEAR = 1e-9
"""Of rounding."""
_HORIZON = 10_000
"""Votes ahead of which a hope takes account: its sum has a term for each."""


@dataclass
class ModeSet:
    """Take in votes one after the other, and say who is certified as their mode."""

    delta: float
    """Probability of a false certificate, over all looks together."""
    bet: float = BET
    """In (0, 1): larger certifies clear modes sooner and close ones less often."""
    leader: int | None = None
    """The answer of most votes; of equals the one that was there first."""
    counts: dict[int, float] = field(default_factory=dict)
    """Weight of the votes of each answer."""
    _unseen: float = 1.0
    _capitals: dict[int, float] = field(default_factory=dict)
    """K_b of each answer seen."""
    _unseen_beside: dict[int, float] = field(default_factory=dict)
    """E_eb of each e that has led and an answer b not seen."""
    _beside: dict[int, dict[int, float]] = field(default_factory=dict)
    """E_eb of each e that has led and each b seen."""

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if not 0 < self.delta < 1:
            raise ValueError(f"delta is {self.delta}: a probability between 0 and 1, such as 0.1")
        if not 0 < self.bet < 1:
            raise ValueError(f"bet is {self.bet}: must be between 0 and 1")

    def vote(self, answer: int, weight: float = 1.0) -> None:
        """Take in one vote.

        Args:
            answer: its number, any.
            weight: in [0, 1], such as a confidence; then the mode is that of the weight.
        """
        if not 0 <= weight <= 1:
            raise ValueError(f"a vote of weight {weight}: must be from 0 to 1")
        if answer not in self.counts:
            self._appear(answer)
        if self.leader is not None:
            self._settle(self.leader, answer, weight)
        self.counts[answer] += weight
        if weight and (
            self.leader is None or self.counts[answer] > self.counts[self.leader] + _NEAR
        ):
            self._lead(answer)

    def _appear(self, answer: int) -> None:
        self.counts[answer] = 0.0
        self._capitals[answer] = self._unseen
        for first, others in self._beside.items():
            others[answer] = self._unseen_beside[first]

    def _lead(self, answer: int) -> None:
        """Make it the leader; what it was before is in its own capital."""
        self.leader = answer
        if answer not in self._beside:
            own = self._capitals[answer]
            self._unseen_beside[answer] = own
            self._beside[answer] = {other: own for other in self.counts if other != answer}

    def _settle(self, leader: int, answer: int, weight: float) -> None:
        """Pay out the bets on the leader that were open before this vote."""
        won = weight if answer == leader else 0.0
        for other, capital in self._capitals.items():
            if other != leader:
                self._capitals[other] = self._after(
                    capital, won - weight * (answer == other), other
                )
        self._unseen = self._after(self._unseen, won)
        for first, others in self._beside.items():
            for other, capital in others.items():
                rival = other if first == leader else first
                gain = won - weight * (answer == rival)
                others[other] = self._after(capital, gain, rival)
            rest = self._unseen_beside[first]
            if first == leader:
                self._unseen_beside[first] = self._after(rest, won)
            else:
                lost = won - weight * (answer == first)
                self._unseen_beside[first] = self._after(rest, lost, first)

    def _after(self, capital: float, gain: float, rival: int | None = None) -> float:
        """Return a capital after a bet on the leader that gained so many times its stake.

        Args:
            capital: before.
            gain: 1 for a vote for the leader, -1 for one for the rival, times its weight.
            rival: whom it was against; None is an answer that was not seen.
        """
        goal = 1 / self.delta
        if capital >= goal or not gain or self.leader is None:
            return capital
        lead = self.counts[self.leader] - (0 if rival is None else self.counts[rival])
        staked = min(self.bet * min(lead / CLEAR, 1.0), goal / capital - 1)
        after = capital * (1 + staked * gain)
        return goal if after >= goal * (1 - _NEAR) else after

    def against(self, answer: int) -> float:
        """Return K_b, the capital against an answer, seen or not."""
        return self._capitals.get(answer, self._unseen)

    def beside(self, first: int, other: int) -> float:
        """Return E_eb, the capital against two answers as equal modes, for `first` != `other`."""
        if first not in self._beside:
            return self.against(first)
        return self._beside[first].get(other, self._unseen_beside[first])

    @property
    def capital(self) -> float:
        """The least of the capitals, which must be at 1 / delta; 1 before any bet."""
        if self.leader is None:
            return 1.0
        least = min(self._unseen, *self._unseen_beside.values())
        rivals = [one for other, one in self._capitals.items() if other != self.leader]
        beside = [one for others in self._beside.values() for one in others.values()]
        return min([least, *rivals, *beside])

    @property
    def is_certain(self) -> bool:
        """The leader is certified as the mode."""
        return self.capital >= 1 / self.delta

    def hope(self, left: int, drawn: int) -> float:
        """Return about how likely it is that the leader will be certified.

        The votes still to come are believed to fall to the leader and to the strongest rival as
        those before, under a flat prior (beta-binomial). Nothing rests on it but when to give up:
        a certificate holds whatever is done with this.

        Args:
            left: votes that may still be drawn.
            drawn: draws so far, those without an answer too.
        """
        if self.is_certain:
            return 1.0
        if self.leader is None:
            return 1.0 if left else 0.0
        left = min(left, _HORIZON)
        first = self.counts[self.leader]
        second = max((n for one, n in self.counts.items() if one != self.leader), default=0.0)
        told = round(left * (first + second + 0.5) / (drawn + 0.5))
        return at_least(told, self._wins_needed(told), first + 1, second + 1)

    def _wins_needed(self, bets: int) -> int:
        """Return how many of so many further bets must be won."""
        needed = log(1 / self.delta) - log(self.capital) if self.capital > 0 else inf
        up, down = log1p(self.bet), -log1p(-self.bet)
        return ceil(min((needed + bets * down) / (up + down), bets + 1) - _NEAR)


def certifiable(n: int, delta: float, bet: float = BET) -> bool:
    """Tell whether n votes that all agree are certified."""
    certificate = ModeSet(delta, bet)
    for _ in range(n):  # votes that agree only ever add to it
        certificate.vote(0)
        if certificate.is_certain:
            return True
    return False


@lru_cache(maxsize=1 << 14)
def at_least(n: int, least: int, a: float, b: float) -> float:
    """Return P(X >= least) of a beta-binomial X of n."""
    if least <= 0:
        return 1.0
    fixed = lgamma(n + 1) + lgamma(a + b) - lgamma(a) - lgamma(b) - lgamma(a + b + n)
    return min(
        1.0,
        sum(
            exp(fixed + lgamma(a + k) + lgamma(b + n - k) - lgamma(k + 1) - lgamma(n - k + 1))
            for k in range(least, n + 1)
        ),
    )
