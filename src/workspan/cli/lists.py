"""``workspan strategies``, ``engines``, ``tasks`` and so on: what there is, and all of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from workspan.cli.plain import say, say_json
from workspan.cli.terminal import Terminal
from workspan.engines import models as catalogue
from workspan.errors import MissingDependency, ModelNotFound, PluginError
from workspan.legible import legible
from workspan.registry.table import WRITTEN, Group, Row, table
from workspan.spec.describing import Described, described, described_path

Name = Annotated[str, typer.Argument(help="A name that `workspan models` lists.")]
One = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Say all of this one.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON record a line.")]


def strategies(name: One = None, *, json: Json = False) -> None:
    """List the strategies, or say all of one."""
    _list_or_tell("strategies", name, ("family", "summary", "source"), json=json)


def engines(name: One = None, *, json: Json = False) -> None:
    """List the ways to reach a model, or say all of one."""
    _list_or_tell("engines", name, ("form", "summary", "source"), json=json)


def verifiers(name: One = None, *, json: Json = False) -> None:
    """List what judges candidates in a run, or say all of one."""
    _list_or_tell("verifiers", name, ("summary", "source"), json=json)


def graders(name: One = None, *, json: Json = False) -> None:
    """List what grades answers after a run, or say all of one."""
    _list_or_tell("graders", name, ("summary", "source"), json=json)


def readers(name: One = None, *, json: Json = False) -> None:
    """List what reads rows of problems that no form fits, or say all of one."""
    _list_or_tell("readers", name, ("summary", "source"), json=json)


def tasks(name: One = None, *, json: Json = False) -> None:
    """List the sets of problems with exact graders, or say all of one."""
    if name is not None:
        _tell_tasks(name, json=json)
        return
    from workspan.tasks.catalogue import catalogue as task_sets
    from workspan.tasks.procedural import SOURCE, left_out

    sets: list[dict[str, object]] = [
        {"name": t.name, "summary": t.summary, "source": t.source} for t in task_sets()
    ]
    plugins = [row for row in table("tasks").values() if not row.is_official]
    sets += [_line(row, ("summary", "source")) for row in plugins]
    try:
        others = left_out()
    except MissingDependency:
        others = {}
    sets += [
        {"name": name, "summary": f"left out: it {why}", "source": SOURCE}
        for name, why in others.items()
    ]
    _show(sets, json=json)
    _say_refused("tasks")


def _tell_tasks(name: str, *, json: bool) -> None:
    """Say all of one set; those of reasoning-gym have rows of their library's."""
    if WRITTEN.fullmatch(name):
        _tell(described_path(name), json=json)
        return
    if table("tasks").seek(name) is not None:
        _tell(described(table("tasks").find(name)), json=json)
        return
    from workspan.tasks import procedural

    _tell(procedural.described(name), json=json)


def _list_or_tell(group: Group, name: str | None, columns: Sequence[str], *, json: bool) -> None:
    rows = table(group)
    if name is not None:
        found = described_path(name) if WRITTEN.fullmatch(name) else described(rows.find(name))
        _tell(found, json=json)
        return
    lines = [_line(row, columns) for row in rows.values()]
    if lines:
        _show(lines, json=json)
    elif not json:
        say(f"none is installed: docs/plugins.md says how to bring {group}")
    _say_refused(group)


def _line(row: Row, columns: Sequence[str]) -> dict[str, object]:
    """Say one row in one line; a plug-in that can't be imported hides no other."""
    try:
        card = row.card
        about = {
            "family": card.family,
            "form": card.form or card.example,
            "summary": row.summary,
            "source": card.source if row.is_ours else row.distribution,
        }
    except PluginError as error:
        about = {"summary": f"can't be used: {error}", "source": row.distribution}
    return {"name": row.name, **{column: about.get(column, "") for column in columns}}


def _say_refused(group: Group) -> None:
    """Say what plug-ins bring in vain."""
    for why in table(group).refused:
        Terminal(stderr=True).print(f"left out: {why}")


def _tell(one: Described, *, json: bool) -> None:
    """Say all of one row."""
    if json:
        say_json(_record(one))
        return
    console, card = Terminal(), one.card
    console.print(Text(one.name, "bold"), Text(one.summary))
    if one.doc:
        console.print(Text(f"\n{one.doc}"))
    cost = ", ".join(
        f"{what} {formula}"
        for what, formula in (("calls", card.calls), ("work", card.work), ("span", card.span))
        if formula
    )
    about = {
        "needs": ", ".join(one.needs),
        "cost": f"at most {cost}" if card.is_most and cost else cost,
        "helps": card.helps,
        "hurts": card.hurts,
        "source": card.source,
        "example": card.form or card.example,
        "extra": f"pip install 'workspan[{card.extra}]'" if card.extra else "",
        "from": ", ".join(filter(None, (one.distribution, one.path))),
    }
    if one.parameters:
        _tell_parameters(one, console)
    facts = Table(box=None, show_header=False, pad_edge=False)
    for label, text in about.items():
        if text:
            facts.add_row(Text(label, "dim"), Text(text))
    console.print()
    console.print(facts)


def _tell_parameters(one: Described, console: Terminal) -> None:
    columns = Table("parameter", "type", "default", "", box=None, pad_edge=False)
    for item in one.parameters:
        default = "must be told" if item.default is None else item.default
        columns.add_row(Text(item.name), Text(item.type), Text(default), Text(item.doc))
    console.print()
    console.print(columns)


def _record(one: Described) -> dict[str, object]:
    card = one.card
    return {
        "name": one.name,
        "summary": one.summary,
        "doc": one.doc,
        "parameters": [asdict(item) for item in one.parameters],
        "needs": one.needs,
        "cost": {
            "calls": card.calls or None,
            "work": card.work or None,
            "span": card.span or None,
            "at_most": card.is_most,
        },
        "helps": card.helps,
        "hurts": card.hurts,
        "family": card.family,
        "source": card.source,
        "form": card.form or None,
        "example": card.example,
        "extra": card.extra or None,
        "path": one.path,
        "distribution": one.distribution,
    }


models = typer.Typer(
    help="List, check and fetch models for the embedded engine.", rich_markup_mode=None
)


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, *, json: Json = False) -> None:
    """List the models and whether they are on this machine."""
    if context.invoked_subcommand is None:
        _show([_model(model) for model in catalogue.catalogue()], json=json)


@models.command()
def fetch(name: Name) -> None:
    """Fetch a model, check it, and keep it in the user's cache."""
    with Terminal(stderr=True).status(Text(legible(f"fetching {name}"))) as status:
        file = catalogue.fetch(name, lambda said: status.update(Text(legible(said))))
    say(f"{file.name}: {file.path}")


@models.command()
def check(name: Name) -> None:
    """Compare a model's file with its checksum; exit code 5 if it differs."""
    if not catalogue.check(name):
        raise ModelNotFound(
            f"{name} is damaged: fetch it again with `workspan models fetch {name}`"
        )
    say(f"{name}: sound")


def _model(model: catalogue.Model) -> dict[str, object]:
    return {
        "name": model.name,
        "title": model.title,
        "megabytes": round(model.size / 1e6),
        "here": model.is_here,
        "license": model.license,
        "source": model.source,
    }


def _show(records: Sequence[Mapping[str, object]], *, json: bool) -> None:
    if json:
        for record in records:
            say_json(record)
        return
    table = Table(box=None, pad_edge=False)
    for column in records[0]:
        table.add_column(column)
    for record in records:
        table.add_row(*(str(value) for value in record.values()))
    Terminal().print(table)
