"""From what the user typed to an open engine, and where this user's files are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer

from workspan import engine_spec
from workspan.engine_spec import parse_price
from workspan.engines.base import Engine, Price, models, together
from workspan.engines.settings import Settings, read_settings
from workspan.errors import InputError, SpecError
from workspan.lab.bench import Tool
from workspan.legible import quoted

EngineOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine",
        "-e",
        help="embedded[:MODEL], http://HOST/v1, a plug-in's (reasoner), or module:Name(…); further "
        "ones as NAME=ENGINE, repeat. Embedded unless told.",
    ),
]
ModelOption = Annotated[
    list[str] | None, typer.Option(help="Model behind an endpoint; NAME=MODEL of a further one.")
]
PriceOption = Annotated[
    list[str] | None,
    typer.Option(help="USD per million tokens, input/output: 0.15/0.60; NAME=PRICE likewise."),
]

_NAMED = re.compile(r"([A-Za-z][\w.-]*)=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command's runs work with; whoever opened it closes it."""

    engine: Engine
    """The run's own."""
    engines: Mapping[str, Engine] = field(default_factory=dict)
    """Further ones, by the names that strategies give them."""
    tools: Mapping[str, Tool] = field(default_factory=dict)
    drawn: Mapping[str, str] = field(default_factory=dict)
    """What was stated about each that changes its answers; the run's own has no name."""

    @property
    def models(self) -> dict[str, str]:
        """What stands behind each further engine."""
        return {
            name: text + self.drawn.get(name, "") for name, text in models(self.engines).items()
        }

    @property
    def identity(self) -> str:
        """All engines with their models: a journal belongs to them."""
        info = self.engine.info
        return together(f"{info.name} {info.model}{self.drawn.get('', '')}", self.models)

    async def aclose(self) -> None:
        """Give every engine back, also when the run was stopped or one does not close."""
        with anyio.CancelScope(shield=True):
            async with AsyncExitStack() as stack:
                for engine in (self.engine, *self.engines.values()):
                    stack.push_async_callback(engine.aclose)


def open_engines(
    engines: Sequence[str] | None,
    models: Sequence[str] | None = None,
    prices: Sequence[str] | None = None,
    settings: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
) -> Opened:
    """Open the run's own engine, which has no name, and those that are written ``NAME=ENGINE``.

    Raises:
        SpecError: a name is given twice, or a model, a price or a setting for an engine that is
            not there.
        WorkspanError: see `open_engine`.
    """
    texts = {"": "embedded", **_by_name("--engine", engines)}
    chosen, paid = _by_name("--model", models), _by_name("--price", prices)
    for name in (*chosen, *paid):
        if name not in texts:
            raise SpecError(f"no engine is named {name!r}: add --engine {name}=ENGINE")
    rates = {name: parse_price(text) for name, text in paid.items()}
    stated = read_settings(settings, keys, texts)
    opened = {
        name: open_engine(text, chosen.get(name), rates.get(name), stated[name])
        for name, text in texts.items()
    }
    drawn = {name: told for name, said in stated.items() if (told := said.drawn)}
    return Opened(opened.pop(""), opened, drawn=drawn)


def _by_name(option: str, values: Sequence[str] | None) -> dict[str, str]:
    """Tell ``NAME=VALUE`` from the one value without a name, whose name is empty."""
    found: dict[str, str] = {}
    for value in values or ():
        named = _NAMED.fullmatch(value)
        name, rest = (named[1], named[2]) if named else ("", value)
        if name in found:
            again = f"{name!r} is given twice" if name else "a second one without a name"
            raise SpecError(f"{option} {quoted(value)}: {again}: give each a name, {option} NAME=…")
        if not rest.strip():
            raise SpecError(f"{option} {quoted(value)}: nothing is named")
        found[name] = rest
    return found


def open_engine(
    text: str,
    model: str | None = None,
    price: Price | None = None,
    settings: Settings | None = None,
) -> Engine:
    """Open the engine that the user typed, outside of an event loop; see `engine_spec`."""
    return anyio.run(partial(engine_spec.open_engine, imports=True), text, model, price, settings)


def state_folder() -> Path:
    """Return the private folder for journals: $WORKSPAN_STATE, or the user's state folder.

    Raises:
        InputError: there is none, and none can be made.
    """
    import platformdirs

    chosen = os.environ.get("WORKSPAN_STATE")
    folder = Path(chosen) if chosen else platformdirs.user_state_path("workspan")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"no folder for journals can be made at {folder}: {why}; "
            "set WORKSPAN_STATE to another, or name a --journal"
        ) from None
    return folder


@contextmanager
def private_files() -> Iterator[None]:
    """Make every file written in the block readable by its owner only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
