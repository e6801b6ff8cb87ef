"""The controller of CMC: when to open, drop, hurry and stop chains that grow side by side. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from workspan.search.stopping import beta_confidence

Move = Literal["stop", "widen", "grow"]

_ALIVE = 2
"""Chains that are never dropped."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one dial, beta, sets (AutoTTS, arXiv:2605.08083)."""

    chains: int
    """That it begins with."""
    most: int
    """Chains, all in all."""
    warmup: int
    """Rounds before it may stop."""
    patience: int
    """Rounds of disagreement at which a chain is dropped."""
    window: int
    """Rounds over which the trend of the confidence is taken."""
    weight: float
    """Of the newest confidence in the moving average."""
    threshold: float
    """The average at which it may stop."""
    slack: float
    """By how much the average may have fallen over the window at a stop."""
    burst: int
    """Blocks that a chain which agrees grows in a round."""
    widen: int
    """Chains that are opened at once."""
    trend: float
    """The rise of the average over the window up to which more chains are opened."""
    complete: int
    """Finished chains without which it does not stop."""

    @classmethod
    def of(cls, beta: float) -> Settings:
        """Compute them; numbers are rounded half to even, as Python's `round` does."""
        return cls(
            chains=max(2, round(2 + 6 * beta)),
            most=min(64, round(4 + 60 * beta)),
            warmup=round(2 + 8 * beta),
            patience=round(3 + 9 * beta),
            window=round(2 + 6 * beta),
            weight=0.7 - 0.4 * beta,
            threshold=0.85 + 0.12 * beta,
            slack=0.04 - 0.03 * beta,
            burst=round(1 + 2 * beta),
            widen=round(1 + 3 * beta),
            trend=0.04 - 0.03 * beta,
            complete=round(2 + 3 * beta),
        )


@dataclass
class CmcControl:
    """Follows the chains round by round; answers are numbers, equal ones the same, -1 none.

    A round is: `begin` with the votes of what has finished, grow every live chain by `blocks`, and
    `look` at all chains; then obey `move`. What was published leaves open where the moving average
    begins, and how long a chain must have disagreed without a break; here it begins at the
    confidence of no votes, 1/2, and a round of agreement clears the count.
    """

    settings: Settings
    average: float = 0.5
    rounds: int = 0
    _averages: list[float] = field(default_factory=list)
    _misses: dict[int, int] = field(default_factory=dict)
    _finished: int = 0

    def begin(self, finished: Sequence[int]) -> None:
        """Take in the answers of the finished chains before a round."""
        self._follow(finished)

    def blocks(self, answer: int, finished: Sequence[int]) -> int:
        """Return how many blocks a chain grows in this round.

        Args:
            answer: its latest interim one.
            finished: answers of the finished chains.
        """
        return self.settings.burst if answer >= 0 and answer == leader(finished) else 1

    def look(self, finished: Sequence[int], live: Sequence[tuple[int, int]]) -> list[int]:
        """End a round; return the chains that are dropped, those that strayed longest first.

        Args:
            finished: answers of the finished chains, in draw order.
            live: number and interim answer of each chain that can grow.
        """
        self._follow(finished)
        self.rounds += 1
        self._averages.append(self.average)
        self._finished = sum(answer >= 0 for answer in finished)
        winner = leader(finished)
        if winner < 0:
            return []
        for chain, answer in live:
            self._misses[chain] = 0 if answer == winner else self._misses.get(chain, 0) + 1
        strays = [chain for chain, _ in live if self._misses[chain] >= self.settings.patience]
        strays.sort(key=lambda chain: -self._misses[chain])
        return strays[: max(0, len(live) - _ALIVE)]

    @property
    def move(self) -> Move:
        """What comes after the round."""
        told = self.settings
        rise = self.average - self._averages[-told.window :][0]
        is_sure = self.average >= told.threshold
        may_stop = self.rounds >= told.warmup and self._finished >= told.complete
        if may_stop and is_sure and rise >= -told.slack:
            return "stop"
        return "widen" if not is_sure and rise <= told.trend else "grow"

    def _follow(self, finished: Sequence[int]) -> None:
        """Move the average toward the confidence of these votes: twice a round."""
        weight = self.settings.weight
        counts = Counter(answer for answer in finished if answer >= 0).most_common(2)
        first, second = [*(count for _, count in counts), 0, 0][:2]
        self.average += weight * (beta_confidence(first, second) - self.average)


def leader(answers: Sequence[int]) -> int:
    """Return the most frequent answer, the first of equals; -1 without any."""
    counts = Counter(answer for answer in answers if answer >= 0)
    return counts.most_common(1)[0][0] if counts else -1
