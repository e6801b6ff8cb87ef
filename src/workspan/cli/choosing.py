"""From ``--strategies`` to strategies: a list of written forms, or ``all``."""

from __future__ import annotations

from workspan.app.engines import Opened
from workspan.cli.terminal import Terminal
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.errors import PluginError, SpecError, UnsupportedCapability
from workspan.runner import check
from workspan.spec import STRATEGIES, parse_strategy, split_list

ALL = "all"
"""Stands for the small example of every strategy that can run here."""


def named(text: str) -> list[Strategy]:
    """Read those that are named.

    Raises:
        SpecError: see `parse_strategy`; or none is named.
    """
    parts = split_list(text)
    if not parts:
        raise SpecError("no strategy is named: such as single,self_consistency(n=8), or all")
    return [parse_strategy(part, imports=True) for part in parts if part != ALL]


def every(text: str, opened: Opened) -> list[Strategy]:
    """Return what ``all`` stands for if it is in `text`; say what is left out, and why."""
    if ALL not in split_list(text):
        return []
    able, why = [], []
    for known in STRATEGIES.values():
        try:
            if known.card.extra:
                why.append(f"{known.name} needs the extra {known.card.extra!r}: name it to run it")
                continue
            strategy = parse_strategy(known.example, imports=True)
            check(strategy, opened.engine, Budget(), opened.engines, opened.tools)
        except (UnsupportedCapability, SpecError, PluginError) as refusal:
            why.append(str(refusal))
        else:
            able.append(strategy)
    if why:
        Terminal(stderr=True).print(f"left out: {'; '.join(why)}")
    return able
