"""What one run of the fuzzer is: drawn from its number, so that a number repeats it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from workspan.data.budget import Budget
from workspan.spec import STRATEGIES
from workspan.testing.faults import FAULTS, Fault, Habits

Kill: TypeAlias = Literal["cancelled", "killed"]
"""cancelled: the run's task is, and settles its calls; killed: the process is gone at once, and
only what had been journaled by then is known."""

EXAMPLES = tuple(named.example for named in STRATEGIES.ours.values() if not named.card.extra)
"""One small example of every strategy that needs no extra."""
_ROWS = tuple(FAULTS.values())
_HONEST = 8
"""One run of so many is on a server that does nothing wrong."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run: a server, a strategy, a budget, and what becomes of the run."""

    number: int
    strategy: str
    faults: tuple[Fault, ...]
    share: float
    """Of the requests that a fault hits."""
    habits: Habits
    budget: Budget
    form: Literal["chat", "completion"]
    n_per_request: int
    overshoot: int
    is_priced: bool
    kill: Kill | None
    kill_after: int
    """Tokens that the server has decoded by then."""

    @property
    def is_honest(self) -> bool:
        """The server does nothing wrong."""
        return not self.faults

    def __str__(self) -> str:
        names = "+".join(fault.name for fault in self.faults) or "honest"
        ended = f", {self.kill} after {self.kill_after}" if self.kill else ""
        return (
            f"run {self.number}: {names} ({self.share:g} of requests), {self.strategy}, "
            f"{self.budget}, {self.form}, n={self.n_per_request}, overshoot={self.overshoot}, "
            f"{self.habits}{ended}"
        )


def case(number: int) -> Case:
    """Draw run `number`: successive numbers go through all pairs of a fault and a strategy."""
    rng = random.Random(f"fuzz {number}")
    turn, place = divmod(number, len(_ROWS))
    strategy = EXAMPLES[(turn + place) % len(EXAMPLES)]  # whatever the two tables' lengths
    faults: tuple[Fault, ...] = (_ROWS[place],)
    if rng.randrange(_HONEST) == 0:
        faults = ()
    elif rng.random() < 0.25:
        faults = (*faults, rng.choice(_ROWS))
    overshoot = rng.choice((16, 64, 64))
    if any(fault.is_coarse for fault in faults):
        overshoot = 64
    habits = _habits(rng, overshoot)
    budget = _budget(rng)
    return Case(
        number,
        strategy,
        faults,
        rng.choice((1.0, 1.0, 0.5, 0.2)),
        habits,
        budget,
        rng.choice(("chat", "chat", "completion")),
        rng.choice((1, 1, 1, 3)),
        overshoot,
        budget.cost is not None or rng.random() < 0.5,
        rng.choice((None, None, None, "cancelled", "killed")),
        rng.randint(1, 120),
    )


def _habits(rng: random.Random, overshoot: int) -> Habits:
    """Draw a server that stays within `overshoot`: it notices a hang-up within four pieces."""
    per_piece = rng.choice((1, 1, 1, 2, 4, 8, 16) if overshoot >= 64 else (1, 1, 2, 4))
    most = max(0, overshoot - 4 * max(3, per_piece))
    return Habits(
        per_piece=per_piece,
        words=rng.choice(("short", "short", "long", "cjk", "digits", "emoji")),
        decodes_end=rng.random() < 0.5,
        thinking=rng.choice((0, 0, 0, rng.randint(1, 30))),
        cached=rng.choice((0.0, 0.0, rng.random())),
        counts_prompts=rng.random() < 0.25,
        reports=rng.choice(("last", "last", "last", "always", "never")),
        overshoot=min(most, rng.randint(0, max(0, overshoot - 3 * max(3, per_piece)))),
        length=rng.choice(((1, 12), (1, 20), (10, 60), (60, 150))),
    )


def _budget(rng: random.Random) -> Budget:
    """Draw one to three tiny limits, or now and then none."""
    names = ["work"] * 4 + ["cost"] * 2 + ["span", "calls", "prefill", "seconds"]
    chosen = {rng.choice(names) for _ in range(rng.choice((1, 1, 2, 3)))}
    drawn = Budget(
        work=round(math.exp(rng.uniform(0, math.log(600)))),
        span=round(math.exp(rng.uniform(0, math.log(300)))),
        calls=rng.randint(1, 8),
        prefill=rng.randint(20, 3000),
        cost=Decimal(rng.randint(1, 12_000)) / 1_000_000,
        seconds=rng.uniform(0.01, 0.3),
    )
    if rng.random() < 0.05:
        return Budget()
    return replace(drawn, **dict.fromkeys({*names} - chosen))
