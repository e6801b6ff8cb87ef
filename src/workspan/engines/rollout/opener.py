"""A command as an engine, as the registry opens it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from workspan.engines.rollout.engine import Command, Rollouts, Source
from workspan.registry.card import Card, carded


@carded(
    Card(
        example="rollout(command='true')",
        form="rollout:COMMAND",
        source="a coding agent, or any command that edits files",
        runs=True,
    )
)
async def rollout(
    command: str,
    folder: str = ".",
    usage: Source = "",
    tokens: int | None = None,
    prompt_tokens: int | None = None,
    cost: float | None = None,
    seconds: float = 1800.0,
    output_mb: float = 64.0,
    parallel: int = 4,
    carry: tuple[str, ...] = (),
) -> Rollouts:
    """Open a command that does a task in a copy of a folder: the answer is the diff.

    It reads the task on standard input, or in the file $WORKSPAN_TASK. `usage` is where it says
    what it used: on "stdout", or in the "file" $WORKSPAN_USAGE. `tokens`, `prompt_tokens` and
    `cost` (USD) are the most of one rollout: what is held for it, and charged where it does not
    say. `carry` are paths that git ignores and that it needs.
    """
    money = None if cost is None else Decimal(repr(cost))
    told = Command(command, usage, tokens, prompt_tokens, money, seconds, output_mb, parallel)
    return await Rollouts.begin(told, Path(folder), carry)
