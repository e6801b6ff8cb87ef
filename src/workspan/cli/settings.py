"""The options by which a user states how an engine's server is asked, and with which key."""

from __future__ import annotations

from typing import Annotated

import typer

SettingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-o",
        metavar="[NAME.]KEY=VALUE",
        help="How a server is asked, repeat: prefill=true (it continues a given beginning), "
        "form=chat|completion, seed=false, stream=false, context=N, effort=low, concurrency=N, "
        "n_per_request=N, overshoot=N, timeout.connect|first_token|between_chunks=SECONDS, "
        "retries.attempts|seconds=N, key_header=api-key, header.NAME=TEXT, body.FIELD=JSON. "
        "NAME. is a further engine's.",
    ),
]
KeyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--api-key-env",
        metavar="[NAME=]VARIABLE",
        help="The environment variable with an engine's key; it goes to that engine alone. "
        "WORKSPAN_API_KEY, else OPENAI_API_KEY, for the run's own server unless told.",
    ),
]
