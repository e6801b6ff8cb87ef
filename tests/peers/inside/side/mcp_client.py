"""Drives `workspan mcp` by the official client, over stdio; tells what it saw as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import anyio
from mcp import StdioServerParameters
from mcp.client.client import Client

QUESTION = "What is 2 + 2?"


async def ask(client: Any, name: str, **given: object) -> dict[str, Any]:
    done = await client.call_tool(name, given)
    said = "".join(getattr(part, "text", "") for part in done.content)
    return {"error": said} if done.is_error else dict(done.structured_content)


async def main(python: str, url: str) -> dict[str, Any]:
    words = ["-m", "workspan", "mcp", "-e", url, "--model", "simulated", "--price", "1/1"]
    words += ["--budget", "60 work", "--each", "40 work"]
    told: dict[str, Any] = {}
    parameters = StdioServerParameters(command=python, args=words)
    async with Client(parameters) as client:
        listed = await client.list_tools()
        told["tools"] = sorted(tool.name for tool in listed.tools)
        kind = {"question": QUESTION, "kind": "number"}
        told["plan"] = await ask(client, "plan", **kind, budget="1M work")
        told["schemas"] = [tool.input_schema.get("additionalProperties") for tool in listed.tools]
        solved = {"strategy": "self_consistency(n=4, max_tokens=8)", **kind}
        told["misspelt"] = await ask(client, "solve", **solved, budget="9 work", budgets="1 work")
        told["told_much"] = await ask(client, "account", question="?")
        told["long"] = await ask(
            client, "solve", **{**solved, "question": "x" * 200_001}, budget="9 work"
        )
        told["after_plan"] = await ask(client, "account")
        told["no_budget"] = await ask(client, "solve", **kind)
        told["solve"] = await ask(client, "solve", **solved, budget="1M work")
        told["command"] = await ask(
            client, "solve", **kind, budget="9 work", strategy="best_of_n(verifier='sh:true')"
        )
        told["patch"] = await ask(
            client,
            "solve",
            **kind,
            budget="9 work",
            strategy="best_of_n(verifier=patch_tests(command='true'))",
        )
        told["file"] = await ask(
            client, "solve", **kind, budget="9 work", strategy="auto(profile='/etc/passwd')"
        )
        told["tight"] = await ask(client, "solve", **solved, budget="3 work")
        told["rest"] = await ask(client, "solve", **solved, budget="1M work")
        told["again"] = await ask(client, "solve", **solved, budget="1M work")
        told["poor"] = await ask(client, "solve", **solved, budget="1M work")
        with anyio.move_on_after(0.3):
            await ask(client, "solve", **kind, budget="9 work")
        told["account"] = await ask(client, "account")
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(anyio.run(main, sys.argv[1], sys.argv[2])))
