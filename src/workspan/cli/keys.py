"""``workspan keys``: the keys of a gateway, their budgets, and what they have spent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import anyio
import typer
from rich.table import Table
from rich.text import Text

from workspan.cli.plain import say, say_json
from workspan.cli.terminal import Terminal
from workspan.data.money import exactly
from workspan.legible import counted

if TYPE_CHECKING:  # what these need is loaded when a command runs
    from workspan.serve.store.base import KeyUsage, Spending
    from workspan.serve.store.keys import Key

T = TypeVar("T")

StoreOption = Annotated[
    str,
    typer.Option(
        "--store", metavar="FILE|postgresql://…", help="Where keys and accounts are kept."
    ),
]
IdArgument = Annotated[str, typer.Argument(help="The key's id, as `workspan keys list` says it.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON record a line.")]

keys = typer.Typer(
    help="Make, list and revoke a gateway's keys, and see what they spent.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@keys.command()
def add(
    name: Annotated[str, typer.Argument(help="What you call it, such as whose it is.")],
    *,
    store: StoreOption,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            "-b",
            help="Such as '1M work/day, $5/month, 200 calls/hour, 10M prefill': a minute, hour, "
            "day or month by UTC, or in all. No limit unless told.",
        ),
    ] = None,
    rpm: Annotated[int | None, typer.Option(help="Requests a minute, at most.")] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(help="A model it may ask, or a pattern such as 'qwen*'; repeat. Else all."),
    ] = None,
    expires: Annotated[str | None, typer.Option(help="Such as 90d, 12h or 2027-03-01.")] = None,
    json: Json = False,
) -> None:
    """Make a key. Its text is shown this once: only a hash of it is kept."""
    from workspan.serve.keeping import add_key

    added = _run(
        lambda: add_key(
            store, name, budget=budget, rpm=rpm, models=_split(models or ()), expires=expires
        )
    )
    if json:
        say_json(_record(added.key) | {"key": added.text})
        return
    say(f"id   {added.key.id}")
    say(f"key  {added.text}")
    Terminal(stderr=True).print(Text("keep it now: it is not shown again", "dim"))


@keys.command("list")
def list_(*, store: StoreOption, json: Json = False) -> None:
    """List all keys, the oldest first; never their texts."""
    from workspan.serve.keeping import list_keys

    found = [_record(one.key) for one in _run(lambda: list_keys(store))]
    if json:
        for record in found:
            say_json(record)
        return
    columns = ("id", "name", "budget", "models", "expires", "revoked")
    _show(columns, [[_cell(record[column]) for column in columns] for record in found])


@keys.command()
def revoke(id: IdArgument, *, store: StoreOption, json: Json = False) -> None:
    """End a key now, while the gateway serves."""
    from workspan.serve.keeping import revoke_key

    _run(lambda: revoke_key(store, id))
    if json:
        say_json({"id": id, "revoked": True})
    else:
        say(f"{id}: revoked; every worker knows within a second")


@keys.command()
def usage(
    id: Annotated[str | None, typer.Argument(help="The key's id; all keys unless told.")] = None,
    *,
    store: StoreOption,
    json: Json = False,
) -> None:
    """Say what each key has spent, in all and of each limit's present window."""
    from workspan.serve.keeping import key_usage

    found = _run(lambda: key_usage(store, id))
    if json:
        for one in found:
            say_json(_usage_record(one))
        return
    for one in found:
        _say_usage(_usage_record(one))


def _split(texts: Sequence[str]) -> list[str]:
    """Take ``a,b`` for two models."""
    return [one.strip() for text in texts for one in text.split(",")]


def _run(call: Callable[[], Awaitable[T]]) -> T:
    return anyio.run(call)


def _record(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "budget": [str(limit) for limit in key.limits],
        "models": list(key.models),
        "created": _moment(key.created),
        "expires": _moment(key.expires),
        "revoked": _moment(key.revoked),
    }


def _usage_record(usage: KeyUsage) -> dict[str, Any]:
    totals = usage.totals
    return _record(usage.stored.key) | {
        "requests": totals.requests,
        "failed": totals.failed,
        "work": totals.work,
        "calls": totals.calls,
        "prefill": totals.prefill,
        "cached": totals.cached,
        "cost": _dollars(totals.cost),
        "unpriced": totals.unpriced,
        "limits": [_limit_record(one) for one in usage.spendings],
    }


def _limit_record(one: Spending) -> dict[str, Any]:
    from workspan.serve.store.limits import window_end

    limit = one.limit
    counts = {
        "most": limit.most,
        "spent": one.spent,
        "held": one.held,
        "left": max(0, limit.most - one.spent - one.held),
    }
    if limit.quantity == "cost":
        counts = {name: _dollars(count) for name, count in counts.items()}  # type: ignore[misc]
    return {
        "limit": str(limit),
        "quantity": limit.quantity,
        "window": limit.period,
        **counts,
        "began": _moment(one.start or None),
        "turns": _moment(window_end(limit.period, one.start)),
    }


def _say_usage(record: dict[str, Any]) -> None:
    """Lay out a key in a line, and one for each of its limits."""
    unpriced = (
        f" and {counted(record['unpriced'], 'unpriced request')}" if record["unpriced"] else ""
    )
    counts = ", ".join(f"{record[name]} {name}" for name in ("requests", "work", "calls"))
    say(f"{record['id']}  {record['name']}: {counts}, ${record['cost']}{unpriced}")
    for one in record["limits"]:
        turns = f", turns {one['turns']}" if one["turns"] else ""
        say(
            f"  {one['limit']}: {one['spent']} spent, {one['held']} held, {one['left']} left{turns}"
        )


def _dollars(counted: int) -> str:
    """Write money as a decimal number: exact, which a JSON number is not to every reader."""
    with exactly():
        text = f"{Decimal(counted).scaleb(-12):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "any"
    return "" if value is None else str(value)


def _show(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column == "id")
    for line in lines:
        table.add_row(*map(Text, line))
    Terminal().print(table)
