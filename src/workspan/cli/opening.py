"""From what the user typed to an open engine, and where this user's files are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import anyio
import typer

from workspan.cli.settings import Settings, read_settings
from workspan.engines.base import Engine, Price, models, together
from workspan.errors import InputError, MissingDependency, SpecError, nearest
from workspan.lab.bench import Tool
from workspan.legible import quoted

EngineOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine",
        "-e",
        help="embedded[:MODEL], http://HOST/v1 or reasoner; further ones as NAME=ENGINE, repeat. "
        "Embedded unless told.",
    ),
]
ModelOption = Annotated[
    list[str] | None, typer.Option(help="Model behind an endpoint; NAME=MODEL of a further one.")
]
PriceOption = Annotated[
    list[str] | None,
    typer.Option(help="USD per million tokens, input/output: 0.15/0.60; NAME=PRICE likewise."),
]

_LONGEST_PRICE = 100
"""Characters."""

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
    "reasoner": Door(
        "reasoner[:NAME]",
        "a tiny transformer for tasks such as deep(d=6): thousands of tokens a second on a CPU",
        "this package; see docs/reasoner.md",
    ),
    "reward": Door(
        "NAME=reward:http://HOST",
        "a process reward model, for process_reward: a score for each step",
        "vLLM /pooling",
    ),
    "classify": Door(
        "NAME=classify:http://HOST",
        "a reward model that scores a solution as a whole, by the probability of its last class",
        "vLLM /classify",
    ),
    "rerank": Door(
        "NAME=rerank:http://HOST",
        "a reranker that scores a solution as a whole, by the sigmoid of its logit",
        "llama.cpp --reranking",
    ),
    "scripted": Door(
        "scripted",
        "simulated: random words and numbers, no model, to try commands at no cost",
        "this package",
    ),
}


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
    """Open the engine that `text` names; `model` picks the model behind it.

    Raises:
        SpecError: no such engine, or no such setting of it.
        InputError: an endpoint with several models, and none was named.
        EngineError: the endpoint does not answer, or refuses the key.
        MissingDependency: the engine's extra is not installed.
        ModelNotFound: the embedded model is not on this machine.
        DataError: a file of a reasoner's weights is none.
    """
    settings = settings or Settings()
    if text.startswith(("http://", "https://")):
        return anyio.run(_open_endpoint, text, model, price, settings)
    name, _, rest = text.partition(":")
    if name in ("reward", "classify", "rerank"):
        return _reward(name, rest, model, price, settings)
    settings.refuse(name)
    if name == "embedded":
        from workspan.engines.embedded import Embedded
        from workspan.models import DEFAULT

        return Embedded(model or rest or DEFAULT)
    if name == "reasoner":
        return _reasoner(model or rest)
    if name == "scripted":
        from workspan.testing.scripted import ScriptedEngine
        from workspan.testing.strategy_suite import chatter

        return ScriptedEngine(chatter)
    raise SpecError(f"unknown engine {quoted(text)}: {nearest(name, DOORS)} (or an http address)")


def _reasoner(name: str) -> Engine:
    """Load the weights that `name` or a path stands for."""
    try:
        from workspan.reasoner.engine import Reasoner
        from workspan.reasoner.planner import NAME, Planner
    except ImportError:
        raise MissingDependency("the reasoner", "reasoner") from None
    engine = Reasoner.open(name) if name else Reasoner.open()
    return Planner(engine) if Path(name).stem == NAME else engine


def _reward(
    name: str, url: str, model: str | None, price: Price | None, settings: Settings
) -> Engine:
    """Open a reward model in the form that its door stands for; nothing is asked yet."""
    from workspan.engines.scoring import Reward, RewardForm

    forms: dict[str, RewardForm] = {"reward": "pooling", "classify": "classify", "rerank": "rerank"}
    return Reward(
        url,
        model or "",
        form=forms[name],
        is_logit=name == "rerank",
        price=price,
        **settings.for_scores(),
    )


async def _open_endpoint(
    url: str, model: str | None, price: Price | None, settings: Settings
) -> Engine:
    """Ask the server what it offers; one that lists no models is taken at the user's word."""
    from workspan.engines.endpoint import Endpoint

    return await Endpoint.discover(url, model, price=price, **settings.for_completions())


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
