"""Engines as callers name them: opened, bundled, and closed by whoever opened them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import anyio

from workspan.core.engine import Engine, Price, engine_names, give_back, lacks, models
from workspan.data.entry import Header
from workspan.engines.settings import Settings, named, read_settings
from workspan.errors import InputError, SpecError
from workspan.spec import engines as engine_spec
from workspan.spec.engines import parse_price

if TYPE_CHECKING:
    from workspan.batch.trials import Tool

DEFAULT_ENGINE = "embedded"


@dataclass(frozen=True, slots=True)
class Opened:
    """What runs work with; whoever opened it closes it."""

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
        return engine_names(f"{info.name} {info.model}{self.drawn.get('', '')}", self.models)

    def header(self, seed: int, searched: str = "") -> Header:
        """Say what a journal of such runs belongs to; `searched` is the corpus, if there is one."""
        told = f", searching {searched}" if searched else ""
        return Header(self.identity + told, seed, self.engine.info.model)

    async def aclose(self) -> None:
        """Give every engine back, also when the run was stopped or one does not close."""
        with anyio.CancelScope(shield=True):
            async with AsyncExitStack() as stack:
                for engine in (self.engine, *self.engines.values()):
                    stack.push_async_callback(engine.aclose)


EngineLike: TypeAlias = Engine | Opened | str
"""An open engine, which is left open; or its written form, such as 'http://HOST/v1'."""


@asynccontextmanager
async def open_engine(
    engine: Engine | str = DEFAULT_ENGINE,
    *,
    model: str | None = None,
    price: Price | str | None = None,
    settings: Mapping[str, object] | None = None,
    api_key: str | None = None,
) -> AsyncIterator[Engine]:
    """Open the engine that a text names for as long as the block runs.

    Args:
        engine: such as 'http://localhost:8000/v1', 'embedded' or 'mine.py:MyEngine(n=3)'. One that
            is open already is given back as it is, and left open.
        model: picks the model behind it.
        price: USD per million tokens, or a text such as '0.15/0.60', input/output.
        settings: what is stated about it, such as {"context": 8192}: the keys of `--set`.
        api_key: sent to this engine alone; None is the environment's.

    Raises:
        WorkspanError: see `engine_spec.open_engine`.

    Example:
        >>> import anyio, workspan as ws
        >>> async def main():
        ...     async with ws.open_engine("scripted") as engine:
        ...         return engine.info.name
        >>> anyio.run(main)
        'scripted'
    """
    if not isinstance(engine, str):
        yield _checked(engine)
        return
    rate = parse_price(price) if isinstance(price, str) else price
    stated = Settings({name: _written(value) for name, value in (settings or {}).items()}, api_key)
    opened = await engine_spec.open_engine(engine, model, rate, stated, imports=True)
    try:
        yield opened
    finally:
        await give_back(opened)


@asynccontextmanager
async def opened(
    engine: EngineLike,
    engines: Mapping[str, Engine | str] | None = None,
    tools: Mapping[str, Tool] | None = None,
) -> AsyncIterator[Opened]:
    """Open what texts name for as long as the block runs; what is open already is left open."""
    if isinstance(engine, Opened):
        yield engine
        return
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(open_engine(engine))
        further = {
            name: await stack.enter_async_context(open_engine(one))
            for name, one in (engines or {}).items()
        }
        yield Opened(own, further, tools or {})


async def open_engines(
    engines: Sequence[str] | None,
    models: Sequence[str] | None = None,
    prices: Sequence[str] | None = None,
    settings: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    *,
    is_dry: bool = False,
) -> Opened:
    """Open the run's own engine, which has no name, and those that are written ``NAME=ENGINE``.

    Where it is dry nothing is going to be asked: a server need not be there.

    Raises:
        SpecError: a name is given twice, or a model, a price or a setting for an engine that is
            not there.
        WorkspanError: see `engine_spec.open_engine`; those that were open are closed again.
    """
    texts = {"": DEFAULT_ENGINE, **named("--engine", engines)}
    chosen, paid = named("--model", models), named("--price", prices)
    for name in (*chosen, *paid):
        if name not in texts:
            raise SpecError(f"no engine is named {name!r}: add --engine {name}=ENGINE")
    rates = {name: parse_price(text) for name, text in paid.items()}
    stated = read_settings(settings, keys, texts)
    found: dict[str, Engine] = {}
    open_one = engine_spec.open_unasked if is_dry else engine_spec.open_engine
    async with AsyncExitStack() as stack:
        for name, text in texts.items():
            found[name] = await open_one(
                text, chosen.get(name), rates.get(name), stated[name], imports=True
            )
            stack.push_async_callback(found[name].aclose)
        stack.pop_all()  # all are open: whoever asked closes them
    drawn = {name: told for name, said in stated.items() if (told := said.drawn)}
    return Opened(found.pop(""), found, drawn=drawn)


def _checked(engine: Engine) -> Engine:
    """Refuse what is no engine.

    Raises:
        InputError: it is none.
    """
    if isinstance(engine, type) or lacks(engine):
        said = engine.__name__ if isinstance(engine, type) else f"a {type(engine).__name__}"
        raise InputError(
            f"an engine is a text such as 'http://localhost:8000/v1', or one that is open: {said} "
            "is neither"
        )
    return engine


def _written(value: object) -> str:
    """Write a value as `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
