"""Runs before pools: several servers at a time that are killed, slow, lie, or take no more."""

from __future__ import annotations

import random
from dataclasses import replace

from workspan.testing.faults import FAULTS, Fault
from workspan.testing.gateway_fuzz.case import (
    Case,
    Pooled,
    Side,
    Trouble,
    drawn_ask,
    habits,
    limits,
)

_ROWS = tuple(FAULTS.values())
_LIMITING = tuple(
    FAULTS[name] for name in ("status_429", "retry_after_zero", "retry_after_long", "quota_spent")
)
_LYING = tuple(
    fault
    for name, fault in FAULTS.items()
    if name.startswith(("usage_", "completion_", "prompt_", "thinking_b", "cached_", "total_"))
)
_SLOW = tuple(fault for fault in _ROWS if fault.stalls)
_SLOWLY = 0.002
"""Seconds of a piece of a slow server: a hundred of them are long beside the others."""


def pooled_case(number: int) -> Case:
    """Draw run `number` before a pool; successive numbers go through all faults."""
    rng = random.Random(f"pool {number}")
    sides = [_side(rng, _ROWS[number % len(_ROWS)])]
    sides += [_side(rng, None) for _ in range(rng.choice((1, 1, 2, 3)))]
    rng.shuffle(sides)
    keys = tuple(limits(rng) for _ in range(rng.choice((1, 1, 2))))
    asks = tuple(drawn_ask(rng, place, len(keys)) for place in range(rng.randint(2, 6)))
    pool = Pooled(
        tuple(rng.choice((1.0, 1.0, 2.0, 0.5)) for _ in sides),
        rng.random() < 0.4,
        rng.choice((None, True, False)),
        rng.randint(1, 4) if rng.random() < 0.15 else None,
        rng.randint(100, 2_000) if rng.random() < 0.1 else None,
    )
    trouble: Trouble | None = "locked" if rng.random() < 0.04 else None
    return Case(number, tuple(sides), keys, asks, rng.random() < 0.3, trouble, pool=pool)


def _side(rng: random.Random, fault: Fault | None) -> Side:
    """Draw one server: with a fault that is given, or of a kind of trouble, or with none."""
    kind = rng.choice(("killed", "slow", "lying", "limiting", "any", "sound", "sound", "sound"))
    own = habits(rng)
    if fault is not None:
        return Side((fault,), rng.choice((1.0, 1.0, 0.5)), own)
    if kind == "killed":
        return Side((), 1.0, own, killed_after=rng.choice((0, rng.randint(1, 60))))
    if kind == "slow":
        if rng.random() < 0.5:
            return Side((), 1.0, replace(own, seconds=_SLOWLY))
        return Side((rng.choice(_SLOW),), rng.choice((1.0, 0.5)), own)
    rows = {"lying": _LYING, "limiting": _LIMITING, "any": _ROWS}.get(kind, ())
    faults = (rng.choice(rows),) if rows else ()
    return Side(faults, rng.choice((1.0, 0.5)), own)
