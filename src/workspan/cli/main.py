"""``workspan``: the commands, and how every error leaves the process."""

from __future__ import annotations

import logging
import sys

import typer
from rich.console import Console

from workspan.cli.calibrate import calibrate
from workspan.cli.claims import claims
from workspan.cli.compare import compare
from workspan.cli.exits import Exit, exit_for
from workspan.cli.explain import explain
from workspan.cli.lists import engines, models, strategies, tasks
from workspan.cli.read import read
from workspan.cli.replay import replay
from workspan.cli.solve import solve
from workspan.errors import WorkspanError

app = typer.Typer(
    help="Spend a test-time budget in breadth, in depth, or both, under one exact account.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    *(solve, compare, replay, calibrate, explain, read, claims),
    *(strategies, engines, tasks),
):
    app.command()(command)
app.add_typer(models, name="models")


def main() -> None:
    """Run the command line; errors raised on purpose end as one message and an exit code."""
    logging.getLogger("stamina").addHandler(logging.NullHandler())  # else retries go to stderr
    try:
        app()
    except WorkspanError as error:
        Console(stderr=True).print(f"error: {error}", style="red", markup=False, highlight=False)
        sys.exit(exit_for(error))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
