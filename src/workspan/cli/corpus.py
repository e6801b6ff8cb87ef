"""``--corpus``: what strategies that search are given to search in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from workspan.legible import legible

CorpusOption = Annotated[
    str | None,
    typer.Option(
        "--corpus",
        help="What retrieve searches: a folder of .txt, .md and .jsonl, or http://HOST/retrieve.",
    ),
]
EmbedderOption = Annotated[
    str | None,
    typer.Option("--embedder", help="Search by meaning too: MODEL@http://HOST/v1, embeddings."),
]


def cited(sources: Sequence[str]) -> str:
    """List the passages that an answer rests on."""
    return "rests on: " + legible(", ".join(sources)) if sources else "cites no passage"
