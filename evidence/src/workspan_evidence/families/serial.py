"""Problems that are serial by nature: step t + 1 can only be taken after step t.

Liu et al., "The Serial Scaling Hypothesis" (arXiv:2507.12549), name Rule 110 (P-complete to
predict) among them; composing permutations of five things is complete for NC1 (Barrington 1989).
One forward pass of fixed depth is in TC0, so a direct answer is expected to fail from some T on
(the former unless TC0 = P, the latter unless TC0 = NC1), and votes over such answers with it.

A prompt ends with ``nT`` and the first row; a chain writes the rows after it, each behind the
number of steps that are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from workspan.errors import at_least
from workspan_evidence.families.script import Format, Script, ScriptInstance, rows
from workspan_evidence.grammar import BITS, BOS, FORMATS, GO, QUERY, ROW, TASKS

_FIRST_LETTER, _FIRST_THING = 40, 60
"""Labels from here on name the permutations and the things that they permute."""

GENERATORS: Final = ((1, 2, 3, 4, 0), (1, 0, 2, 3, 4), (3, 4, 2, 0, 1), (2, 3, 4, 1, 0))
"""Letter g puts what stood at place ``GENERATORS[g][j]`` at place j; together they make S5."""


@dataclass(frozen=True, slots=True)
class Rule110(Script):
    """The state of the first of `width` cells in a ring after `t` steps of Rule 110."""

    t: int
    width: int = 16
    format: Format = "steps"

    @property
    def serial_depth(self) -> int:
        """Steps of the automaton."""
        return self.t

    def __post_init__(self) -> None:
        at_least(1, t=self.t)
        at_least(3, width=self.width)

    def problem(self, rng: Random) -> ScriptInstance:
        """Draw a first row whose answer is 0 or 1 with equal chance."""
        bit = rng.randrange(2)
        while True:
            table = [tuple(rng.randrange(2) for _ in range(self.width))]
            for _ in range(self.t):
                table.append(rule110(table[-1]))
            if table[-1][0] == bit:
                break
        written = rows([tuple(BITS[cell] for cell in row) for row in table])
        question = (BOS, TASKS["rule110"], QUERY, FORMATS[self.format], GO)
        at = self.width + 1
        return ScriptInstance(
            prompt=(*question, *written[:at]),
            answer=BITS[bit],
            candidates=BITS,
            steps=written[at:],
            known=(self.t - 1) * at + 2,
            format=self.format,
        )

    def found(self, cap: int) -> float:
        """Return 1 from the tokens on that the answer's cell stands among, 0 below."""
        return float(cap >= (self.t - 1) * (self.width + 1) + 2)


def rule110(row: tuple[int, ...]) -> tuple[int, ...]:
    """Take one step on a ring: 1 where a cell or its right neighbour is, unless all three are."""
    left, right = (row[-1], *row[:-1]), (*row[1:], row[0])
    return tuple(
        int((c or r) and not (a and c and r)) for a, c, r in zip(left, row, right, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Compose(Script):
    """What stands first after `t` permutations of five things, each one of four `GENERATORS`.

    The prompt holds the word, ``; nT letter`` down to ``; n1 letter``; a chain's row is the number
    of steps left, the next letter, and the things in their new order.
    """

    t: int
    format: Format = "steps"

    @property
    def serial_depth(self) -> int:
        """Permutations, each applied to what the one before left."""
        return self.t

    def __post_init__(self) -> None:
        at_least(1, t=self.t)

    def problem(self, rng: Random) -> ScriptInstance:
        """Draw a word and a first order."""
        word = [rng.randrange(len(GENERATORS)) for _ in range(self.t)]
        order = rng.sample(range(5), 5)
        table = [_arrangement(order)]
        for letter in word:
            order = [order[j] for j in GENERATORS[letter]]
            table.append((_FIRST_LETTER + letter, *_arrangement(order)))
        facts = [s for t, g in enumerate(word) for s in (ROW, self.t - t, _FIRST_LETTER + g)]
        written = rows(table)
        at = len(table[0]) + 1
        return ScriptInstance(
            prompt=(BOS, TASKS["compose"], *facts, QUERY, FORMATS[self.format], GO, *written[:at]),
            answer=_FIRST_THING + order[0],
            candidates=_arrangement(range(5)),
            steps=written[at:],
            known=(self.t - 1) * 7 + 3,
            format=self.format,
        )

    def found(self, cap: int) -> float:
        """Return 1 from the tokens on that the answer stands among, 0 below."""
        return float(cap >= (self.t - 1) * 7 + 3)


def _arrangement(order: range | list[int]) -> tuple[int, ...]:
    return tuple(_FIRST_THING + thing for thing in order)
