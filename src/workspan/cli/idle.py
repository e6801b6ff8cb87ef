"""Options that were given and bear on nothing: refused, since who wrote them meant something."""

from __future__ import annotations

from collections.abc import Collection

import typer

from workspan.errors import InputError


def refuse_idle(context: typer.Context, takes: Collection[str], why: str) -> None:
    """Refuse what the command line gives beside what has a use.

    Args:
        context: of the command.
        takes: names of the parameters that have one.
        why: what is done here, and so takes no more.

    Raises:
        InputError: something else was given.
    """
    idle = [
        max(one.opts, key=len)
        for one in context.command.params
        if one.name and one.name not in takes and _is_given(context, one.name)
    ]
    if idle:
        raise InputError(f"{why}: leave {' and '.join(idle)} out")


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
