"""Options that were given and bear on nothing: refused, since who wrote them meant something."""

from __future__ import annotations

from collections.abc import Collection

import typer

from workspan.errors import InputError


def refuse_idle(context: typer.Context, idle: Collection[str], why: str) -> None:
    """Refuse what the command line gives and nothing would read.

    Args:
        context: of the command.
        idle: names of the parameters that bear on nothing here.
        why: what is done here, and so takes no more.

    Raises:
        InputError: one of them was given.
    """
    given = [
        max(one.opts, key=len)
        for one in context.command.params
        if one.name in idle and _is_given(context, one.name)
    ]
    if given:
        raise InputError(f"{why}: leave {' and '.join(given)} out")


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
