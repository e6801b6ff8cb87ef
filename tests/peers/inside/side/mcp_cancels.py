"""Gives up a call of `workspan mcp` half-way, then asks for the account."""

from __future__ import annotations

import json
import sys
from typing import Any

import anyio
from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp_client import ask


async def main(python: str, url: str) -> dict[str, Any]:
    words = ["-m", "workspan", "mcp", "-e", url, "--model", "simulated", "--budget", "5k work"]
    told: dict[str, Any] = {}
    async with Client(StdioServerParameters(command=python, args=words)) as client:
        given = {"question": "Tell.", "budget": "500 work", "kind": "open"}
        async with anyio.create_task_group() as group:

            async def give_up() -> None:
                strategy = "self_consistency(n=2, max_tokens=100)"
                await ask(client, "solve", strategy=strategy, **given)

            group.start_soon(give_up)
            while True:  # both calls are half-way
                told["during"] = await ask(client, "account")
                if told["during"]["held_work"]:
                    break
                await anyio.sleep(0.05)
            await anyio.sleep(1)
            group.cancel_scope.cancel()
        while True:
            told["after"] = await ask(client, "account")
            if not told["after"]["held_work"]:
                break
            await anyio.sleep(0.05)
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(anyio.run(main, sys.argv[1], sys.argv[2])))
