"""Parallel controls: functions of n bits that one pass of fixed depth can compute (TC0).

No steps: asked for directly. A direct answer that fails here fails for want of learning (parity is
hard to learn, not to compute), not for want of depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from workspan.errors import at_least
from workspan_evidence.families.script import Script, ScriptInstance
from workspan_evidence.grammar import BITS, BOS, FORMATS, GO, QUERY, TASKS


@dataclass(frozen=True, slots=True)
class Parity(Script):
    """Whether the number of ones among `n` bits is odd."""

    n: int

    def __post_init__(self) -> None:
        at_least(1, n=self.n)

    def problem(self, rng: Random) -> ScriptInstance:
        """Draw bits, each 0 or 1 with equal chance; so is the answer."""
        bits = [rng.randrange(2) for _ in range(self.n)]
        return _direct("parity", bits, sum(bits) % 2)


@dataclass(frozen=True, slots=True)
class Majority(Script):
    """Which bit is the more frequent one among `n`, an odd number."""

    n: int

    def __post_init__(self) -> None:
        at_least(1, n=self.n)
        if self.n % 2 == 0:
            raise ValueError(f"n is {self.n}: of an even number of bits neither may be the more")

    def problem(self, rng: Random) -> ScriptInstance:
        """Draw bits, each 0 or 1 with equal chance; so is the answer."""
        bits = [rng.randrange(2) for _ in range(self.n)]
        return _direct("majority", bits, int(2 * sum(bits) > self.n))


def _direct(task: str, bits: list[int], answer: int) -> ScriptInstance:
    question = (BOS, TASKS[task], QUERY, FORMATS["direct"], GO)
    return ScriptInstance(
        prompt=(*question, *(BITS[bit] for bit in bits)),
        answer=BITS[answer],
        candidates=BITS,
        steps=(),
        known=1,
        format="direct",
    )
