"""Families with a leak planted on purpose: a check that doesn't find these finds nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from workspan_evidence.audit.leaks import distances, partners, prompt_rows
from workspan_evidence.families.graph import GraphInstance
from workspan_evidence.grammar import BOS, QUERY, ROW


class Drawn(Protocol):
    """What draws problems: a family, or one with a planted leak."""

    def problem(self, rng: Random) -> GraphInstance:
        """Draw a problem."""
        ...


@dataclass(frozen=True, slots=True)
class Bare:
    """The decoy hangs on a bare chain of the right length: the leak of the prototype's `Heavy`."""

    family: Drawn

    def problem(self, rng: Random) -> GraphInstance:
        """Draw a problem and take the branches off the way to its decoy."""
        problem = self.family.problem(rng)
        root = partners(problem.rows)[problem.source]
        from_root = distances(problem.rows, root)
        from_decoy = distances(problem.rows, problem.decoy)
        length = from_root[problem.decoy]
        off = {u for u, edges in from_root.items() if edges + from_decoy[u] > length}
        rows = {
            u: tuple(v for v in below if v not in off)
            for u, below in prompt_rows(problem.prompt).items()
            if u not in off
        }
        facts = [symbol for u, below in rows.items() for symbol in (ROW, u, *below)]
        question = problem.prompt[problem.prompt.index(QUERY) :]
        return replace(problem, prompt=(BOS, *facts, *question), rows=rows)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The right candidate is asked for first a little too often."""

    family: Drawn
    share: float = 0.57
    """Of the problems, from 0.5: chance. A reader of this cue alone is right as often."""

    def problem(self, rng: Random) -> GraphInstance:
        """Draw a problem and exchange its candidates where the share wants it."""
        problem = self.family.problem(rng)
        first = rng.random() < self.share
        candidates = (problem.answer, problem.decoy)[:: 1 if first else -1]
        at = problem.prompt.index(QUERY) + 1
        prompt = (*problem.prompt[:at], *candidates, *problem.prompt[at + 2 :])
        return replace(problem, prompt=prompt, candidates=candidates)


@dataclass(frozen=True, slots=True)
class Labelled:
    """The right candidate has the smaller label a little too often."""

    family: Drawn
    share: float = 0.57

    def problem(self, rng: Random) -> GraphInstance:
        """Draw problems until the labels are as this one's are to be."""
        smaller = rng.random() < self.share
        problem = self.family.problem(rng)
        while (problem.answer < problem.decoy) != smaller:
            problem = self.family.problem(rng)
        return problem
