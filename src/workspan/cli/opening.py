"""From what the user typed to an open engine, and where this user's files are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import anyio

from workspan.engines.base import Engine, Price
from workspan.errors import EngineProtocolError, EngineRejected, SpecError, nearest


@dataclass(frozen=True, slots=True)
class Door:
    """One way to reach a model."""

    form: str
    """What the user types."""
    summary: str
    source: str


DOORS: Mapping[str, Door] = {
    "embedded": Door(
        "embedded[:MODEL]",
        "a language model on this machine, in a worker process: no server, no compiler",
        "OpenVINO GenAI and llama.cpp",
    ),
    "http": Door(
        "http://HOST/v1",
        "any OpenAI-compatible endpoint: vLLM, SGLang, llama.cpp, Ollama, hosted APIs",
        "OpenAI chat completions and completions",
    ),
    "scripted": Door(
        "scripted",
        "simulated: random words and numbers, no model, to try commands at no cost",
        "this package",
    ),
}


def open_engine(text: str, model: str | None = None, price: Price | None = None) -> Engine:
    """Open the engine that `text` names; `model` picks the model behind it.

    Raises:
        SpecError: no such engine.
        InputError: an endpoint with several models, and none was named.
        EngineError: the endpoint does not answer, or refuses the key.
        MissingDependency: the engine's extra is not installed.
        ModelNotFound: the embedded model is not on this machine.
    """
    if text.startswith(("http://", "https://")):
        return anyio.run(_open_endpoint, text, model, price)
    name, _, rest = text.partition(":")
    if name == "embedded":
        from workspan.engines.embedded import Embedded
        from workspan.models import DEFAULT

        return Embedded(model or rest or DEFAULT)
    if name == "scripted":
        from workspan.testing.scripted import ScriptedEngine
        from workspan.testing.strategy_suite import chatter

        return ScriptedEngine(chatter)
    raise SpecError(f"unknown engine {text!r}: {nearest(name, DOORS)} (or an http address)")


async def _open_endpoint(url: str, model: str | None, price: Price | None) -> Engine:
    """Ask the server what it offers; one that lists no models is taken at the user's word."""
    from workspan.engines.endpoint import Endpoint

    try:
        return await Endpoint.discover(url, model, price=price)
    except (EngineRejected, EngineProtocolError) as error:
        if model is None or error.status in (401, 403):
            raise
        return Endpoint(url, model, price=price)


def parse_price(text: str) -> Price:
    """Read ``0.15/0.60``: USD per million tokens, input/output."""
    try:
        paid_in, paid_out = (Decimal(part.strip().lstrip("$")) for part in text.split("/"))
    except (ValueError, InvalidOperation):
        raise SpecError(
            f"price {text!r} is not understood: write USD per million tokens as input/output, "
            "such as 0.15/0.60"
        ) from None
    if paid_in < 0 or paid_out < 0:
        raise SpecError(f"price {text!r} must not be negative")
    return Price(paid_in, paid_out)


def state_folder() -> Path:
    """Return the private folder for journals: $WORKSPAN_STATE, or the user's state folder."""
    import platformdirs

    chosen = os.environ.get("WORKSPAN_STATE")
    folder = Path(chosen) if chosen else platformdirs.user_state_path("workspan")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


@contextmanager
def private_files() -> Iterator[None]:
    """Make every file written in the block readable by its owner only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
