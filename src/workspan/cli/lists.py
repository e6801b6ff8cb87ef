"""``workspan strategies | engines | tasks | models``: what there is, a line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from workspan import models as catalogue
from workspan.cli.opening import DOORS
from workspan.cli.screen import Screen, say, say_json
from workspan.errors import MissingDependency, ModelNotFound
from workspan.legible import legible
from workspan.spec import STRATEGIES

Name = Annotated[str, typer.Argument(help="A name that `workspan models` lists.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON record a line.")]


def strategies(*, json: Json = False) -> None:
    """List the strategies, their family and source."""
    _show(
        [
            {"name": s.name, "family": s.family, "summary": s.summary, "source": s.source}
            for s in STRATEGIES.values()
        ],
        json=json,
    )


def engines(*, json: Json = False) -> None:
    """List the ways to reach a model."""
    _show(
        [
            {"name": name, "form": door.form, "summary": door.summary, "source": door.source}
            for name, door in DOORS.items()
        ],
        json=json,
    )


def tasks(*, json: Json = False) -> None:
    """List the sets of problems with exact graders."""
    from workspan.tasks import catalogue as task_sets
    from workspan.tasks.procedural import SOURCE, left_out

    sets = [{"name": t.name, "summary": t.summary, "source": t.source} for t in task_sets()]
    try:
        others = left_out()
    except MissingDependency:
        others = {}
    missing = [
        {"name": name, "summary": f"left out: it {why}", "source": SOURCE}
        for name, why in others.items()
    ]
    _show(sets + missing, json=json)


models = typer.Typer(help="List, check and fetch models for the embedded engine.")


@models.callback(invoke_without_command=True)
def list_models(context: typer.Context, *, json: Json = False) -> None:
    """List the models and whether they are on this machine."""
    if context.invoked_subcommand is None:
        _show([_model(model) for model in catalogue.catalogue()], json=json)


@models.command()
def fetch(name: Name) -> None:
    """Fetch a model, check it, and keep it in the user's cache."""
    with Screen(stderr=True).status(Text(legible(f"fetching {name}"))) as status:
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
    Screen().print(table)
