"""``workspan serve``: the gateway, until a signal to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from workspan.cli.engine_options import ModelOption, PriceOption
from workspan.cli.exits import Exit
from workspan.cli.settings import KeyOption, SettingOption
from workspan.errors import InputError, MissingDependency


def serve(
    *,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            "--engine",
            "-e",
            help="Needed: http://HOST/v1, embedded[:MODEL], a plug-in's (reasoner), or "
            "module:Name(…), pool:FILE.toml; further ones as NAME=ENGINE, repeat.",
        ),
    ] = None,
    model: ModelOption = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8080,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy", "-s", help="Of requests that name a model alone; passed on unless told."
        ),
    ] = None,
    speaks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIALECTS",
            help="Of an engine, out of chat,responses,messages: NAME=… where there are several, "
            "repeat. Without, each is asked once for those beside chat.",
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=STRATEGY", help="A strategy that clients may name, repeat."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="The most that one request may spend: 8k work, 60s, $0.05.")
    ] = None,
    trajectory_budget: Annotated[
        str | None,
        typer.Option(
            "--trajectory-budget",
            metavar="BUDGET",
            help="The most that one agent's run may spend, all its turns: 200k work, $2.",
        ),
    ] = None,
    trajectories_by_prefix: Annotated[
        bool,
        typer.Option(
            "--trajectories-by-prefix",
            help="Requests that go on from an answer are one run, where no header names it.",
        ),
    ] = False,
    store: Annotated[
        str | None, typer.Option(help="Keys and accounts: a file, or postgresql://…")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    failover: Annotated[
        bool, typer.Option("--failover", help="Further engines take over before the first token.")
    ] = False,
    judge: Annotated[
        str | None,
        typer.Option(help="The engine that chooses among open texts; without, they cost one call."),
    ] = None,
    verifier: Annotated[
        str | None, typer.Option(help="Your own in its place: 'sh:./check.sh', check.py:check.")
    ] = None,
    progress: Annotated[
        bool, typer.Option("--progress", help="Streams tell what goes on, as thinking.")
    ] = False,
    admin_key_env: Annotated[
        str | None,
        typer.Option(
            "--admin-key-env",
            metavar="NAME",
            help="Variable with the key of whoever sees the page and /metrics; without one they "
            "are shown to this machine alone.",
        ),
    ] = None,
    show_content: Annotated[
        bool, typer.Option("--show-content", help="The page shows prompts and answers.")
    ] = False,
    keep_requests: Annotated[
        int,
        typer.Option(
            min=2,
            metavar="DAYS",
            help="Keep a row of each request in the store for so long; totals stay.",
        ),
    ] = 90,
    keep_responses: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Keep so many responses for previous_response_id, in memory; else it is refused.",
        ),
    ] = 0,
    shadow: Annotated[
        str | None,
        typer.Option(
            help="Run a share of the requests beside through other strategies, for advise: "
            "\"share=0.1, strategies=[auto], budget='200k work/day'\"; needs --store.",
        ),
    ] = None,
    otlp: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Send traces there, by OTLP over HTTP; OTEL_EXPORTER_OTLP_ENDPOINT does so too.",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin",
            metavar="ORIGIN",
            help="A site whose pages in a browser may ask, repeat: https://app.example.",
        ),
    ] = None,
    price: PriceOption = None,
    prices: Annotated[
        Path | None, typer.Option(help="Prices by model, TOML: tiers, caches, each with a source.")
    ] = None,
    setting: SettingOption = None,
    api_key_env: KeyOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Say on one line of JSON when ready.")
    ] = False,
) -> None:
    """Serve any client of OpenAI's or Anthropic's API, each request within its budget."""
    if not engine:
        raise InputError("name an engine: workspan serve -e http://HOST/v1 --model NAME")
    try:
        from workspan.serve.options import configured
        from workspan.serve.running import serve as run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "workspan":
            raise
        raise MissingDependency("workspan serve", "serve") from error
    config = configured(
        engine,
        model,
        price,
        setting,
        api_key_env,
        speaks=speaks,
        host=host,
        port=port,
        strategy=strategy,
        names=name,
        budget=budget,
        trajectory_budget=trajectory_budget,
        trajectories_by_prefix=trajectories_by_prefix,
        store=store,
        workers=workers,
        failover=failover,
        judge=judge,
        verifier=verifier,
        progress=progress,
        admin_key_env=admin_key_env,
        show_content=show_content,
        keep_requests=keep_requests,
        keep_responses=keep_responses,
        shadow=shadow,
        otlp=otlp,
        origins=allow_origin,
        price_file=prices,
    )

    def say(address: str) -> None:
        if json:
            typer.echo(msgspec.json.encode({"event": "listening", "url": address}).decode())
        else:
            typer.echo(f"listening at {address}")

    run(config, say)
    raise typer.Exit(Exit.OK)
