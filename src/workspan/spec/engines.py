"""From the text that names an engine to the open engine.

``NAME``, ``NAME:REST``, ``NAME(key=value)`` with a name of the registry; an http address; or, where
the user wrote it, ``module:Name(key=value)``. What a name stands for is called with REST as its
first parameter, with what stands in the brackets, and with ``model``, ``price`` and ``settings``
where it takes them. It gives an engine, or something to await for one.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING
from decimal import Decimal
from typing import Any, NamedTuple

from workspan.core.engine import Engine, Price, lacks
from workspan.engines.settings import Settings
from workspan.errors import (
    EngineError,
    EngineUnavailable,
    PluginError,
    SpecError,
    WorkspanError,
    nearest,
)
from workspan.legible import quoted
from workspan.registry.table import WRITTEN, Row, load_written, official, said, table
from workspan.spec import make
from workspan.spec.parameters import parameters

_HOST = re.compile(
    r"(?:(?P<scheme>[A-Za-z]+)://)?"
    r"(?P<rest>(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:\d))(?::\d+)?(?:/[^?\s]*)?)"
)
"""What may be meant for an address: a host with a dot or a port, whatever stands before it."""
_HEAD = re.compile(r"([A-Za-z]\w*)(?=[:(]|$)", re.ASCII)
_LONGEST_PRICE = 100
"""Characters."""


async def open_engine(
    text: str,
    model: str | None = None,
    price: Price | None = None,
    settings: Settings | None = None,
    *,
    imports: bool = False,
) -> Engine:
    """Open the engine that `text` names.

    Args:
        text: see the module.
        model: picks the model behind it.
        price: USD per million tokens.
        settings: what was stated about it.
        imports: ``module:Name`` is imported; only for what the user wrote.

    Raises:
        SpecError: no such engine, or no such parameter or setting of it.
        InputError: an endpoint with several models, and none was named.
        EngineError: the endpoint does not answer, or refuses the key.
        MissingDependency: the engine's extra, or the distribution that brings it, is not installed.
        ModelNotFound: the embedded model is not on this machine.
        DataError: a file of weights is none.
        PluginError: a distribution brings it, and it can't be used.
    """
    text = text.strip()
    told = _Told(model, price, settings or Settings())
    row, rest = _found(text)
    with _boundary(text, row):
        if rest is None:
            opened = _by_call(text, row, told, imports=imports)
        else:
            assert row is not None  # only what has a name has a rest
            opened = _by_name(row, rest, told, imports=imports)
        return _checked(text, await opened if inspect.isawaitable(opened) else opened)


async def open_unasked(
    text: str,
    model: str | None = None,
    price: Price | None = None,
    settings: Settings | None = None,
    *,
    imports: bool = False,
) -> Engine:
    """Open an engine that is asked nothing, or not now: see `open_engine`.

    A server that is not there is taken at the user's word (`EngineInfo.is_seen`).

    Raises:
        EngineUnavailable: it is not there, and its model is not named.
        WorkspanError: see `open_engine`.
    """
    try:
        return await open_engine(text, model, price, settings, imports=imports)
    except EngineError as error:
        if not is_away(text, error):
            raise
        if not model:
            said = f"{error}; with its model named it need not be there yet"
            raise EngineUnavailable(said) from None
    return at_word(text, model, price, settings)


def is_away(text: str, error: EngineError) -> bool:
    """Say whether an engine did not open because it is a server, and nobody is there."""
    return not error.is_reached and _is_address(text.strip())


def at_word(
    text: str, model: str, price: Price | None = None, settings: Settings | None = None
) -> Engine:
    """Take a server that is not there at the word of whoever names its model."""
    from workspan.engines.endpoint import Endpoint

    stated = (settings or Settings()).for_completions()
    return Endpoint(text.strip(), model, price=price, is_seen=False, **stated)


class _Told(NamedTuple):
    """What was stated beside an engine's text."""

    model: str | None
    price: Price | None
    settings: Settings

    def given(self, made: Any, name: str) -> dict[str, Any]:
        """Choose what a class or function takes of it.

        Raises:
            SpecError: something was stated that it does not take.
        """
        known = parameters(made)
        if "settings" not in known:
            self.settings.refuse(name)
        given: dict[str, Any] = {}
        for key, value in self._asdict().items():
            if value is None:
                continue
            if key in known:
                given[key] = value
            elif key != "settings":
                raise SpecError(f"the engine {name} takes no {key}: leave it out")
        return given


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _found(text: str) -> tuple[Row | None, str | None]:
    """Return the row that a text begins with, and what follows its name and a colon.

    The row is None where the text begins with ``module:Name``; what follows is None where brackets
    do, or nothing.
    """
    engines = table("engines")
    if _is_address(text):
        return engines.find("http"), text
    head = _HEAD.match(text)
    name = head[1] if head else ""
    is_path = WRITTEN.match(text) is not None
    is_name = name in engines or bool(official("engines", name))
    if not head or (is_path and not is_name):
        if is_path:
            return None, None
        known = nearest(text.partition("(")[0], engines)
        raise SpecError(f"unknown engine {quoted(text)}: {known} ({_address(text)})")
    try:
        row = engines.find(name)
    except SpecError as error:
        raise SpecError(f"{error} ({_address(text)})") from None
    follows = text[len(name) :]
    return row, follows[1:] if follows.startswith(":") else None


def _address(text: str) -> str:
    """Say how an address is written, where the text may be meant for one."""
    found = _HOST.fullmatch(text)
    if found is None:
        return "or an http address"
    scheme = "https" if (found["scheme"] or "").lower() == "https" else "http"
    written = f"{scheme}://{found['rest']}"
    return f"an address begins with its scheme: {quoted(written)}"


def _by_name(row: Row, rest: str, told: _Told, *, imports: bool) -> Any:
    """Open ``NAME:REST``, where the rest is the first parameter."""
    made = row.load()
    if row.card.runs and not imports:
        raise SpecError(f"{row.name} runs a command, and that only where the user writes it")
    first = next(iter(parameters(made)), None)
    if first is None:
        raise SpecError(f"the engine {row.name} takes nothing after its name, not {quoted(rest)}")
    return made(**{first: rest, **told.given(made, row.name)})


def _by_call(text: str, row: Row | None, told: _Told, *, imports: bool) -> Any:
    """Open ``NAME``, ``NAME(key=value)`` or ``module:Name(key=value)``."""
    if row is not None:
        made, name = row.load(), row.name
    else:
        found = WRITTEN.match(text)
        assert found is not None  # as `_found` saw
        if not imports:
            make(text, "engines")  # refuses it, with a pointer
        made, name = load_written(found[0]), found[0]
    if not isinstance(made, type) and not callable(made):
        return made  # an engine that is open
    if row is not None and text == name:
        _check_enough(row, made, told)
    return make(text, "engines", imports=imports, is_called=True, given=told.given(made, name))


def _check_enough(row: Row, made: Any, told: _Told) -> None:
    """Refuse a name alone where more must be told."""
    given = told.given(made, row.name)
    for item in parameters(made).values():
        if item.default is MISSING and item.name not in given:
            form = row.card.form or f"{row.name}({item.name}=…)"
            raise SpecError(f"the engine {row.name} needs its {item.name}: write {form}")


def _checked(text: str, engine: Any) -> Engine:
    """Hold what was opened against what an engine must have.

    Raises:
        SpecError: it is none.
    """
    if missing := lacks(engine):
        kind = type(engine).__name__
        raise SpecError(f"{quoted(text)} is no engine: the {kind} it gives has no {missing}")
    found: Engine = engine
    return found


@contextmanager
def _boundary(text: str, row: Row | None) -> Iterator[None]:
    """Name who brought the code that failed, where it is not ours."""
    try:
        yield
    except WorkspanError:
        raise
    except Exception as error:  # the boundary to a plug-in's own code
        if row is not None and row.is_ours:
            raise
        who = quoted(text) if row is None else f"{row.name!r} of {row.distribution}"
        raise PluginError(f"the engine {who} can't be opened: {said(error)}") from error


_RATE = re.compile(r"\s*\$?([0-9]{1,9}(?:\.[0-9]{1,12})?)\s*")


def parse_price(text: str) -> Price:
    """Read ``0.15/0.60``: USD per million tokens, input/output.

    Raises:
        SpecError: it is not two plain numbers.
    """
    rates = [_RATE.fullmatch(part) for part in text[:_LONGEST_PRICE].split("/")]
    if len(rates) != 2 or not all(rates):
        raise SpecError(
            f"price {quoted(text)} is not understood: write USD per million tokens as "
            "input/output, such as 0.15/0.60"
        )
    paid_in, paid_out = (Decimal(rate[1]) for rate in rates if rate)
    return Price(paid_in, paid_out)
