"""What an allocation rule sees of a run, and what it answers: the seam between it and a strategy.

A *chain* is one chain of a model. It is decoded block by block, and may be asked for an interim
answer on the way: a *probe*. Answers are told apart by small whole numbers, their *groups*; no text
gets here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from workspan.data.explanation import Tried

NONE = -1
"""The group of no answer; no arm."""
UNLIMITED = 1 << 40
"""Tokens for an arm where the run has no limit of work."""

Action = Literal["widen", "deepen", "switch", "stop", "abstain"]


class Probe(NamedTuple):
    """An interim answer."""

    depth: int
    """Tokens of its chain when it was asked."""
    group: int
    """`NONE` if nothing could be read."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain so far."""

    depth: int
    """Tokens decoded, those of probes left out."""
    probes: tuple[Probe, ...] = ()
    """In order of depth; a probe at the chain's end is not one of them."""
    group: int = NONE
    """Its answer if it ended, else that of its last probe."""
    ended: bool = False
    """It came to its own end: it can't be deepened."""
    cost_of_probes: int = 0
    """Tokens of its interim answers together."""
    score: float | None = None
    """What a verifier said of its answer, 1 is a pass; None where none was asked."""

    @property
    def since(self) -> int:
        """The depth from which its answer stands."""
        first = self.depth
        for probe in reversed(self.probes):
            if probe.group != self.group:
                break
            first = probe.depth
        return first


@dataclass(frozen=True, slots=True)
class State:
    """A run between two decisions. All chains rest: the strategy has waited for every one."""

    chains: tuple[Chain, ...] = ()
    """In order of their start. Those that an earlier decision left alone are here too."""
    work: int = 0
    """Tokens decoded, probes and chains that failed included."""
    span: int = 0
    """Tokens of the longest chain of calls that had to wait for one another."""
    work_left: int | None = None
    """None is without limit."""
    span_left: int | None = None
    tried: tuple[Tried, ...] = ()
    """Arms, in order."""
    prompt_features: tuple[float, ...] = ()
    """What the prompt shows, as `prompt_features` has it; empty where nobody looked."""

    @property
    def room(self) -> int | None:
        """The most tokens that one more call could decode; None is without limit."""
        left = (self.work_left, self.span_left)
        return min((room for room in left if room is not None), default=None)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do next.

    `widen` starts `n` new chains and deepens `chains` beside them; `deepen` goes on with `chains`
    only; each chain by `block` tokens, then a probe where the engine can be asked. `switch` lets
    chains rest and gives `block` tokens to another strategy, `arm`. `stop` answers `leader`,
    `abstain` answers nothing. A chain that is not named is left as it stands; it may be named again
    later.
    """

    action: Action
    chains: tuple[int, ...] = ()
    """Positions in `State.chains`; none of them has ended."""
    n: int = 0
    block: int = 0
    """Tokens for each chain, never more than is left for all of them together."""
    leader: int = NONE
    """The group that would be answered now."""
    confidence: float = 0.0
    """Probability that `leader` is right, as far as the rule can tell."""
    gain: float = 0.0
    """Expected rise of that probability by what was decided and what may follow from it."""
    cost: float = 0.0
    """Expected tokens for that gain."""
    why: Mapping[str, float | str] = field(default_factory=dict)
    """What the decision rests on, for the explanation."""
    arm: int = NONE
    """Which of the arms to switch to."""


class Policy(Protocol):
    """An allocation rule. It holds nothing of a run: the same state gets the same decision."""

    def decide(self, state: State) -> Decision:
        """Choose what to do next in `state`; the first call has no chains."""
        ...
