"""A command: a function that typer understands."""

from typing import Annotated

import typer


def hello(name: str, *, times: Annotated[int, typer.Option(help="How often.")] = 1) -> None:
    """Greet someone from Acme."""
    typer.echo(", ".join([f"hello {name}"] * times))
