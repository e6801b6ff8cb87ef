"""Options that name engines."""

from __future__ import annotations

from typing import Annotated

import typer

EngineOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine",
        "-e",
        help="embedded[:MODEL], http://HOST/v1, pool:FILE.toml, a plug-in's (reasoner), or "
        "module:Name(…); further ones as NAME=ENGINE, repeat. Embedded unless told.",
    ),
]
ModelOption = Annotated[
    list[str] | None, typer.Option(help="Model behind an endpoint; NAME=MODEL of a further one.")
]
PriceOption = Annotated[
    list[str] | None,
    typer.Option(help="USD per million tokens, input/output: 0.15/0.60; NAME=PRICE likewise."),
]
