"""Run the comparison: `python -m benchmarks.agents --page docs/results/agents.md`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from benchmarks.agents.arms import ARMS, Ran, run
from benchmarks.agents.page import page


async def ran(tasks: int, seed: int) -> list[Ran]:
    """Run all arms."""
    found = []
    for arm in ARMS:
        one = await run(arm, tasks, seed)
        print(arm.name, sum(x.solved for x in one.outcomes), "of", tasks, flush=True)
        found.append(one)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it, and print or write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args(arguments)
    text = page(asyncio.run(ran(options.tasks, options.seed)), options.seed)
    if options.page is None:
        print(text)
    else:
        options.page.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
