"""Options that name engines, and one that is opened outside of an event loop."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import anyio
import typer

from workspan import engine_spec
from workspan.engines.base import Engine

EngineOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine",
        "-e",
        help="embedded[:MODEL], http://HOST/v1 or reasoner; further ones as NAME=ENGINE, repeat; "
        "a plug-in's, or module:Name(…). Embedded unless told.",
    ),
]
ModelOption = Annotated[
    list[str] | None, typer.Option(help="Model behind an endpoint; NAME=MODEL of a further one.")
]
PriceOption = Annotated[
    list[str] | None,
    typer.Option(help="USD per million tokens, input/output: 0.15/0.60; NAME=PRICE likewise."),
]


def open_now(text: str, model: str | None = None) -> Engine:
    """Open the engine that the user typed; see `engine_spec.open_engine`."""
    return anyio.run(partial(engine_spec.open_engine, imports=True), text, model)
