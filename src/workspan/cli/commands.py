"""The commands by name, ours and those of plug-ins; only the one that is asked for is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from workspan.errors import PluginError, nearest
from workspan.legible import legible, one_line, quoted
from workspan.registry.table import Row, table

_SHORT: Mapping[str, str] = {
    "solve": "Answer a question, or each problem of a file, and say how the budget was spent.",
    "rollouts": (
        "Run a coding agent several times, each in a copy of the folder, and keep the best change."
    ),
    "compare": "Run strategies on the same problems at the same budget, and say which is ahead.",
    "replay": (
        "Run strategies on recorded chains within budgets, learning only from other problems."
    ),
    "sweep": "Run engines × tasks × strategies × budgets × efforts × seeds, and keep every cell.",
    "runs": "List, show, compare, draw, export and forget what sweeps found.",
    "calibrate": (
        "Draw chains on a sample of your problems, and write what `auto` should know of the model."
    ),
    "which": (
        "Race efforts on your labelled problems within a pilot's budget, and say which pays."
    ),
    "certify": (
        "Find which answers can be given at a stated risk, with what certainty and at what cost."
    ),
    "label": (
        "Judge answers by hand: right, wrong or unsure; each judgement is kept as it is made."
    ),
    "explain": "Say what was bought in which order, what it had shown, and what more would bring.",
    "read": (
        "Show what is read as a text's answer, where it stands and why; exit 4 if there is none."
    ),
    "claims": "Measure published claims: statement, matched budgets, interval and verdict.",
    "map": "Draw what the field claims of breadth and depth, each idea with its live verdicts.",
    "strategies": "List the strategies, or say all of one.",
    "engines": "List the ways to reach a model, or say all of one.",
    "verifiers": "List what judges candidates in a run, or say all of one.",
    "graders": "List what grades answers after a run, or say all of one.",
    "readers": "List what reads rows of problems that no form fits, or say all of one.",
    "tasks": "List the sets of problems with exact graders, or say all of one.",
    "models": "List, check and fetch models for the embedded engine.",
    "serve": "Serve any client of OpenAI's or Anthropic's API, each request within its budget.",
    "keys": "Make, list and revoke a gateway's keys, and see what they spent.",
    "advise": (
        "Say what each route should be set to, by the requests that serve --shadow ran beside."
    ),
    "mcp": "Serve the tools plan, solve and account on standard input and output.",
}
"""What the list of commands says of ours: the first lines of their docstrings, unimported."""


class Commands(TyperGroup):
    """The group of all commands: a list of them imports none."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # the library's signature
        """Name ours in their order, then those of others."""
        return [*table("commands")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return what stands for a command in a list; None if there is none of that name."""
        row = table("commands").seek(cmd_name)
        if row is None:
            return None
        short = _SHORT.get(cmd_name) if row.is_ours else f"From {row.distribution}."
        return TyperCommand(name=cmd_name, short_help=legible(short or ""))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Load the command that the arguments begin with."""
        name = args[0]
        row = table("commands").seek(name)
        if row is None:
            ctx.fail(f"No such command {quoted(name)}: {nearest(name, table('commands'))}")
            raise AssertionError  # pragma: no cover  # `fail` has raised
        return name, _loaded(row), args[1:]


def _loaded(row: Row) -> Any:
    """Make a command of a function or of a typer application.

    Raises:
        PluginError: a distribution's is neither.
    """
    made = row.load()
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback()(lambda: None)  # else one command alone would stand for the whole
    if isinstance(made, typer.Typer):
        app.add_typer(made, name=row.name)
    elif callable(made) and not isinstance(made, type):
        app.command(row.name)(made)
    else:
        kind = type(made).__name__
        raise PluginError(
            f"the command {row.name!r} of {row.distribution} is a {kind}: "
            "give a function or a typer application"
        )
    try:
        group: Any = typer.main.get_command(app)
    except RuntimeError as error:  # of annotations that typer makes nothing of
        if row.is_ours:
            raise
        who = f"the command {row.name!r} of {row.distribution}"
        raise PluginError(f"{who} can't be used: {one_line(str(error), 300)}") from error
    return group.commands[row.name]
