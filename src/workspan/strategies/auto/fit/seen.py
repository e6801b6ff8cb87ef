"""What was seen of a model's efforts: lengths and which answers agreed, without a word of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workspan.errors import InputError
from workspan.legible import counted

FEWEST = 4
"""Problems of which all rungs must have samples."""


class Rung(msgspec.Struct, frozen=True, omit_defaults=True):
    """One setting of a model."""

    effort: str
    """A word, a number of thinking tokens such as "32k", or "" for the model's default."""
    engine: str = ""
    """By the name of a run's further engine; the run's own if empty."""

    @property
    def name(self) -> str:
        """How a person names it."""
        return f"{self.engine} {self.effort or 'default'}".strip()


class Draw(msgspec.Struct, frozen=True, array_like=True):
    """One sample."""

    group: int
    """Its answer, the same number for equal ones of a problem; -1 for none."""
    tokens: int


class Seen(msgspec.Struct, frozen=True):
    """One problem at each rung."""

    draws: tuple[tuple[Draw, ...], ...]
    """By rungs; empty where it was not asked."""
    right: tuple[int, ...]
    """The groups that are right."""


class Ladders(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of a model's efforts on problems with known answers."""

    rungs: tuple[Rung, ...]
    """Cheap ones first."""
    problems: tuple[Seen, ...]
    pooled: bool = True
    """Answers of different rungs can be compared: false where a recording names them anew."""
    depth: int = 32_768
    """Tokens of a sample, at most."""

    @property
    def is_sound(self) -> bool:
        """Check what the types can't: a place for each rung, tokens above 0."""
        return self.depth > 0 and all(
            len(one.draws) == len(self.rungs)
            and all(d.tokens > 0 and d.group >= -1 for of in one.draws for d in of)
            for one in self.problems
        )

    def keep(self, places: Sequence[int]) -> Ladders:
        """Return the part that holds the problems at these places."""
        return msgspec.structs.replace(self, problems=tuple(self.problems[i] for i in places))


def asked(ladders: Ladders) -> list[Seen]:
    """Return the problems that have samples at every rung: those that plans can be compared on.

    Raises:
        InputError: too few have.
    """
    whole = [one for one in ladders.problems if all(one.draws)]
    if len(whole) < FEWEST:
        raise InputError(
            f"{counted(len(whole), 'problem')} with samples at all of "
            f"{', '.join(rung.name for rung in ladders.rungs)}: a ladder needs {FEWEST} at least"
        )
    sizes = sorted(min(map(len, one.draws)) for one in whole)
    least = sizes[len(sizes) // 10]
    return [one for one in whole if min(map(len, one.draws)) >= least]


def even(ladders: Ladders) -> Ladders:
    """Return the part that plans can be compared on, with as many samples of each problem.

    Raises:
        InputError: it is too small.
    """
    held = asked(ladders)
    sizes = [min(len(one.draws[i]) for one in held) for i in range(len(ladders.rungs))]
    cut = [
        Seen(tuple(of[:n] for of, n in zip(one.draws, sizes, strict=True)), one.right)
        for one in held
    ]
    return msgspec.structs.replace(ladders, problems=tuple(cut))
