"""What a request says of its trajectory: a name, a budget of all its turns, how many are likely."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from workspan.data.budget import Budget
from workspan.errors import InputError
from workspan.legible import quoted
from workspan.serve.store.limits import Limit, units

LONGEST = 128
"""Characters of a name."""
MOST_TURNS = 10_000
"""That may be stated: a trajectory itself may have more."""
_LIMITED = ("work", "calls", "prefill", "cost")
"""What a budget of several requests can limit."""
_EXAMPLE = (
    "a trajectory's budget limits work, prefill, calls or money, as in '200k work, 40 calls, $2'; "
    "span, width and seconds are of each request: see workspan.budget"
)
READS: Mapping[str, str] = {
    "trajectory": "a text",
    "trajectory_budget": "a text",
    "trajectory_turns": "a whole number",
    "trajectory_tells": "true or false",
}
"""Wishes of a body, in ``workspan``; as headers, Workspan-Trajectory-Budget and so on."""


class OtherBudget(InputError):
    """A run is asked for with another budget than it began with."""


@dataclass(frozen=True, slots=True)
class Named:
    """The trajectory that a request belongs to, as its client says."""

    name: str = ""
    """Empty where only more is said of it: it is found by what the request goes on from."""
    budget: Budget | None = None
    turns: int | None = None
    """How many are likely, this one and those before among them."""
    tells: bool = False
    """The agent is told at each turn what is left."""
    is_found: bool = False
    """Nobody named it: it is known by what its requests go on from."""


def checked_name(text: str) -> str:
    """Return a trajectory's name.

    Raises:
        InputError: it is empty or too long, or holds what is no plain letter, digit or sign.
    """
    name = text.strip()
    if not 1 <= len(name) <= LONGEST or not (name.isascii() and name.isprintable()):
        raise InputError(
            f"a trajectory's name has 1 to {LONGEST} plain characters, not {quoted(name[:200])}"
        )
    return name


def id_of(key: str, name: str) -> str:
    """Return the id of a key's trajectory: of a bounded form, and another for each key."""
    return "trj-" + hashlib.sha256(f"{key}\0{name}".encode()).hexdigest()[:32]


def read_limits(text: str) -> Budget:
    """Read a trajectory's budget; ``unlimited`` and ``none`` are one without a limit.

    Raises:
        SpecError: it is not understood, or limits what several requests can't share.
    """
    if text.strip().lower() in ("unlimited", "none"):
        return Budget()
    return Budget.parse(text, only=_LIMITED, example=_EXAMPLE)


def limits_of(budget: Budget) -> tuple[Limit, ...]:
    """Return a budget as limits of accounts that last as long as the trajectory.

    Raises:
        InputError: it limits what one request takes and several can't share.
    """
    for item in fields(budget):
        if item.name not in _LIMITED and getattr(budget, item.name) is not None:
            raise InputError(f"{item.name} can't be limited here: {_EXAMPLE}")
    return tuple(
        Limit(name, "total", units(name, most))  # type: ignore[arg-type]  # columns are quantities
        for name in _LIMITED
        if (most := getattr(budget, name)) is not None
    )


def of_headers(said: Mapping[str, str]) -> dict[str, Any]:
    """Return what headers say, by a body's names and as a body would; other texts stay texts."""
    return {name: _FROM_TEXT.get(name, str)(text.strip()) for name, text in said.items()}


def _number(text: str) -> Any:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 8 else text


def _answer(text: str) -> Any:
    return _FLAGS.get(text.lower(), text)


def turns_of(told: Any) -> int | None:
    """Check a number of turns.

    Raises:
        InputError: it is none.
    """
    if told is not None and (type(told) is not int or not 1 <= told <= MOST_TURNS):
        raise InputError(
            f"workspan.trajectory_turns is a whole number from 1 to {MOST_TURNS}, "
            f"not {quoted(told)}"
        )
    number: int | None = told
    return number


def flag_of(told: Any) -> bool:
    """Check a yes or a no.

    Raises:
        InputError: it is neither.
    """
    if not isinstance(told, bool | None):
        raise InputError(f"workspan.trajectory_tells must be true or false, not {quoted(told)}")
    return bool(told)


_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "trajectory_turns": _number,
    "trajectory_tells": _answer,
}
