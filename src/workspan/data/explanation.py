"""Why a budget was spent as it was: the form in which a run says so, and in which it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

FORMAT = 2
"""Of an explanation; the first one held the starts of answers, not whole ones."""

PROMPT = "prompt"
"""What of a decision's reasons tells the kind of problem that it was planned for."""


class Grown(msgspec.Struct, frozen=True, array_like=True):
    """A chain after a step."""

    chain: int
    depth: int
    group: int
    """Its answer, an index of the explanation's `answers`; -1 for none."""
    ended: bool
    score: float | None = None


class Tried(NamedTuple):
    """What an arm came to: another strategy, run within this one."""

    arm: int
    """Its position among the arms."""
    work: int
    """Tokens decoded."""
    group: int = -1
    """Its answer; -1 for none."""
    score: float | None = None


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One decision, and what it bought."""

    action: str
    work: int
    """Tokens decoded before it."""
    span: int
    """Tokens of the longest chain of calls before it."""
    leader: int = -1
    confidence: float = 0.0
    gain: float = 0.0
    cost: float = 0.0
    grown: tuple[Grown, ...] = ()
    tried: tuple[Tried, ...] = ()
    """What an arm came to, if it was switched to one."""
    why: Mapping[str, float | str] = {}


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """What chains that were read at a depth say there."""

    depth: int
    chains: int
    first: float
    """Share of the answer that leads there."""
    second: float
    per_token: float
    """Chernoff exponent of the vote, a token of a chain cut there."""


class More(msgspec.Struct, frozen=True, array_like=True):
    """What further chains would bring, as far as votes can tell."""

    chains: int
    tokens: float
    """What so many chains took so far, on the mean."""
    change: float
    """Probability that another answer leads then."""


class Explanation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What goes with an answer of a strategy that decides for itself what to buy."""

    steps: tuple[Step, ...]
    answers: tuple[str, ...]
    """Each answer, whole, by group. Written by a model: untrusted."""
    work: int
    span: int
    chains: int = msgspec.field(name="lines")
    ended: int
    margin: float | None
    """Lead of the first answer over the second among the chains, as a share of them."""
    natural_depth: float | None
    """Median length of a chain that is let to end (Kaplan-Meier); None where over half were cut."""
    evidence: tuple[Evidence, ...]
    more: tuple[More, ...] = ()
    knows: str = ""
    """Whose profile the rule knew; "" is none."""
    format: int = 1
    """As it is written; `explain` writes `FORMAT`."""
