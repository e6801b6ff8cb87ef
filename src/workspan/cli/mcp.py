"""``workspan mcp``: answers for agents, over the Model Context Protocol, under a hard budget."""

from __future__ import annotations

from typing import Annotated

import anyio
import typer

from workspan.app.engines import open_engines
from workspan.app.specs import DEFAULT_BUDGET, as_budget
from workspan.app.state import private_files
from workspan.cli.engine_options import EngineOption, ModelOption, PriceOption
from workspan.cli.settings import KeyOption, SettingOption
from workspan.errors import InputError, MissingDependency


def mcp(
    *,
    budget: Annotated[
        str,
        typer.Option(
            "--budget",
            "-b",
            help="Of all runs together, until the server ends: work, calls, prefill, money; or "
            "unlimited.",
        ),
    ],
    each: Annotated[
        str, typer.Option(help="Of each run, at most, whatever a call names; or unlimited.")
    ] = DEFAULT_BUDGET,
    engine: EngineOption = None,
    model: ModelOption = None,
    price: PriceOption = None,
    setting: SettingOption = None,
    api_key_env: KeyOption = None,
    http: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Listen on this port of loopback instead.")
    ] = None,
) -> None:
    """Serve the tools plan, solve and account on standard input and output."""
    try:
        from workspan.integrations.mcp import server
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "mcp":
            raise MissingDependency("an MCP server", "mcp") from error
        raise
    total, most = as_budget(budget), as_budget(each)
    for name in ("span", "seconds", "width"):
        if getattr(total, name) is not None:
            raise InputError(
                f"--budget limits {name}, which does not add up over runs: --each does"
            )

    async def main() -> None:
        opened = await open_engines(engine, model, price, setting, api_key_env)
        try:
            made = server(opened, total, most)
            if http is None:
                await made.run_stdio_async()
            else:
                await made.run_streamable_http_async(host="127.0.0.1", port=http)
        finally:
            await opened.aclose()

    with private_files():
        anyio.run(main)
