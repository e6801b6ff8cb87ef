"""Recorded chains: how many tokens each had decoded when it would have answered what."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar, cast

from workspan.answers import equivalent
from workspan.data.types import Problem

T = TypeVar("T")

Unit = Literal["tokens", "characters"]
"""What a recording counts its chains in; characters where nobody counted tokens."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain and its probes; the last probe is its end."""

    depths: tuple[int, ...]
    """Tokens decoded at each probe, ascending."""
    answers: tuple[str | None, ...]
    """The interim answer at each probe; None where there was none."""

    @property
    def tokens(self) -> int:
        """Decoded tokens of the whole chain."""
        return self.depths[-1]

    @property
    def ending(self) -> str | None:
        """What stands for the last words: the answer, marked; None where it ended without one."""
        return self.answers[-1] and f"\nAnswer: {self.answers[-1]}"

    def answer_at(self, depth: int) -> str | None:
        """Return the answer of the last probe at or before `depth` tokens."""
        i = bisect_right(self.depths, depth)
        return self.answers[i - 1] if i else None


@dataclass(frozen=True, slots=True)
class Recording:
    """Chains of one model under one setting: samples of one distribution for each problem."""

    model: str
    problems: tuple[Problem, ...]
    chains: Mapping[str, tuple[Chain, ...]]
    """By problem id, in the order of their numbers."""
    references: Mapping[str, str]
    """The right answer, by problem id; "" where only verdicts are known."""
    tasks: Mapping[str, str] = field(default_factory=dict)
    """The task set of each problem, by problem id."""
    verdicts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By problem id: how the recording itself grades each answer, in [0, 1]."""
    setting: str = ""
    """What tells it from other recordings of the model, as the file writes it."""
    unit: Unit = "tokens"
    effort: str = ""
    """How much it was told to think, such as "low" or "32k"; "" where nobody knows."""
    cut: frozenset[str] = frozenset()
    """Ids of problems that have fewer draws for how long these were, or for what they said: a limit
    or a rule ended them, or a kill."""
    _kept: dict[tuple[str, str], tuple[tuple[object, object], object]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """What was worked out of a problem's chains, with what it was made of."""

    @property
    def name(self) -> str:
        """The model, and the setting where there is one."""
        return f"{self.model} {self.setting}".strip()

    @property
    def is_probed(self) -> bool:
        """Say whether any chain was asked for its answer before its end."""
        return any(len(chain.depths) > 1 for many in self.chains.values() for chain in many)

    @property
    def longest(self) -> int:
        """Tokens of the longest chain."""
        return max(chain.tokens for many in self.chains.values() for chain in many)

    def keep(self, names: Collection[str]) -> Recording:
        """Return the part of it that holds the problems of these ids."""
        kept = tuple(problem for problem in self.problems if problem.id in names)
        return replace(self, problems=kept, chains={one.id: self.chains[one.id] for one in kept})

    def once(self, what: str, problem: Problem, make: Callable[[], T]) -> T:
        """Return what `make` makes of a problem, which is kept, here and in each part of it.

        Args:
            what: its name.
            problem: one of the recording's.
            make: called where it was not made of these chains before.
        """
        name = problem.id
        told = (self.chains[name], self.verdicts.get(name), self.references.get(name))
        of = (problem, *map(id, told), self.tasks.get(name))
        known = self._kept.get((what, name))
        if known is None or known[0][0] != of:
            known = self._kept[what, name] = ((of, told), make())  # what is held keeps its id
        return cast("T", known[1])

    def grade(self, problem: Problem, answer: str | None) -> float:
        """Say how right an answer is: as it was graded, else by the reference; 0 for none."""
        if answer is None:
            return 0.0
        verdicts = self.verdicts.get(problem.id, {})
        if answer in verdicts:
            return verdicts[answer]
        for known, verdict in verdicts.items():
            if equivalent(answer, known, problem.kind):
                return verdict
        reference = self.references.get(problem.id, "")
        return float(bool(reference) and equivalent(answer, reference, problem.kind))
