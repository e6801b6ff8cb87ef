"""What a request wishes, beside what it asks: read, and held against what a client may say.

A client's text makes strategies of this project's names with plain values. It never imports, runs
a command, opens a file or names an address: see `safe_strategy`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from workspan.data.budget import Budget
from workspan.errors import InputError, SpecError, nearest
from workspan.legible import quoted
from workspan.registry.table import table
from workspan.serve.asked import NO_WISH, Wish
from workspan.serve.relay.body import Body
from workspan.serve.trajectories import named
from workspan.serve.trajectories.named import Named

if TYPE_CHECKING:
    from workspan.core.session import Strategy

FIELD = "workspan"
"""The field of a body that holds wishes; it never goes upstream."""
STRAIGHT = ("none", "straight", "off")
"""Strategies that are none: the request is passed on as it is."""

_LONGEST = 2_000
"""Characters of a strategy from the wire."""
_TEXTS = frozenset(
    {
        *("engine", "engines", "choices", "nudge", "cue", "probe", "final"),
        *("end_of_thinking", "question", "questions", "effort", "prefers"),
    }
)
"""Parameters whose texts are words for a model, or names that must be known. What is not here may
be a file, such as a profile, or an address."""
_RUN_CODE = frozenset({"public_tests"})
"""What runs programs, if only in a sandbox: for the operator to allow, by a name of his own."""
_READS: Mapping[str, str] = {
    "budget": "a text",
    "strategy": "a text",
    "explain": "true or false",
    "lane": "a text",
    **named.READS,
}


class BadBudget(InputError):
    """A budget that a request wishes can't be read; `field` is the wish."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


LANES = ("live", "batch")
"""batch: without a deadline."""


def read_wish(
    body: Body,
    budget: str,
    strategy: str,
    lane: str = "",
    trajectory: Mapping[str, str] | None = None,
) -> Wish:
    """Read the wishes of a body, which loses them, and of the headers; the body's come first.

    `trajectory` is what headers say of it, by the names of a body's wishes.

    Raises:
        InputError: one is none; says what would be right.
    """
    told: Mapping[str, Any] = {}
    if FIELD in body:
        said = '{"budget": "4k work", "strategy": "auto", "explain": true}'
        told = body.get(FIELD, dict[str, Any], f"an object such as {said}") or {}
        body.drop(FIELD)
        for name in told:
            if name not in _READS:
                raise InputError(f"workspan holds no wish {quoted(name)}: {nearest(name, _READS)}")
    if not (told or budget or strategy or lane or trajectory):
        return NO_WISH
    limits = _text(told, "budget") or budget.strip()
    return Wish(
        _budget(limits, "budget", read_budget) if limits else None,
        _text(told, "strategy") or strategy.strip() or None,
        _flag(told, "explain"),
        _lane(_text(told, "lane") or lane.strip()) == "batch",
        _trajectory(told, trajectory or {}),
    )


def _trajectory(told: Mapping[str, Any], headers: Mapping[str, str]) -> Named | None:
    """Read what a request says of its trajectory; None where that is nothing."""
    own = {name: told[name] for name in named.READS if told.get(name) is not None}
    said = {**named.of_headers(headers), **own}
    if not said:
        return None
    limits = _text(said, "trajectory_budget")
    return Named(
        named.checked_name(_text(said, "trajectory")) if "trajectory" in said else "",
        _budget(limits, "trajectory_budget", named.read_limits) if limits else None,
        named.turns_of(said.get("trajectory_turns")),
        named.flag_of(said.get("trajectory_tells")),
    )


def _lane(text: str) -> str:
    if text and text not in LANES:
        raise InputError(f"workspan.lane must be one of {', '.join(LANES)}, not {quoted(text)}")
    return text


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"workspan.{name} must be {_READS[name]}, not {quoted(value)}")
    return (value or "").strip()


def _flag(told: Mapping[str, Any], name: str) -> bool:
    value = told.get(name)
    if value is not None and not isinstance(value, bool):
        raise InputError(f"workspan.{name} must be {_READS[name]}, not {quoted(value)}")
    return bool(value)


def _budget(text: str, field: str, read: Callable[[str], Budget]) -> Budget:
    try:
        return read(text)
    except SpecError as error:
        raise BadBudget(f"the wished budget: {error}", field) from None


def read_budget(text: str) -> Budget:
    """Read a budget; ``unlimited`` and ``none`` are one without a limit.

    Raises:
        SpecError: it is not understood.
    """
    return Budget() if text.strip().lower() in ("unlimited", "none") else Budget.parse(text)


def within(wished: Budget | None, allowed: Budget) -> Budget:
    """Return what a request may spend: of each limit the lower one."""
    if wished is None:
        return allowed
    if allowed == Budget():
        return wished
    limits = {}
    for item in fields(Budget):
        both = (getattr(wished, item.name), getattr(allowed, item.name))
        limits[item.name] = min((one for one in both if one is not None), default=None)
    return Budget(**limits)


def safe_strategy(text: str) -> Strategy:
    """Make the strategy that a client wrote.

    Raises:
        InputError: it is none; or it names what a client may not: a module or file to import, a
            command, a part of a plug-in, a program to run, a file to read.
    """
    if len(text) > _LONGEST:
        raise InputError(f"a strategy has at most {_LONGEST} characters")
    from workspan.spec import parse_strategy  # imported by the first request that needs it
    from workspan.spec.text import parse

    _check_dashes(text)
    parsed = parse(text.strip(), "self_consistency(n=8)")
    for path in parsed.paths.values():
        raise InputError(
            f"the strategy names {quoted(path)}: nothing is imported for a request. The operator "
            "can give it a name: --name NAME=STRATEGY"
        )
    for node in ast.walk(parsed.node):
        if isinstance(node, ast.keyword):
            _check_keyword(node)
    for name in _heads(parsed.node):
        _check_name(name)
    return parse_strategy(text, imports=False)


def _check_dashes(text: str) -> None:
    """Say how a name is written that has dashes: they would be read as subtractions."""
    head = text.strip().partition("(")[0]
    name = head.replace("-", "_")
    if name != head and name in table("strategies").ours:
        raise InputError(f"unknown strategy {quoted(head)}: did you mean {name!r}?")


def _heads(node: ast.AST) -> list[str]:
    """Return the names that stand for parts."""
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]


def _check_name(name: str) -> None:
    is_ours = name in table("strategies").ours or name in table("verifiers").ours
    if name in _RUN_CODE:
        raise InputError(f"{name} runs programs: the operator must allow it by a name of his own")
    if not is_ours and name not in ("inf", "nan"):
        known = [*table("strategies").ours, *STRAIGHT]
        raise InputError(f"unknown strategy {quoted(name)}: {nearest(name, known)}")


def _check_keyword(node: ast.keyword) -> None:
    """Refuse texts where a file or an address might stand."""
    if node.arg in _TEXTS:
        return
    for inner in ast.walk(node.value):
        if isinstance(inner, ast.keyword):
            return  # a part of its own, which is looked at by itself
        is_text = isinstance(inner, ast.Constant) and isinstance(inner.value, str | bytes)
        if is_text:
            raise InputError(
                f"{node.arg} takes no text from a request: the operator can write it into a "
                "strategy with a name of its own"
            )
