"""Rules that decide for many runs at once: the seam between a rule and what plays it.

A rule that is asked run by run spends its time on Python; asked for thousands of runs at a time, on
arithmetic. A `BatchPolicy` is such a rule: `cmc_batch` holds the one of CMC, `auto`'s plans theirs,
and `workspan.lab.replay.episodes` plays either on recorded chains. To write one, say how many
chains a run may have, and return from `rule` what decides: it sees the chains of all runs that
still go on, as arrays [run, chain], and says by how many tokens each chain grows. Answers are small
numbers, equal ones the same within a run's problem, `NONE` none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.integer]
    Bools = NDArray[np.bool_]

NONE = -1
"""No answer."""


@dataclass(slots=True)
class Runs:
    """Runs between two decisions; arrays [run, chain], but for the last four [run]."""

    depth: Ints
    """Tokens decoded; 0 of a chain that was not begun."""
    said: Ints
    """The answer at the chain's end or, as long as it is open, at its last probe."""
    group: Ints
    """The latest that was an answer."""
    since: Ints
    """Depth of the probe since which `group` stands; the chain's own where it has just come."""
    ended: Bools
    """It came to its own end: it can't grow."""
    has_answered: Bools
    """It ended with an answer of its own."""
    started: Ints
    """Chains begun."""
    work: Ints
    """Tokens, those of probes included."""
    span: Ints
    number: Ints
    """Of the run, among all that were begun."""

    def on(self, runs: Ints | Bools) -> Runs:
        """Return some of the runs."""
        return Runs(*(getattr(self, name)[runs] for name in self.__slots__))


class Moves(NamedTuple):
    """What to do next in each run."""

    grow: Ints
    """[run, chain], tokens; then the chain is asked, unless it ended. Of chains that were not begun
    only the next ones may be named. A run of which no chain grows has stopped."""


class BatchRule(Protocol):
    """A rule for some runs, with what it must remember of them."""

    def decide(self, runs: Runs) -> Moves:
        """Choose what to do next; at first no chain was begun."""
        ...

    def keep(self, going: Bools) -> None:
        """Forget the others: the runs of the next call are these."""
        ...

    def answers(self, runs: Runs) -> Ints:
        """Return the answer of each run if it stopped here, `NONE` without one."""
        ...


class BatchPolicy(Protocol):
    """Something that decides for many runs at once."""

    @property
    def chains(self) -> int:
        """Chains of a run, at most."""
        ...

    @property
    def knows_ends(self) -> bool:
        """A chain that grew by less than it was to is known to have ended, even if unanswered.

        Else it has ended once it grows no more, and a run ends in which no chain does.
        """
        ...

    def rule(self, runs: int) -> BatchRule:
        """Begin so many runs."""
        ...
