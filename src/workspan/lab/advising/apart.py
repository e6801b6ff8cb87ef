"""Advice in a process of its own: what serves requests neither loads statistics nor waits for them.

Requests come as JSON on standard input, advice goes as JSON to standard output.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from workspan.errors import MissingDependency, OutputError
from workspan.lab.advising.kept import Shadowed

_SECONDS = 60.0
_MISSING = 3
"""How it ends where statistics are not installed."""


async def advise_apart(requests: Sequence[Shadowed]) -> list[dict[str, Any]]:
    """Return what `advise` says of requests, as JSON's values.

    Raises:
        MissingDependency: its statistics are not installed.
        OutputError: it did not end well, or not in a minute.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "workspan.lab.advising.apart"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            out, _ = await process.communicate(msgspec.json.encode(requests))
    except TimeoutError:
        raise OutputError("advice took more than a minute") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == _MISSING:
        raise MissingDependency("advice", "lab")
    if process.returncode:
        raise OutputError("advice could not be made")
    found: list[dict[str, Any]] = msgspec.json.decode(out)
    return found


def main() -> None:
    """Read, advise, write."""
    try:
        from workspan.lab.advising.advice import advise
        from workspan.lab.advising.told import told
    except ModuleNotFoundError:
        sys.exit(_MISSING)
    requests = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Shadowed])
    sys.stdout.buffer.write(msgspec.json.encode([told(one) for one in advise(requests)]))


if __name__ == "__main__":
    main()
