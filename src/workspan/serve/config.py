"""What the operator stated: frozen, checked before the first connection."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from workspan.boundary.address import checked_url
from workspan.core.engine import Price
from workspan.data.budget import Budget
from workspan.engines.pool.file import PoolFile
from workspan.engines.settings import Settings, named, read_settings
from workspan.errors import InputError, SpecError, nearest
from workspan.legible import quoted
from workspan.serve.forgetting import LEAST_DAYS
from workspan.serve.rules import Rules
from workspan.serve.shadow.stated import Shadow
from workspan.serve.trajectories.rules import TrajectoryRules

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
DIALECTS = ("chat", "responses", "messages")
"""What an upstream may be said to speak."""
UNNAMED = "default"
"""The name of the one engine that was given without."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client, and an upstream, may take of this process."""

    body_bytes: int = 32 * 1024 * 1024
    """Of a request."""
    bodies_bytes: int = 512 * 1024 * 1024
    """Of all requests that are open, beyond 64 KiB of each; half of it of one key."""
    reply_bytes: int = 64 * 1024 * 1024
    """Of a reply that is not streamed, and of one event of a stream."""
    header_bytes: int = 32 * 1024
    headers: int = 100
    header_seconds: float = 15.0
    """From the first byte, or from the connection, to the end of the headers."""
    body_seconds: float = 60.0
    first_byte_seconds: float = 300.0
    """From asking the upstream to its first byte; time in line does not count."""
    idle_seconds: float = 120.0
    """Without anything from the upstream, or without the client taking anything."""
    total_seconds: float = 3600.0
    """A request from its headers to its end, time in line included."""
    waiting: int = 512
    """Requests in line before one upstream; above it they are refused with 503."""
    waiting_per_key: int = 128
    comment_seconds: float = 12.0
    """Of silence after which a stream is kept alive by a comment."""
    drain_seconds: float = 30.0
    """After a signal to end, for the requests that run."""

    def __post_init__(self) -> None:
        """Refuse limits that would let nothing through, or everything.

        Raises:
            InputError: one is not a number above 0.
        """
        for item in fields(self):
            if not 0 < getattr(self, item.name) < math.inf:
                raise InputError(f"the limit {item.name} must be a number above 0")


@dataclass(frozen=True, slots=True)
class Upstream:
    """One engine, as it was stated."""

    name: str
    engine: str
    """An address, or another engine's written form, which no request can be passed on to."""
    model: str = ""
    """As the server calls it; empty where its list is to tell."""
    price: Price | None = None
    settings: Settings = field(default_factory=Settings, repr=False)
    speaks: tuple[str, ...] = ()
    """Its dialects, of ``chat``, ``responses`` and ``messages``; empty asks it once for those that
    are not Chat."""

    @property
    def is_server(self) -> bool:
        """Requests can be passed on to it as they are."""
        return self.engine.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Grouped:
    """A pool, whose members are upstreams."""

    name: str
    upstreams: Mapping[str, str]
    """By their names, the names in the file."""
    file: PoolFile


@dataclass(frozen=True, slots=True)
class Config:
    """All that `workspan serve` goes by."""

    upstreams: tuple[Upstream, ...]
    host: str = "127.0.0.1"
    port: int = 8080
    """0 takes a free one."""
    workers: int = 1
    failover: bool = False
    """The further upstreams take over, in their order, before the first token."""
    budget: Budget = field(default_factory=Budget)
    """The most that one request may spend, whatever it wishes."""
    strategy: str = ""
    """Of requests that name a model alone; empty passes them on as they are."""
    strategies: Mapping[str, str] = field(default_factory=dict)
    """Strategies by the names that clients call them, written by the operator."""
    store: str = ""
    """Of keys and accounts: a file, or postgresql://…; empty is none, and any key is taken."""
    keep_requests: int = 90
    """Days for which the store keeps a row of each request; what they came to is kept for good."""
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    """Of turns that are worth more than one call."""
    trajectories: TrajectoryRules = field(default_factory=TrajectoryRules)
    """Of runs of agents."""
    shadow: Shadow | None = None
    """A share of the requests is run beside through other settings; None is none."""
    json: bool = False
    """What is said on standard output is JSON."""
    admin_key: str = field(default="", repr=False)
    """Of whoever sees the page, its feed and the figures; empty is whoever sits at this machine."""
    shows_content: bool = False
    """The page shows prompts and answers."""
    keep_responses: int = 0
    """So many are kept for requests that go on from them; 0 refuses `previous_response_id`."""
    origins: tuple[str, ...] = ()
    """Sites whose pages may ask; ``*`` is all, for a gateway with keys."""
    otlp: str = ""
    """Where traces are sent; empty leaves it to the environment that OpenTelemetry reads."""
    pools: tuple[Grouped, ...] = ()
    """Upstreams that answer for one another."""

    def __post_init__(self) -> None:
        """Check what can be checked without asking anyone.

        Raises:
            InputError: something is no address, no port, no strategy.
        """
        if not self.upstreams:
            raise InputError("no engine is named: workspan serve -e http://HOST/v1 --model NAME")
        for upstream in self.upstreams:
            self._check_upstream(upstream)
        if not 0 <= self.port < 65_536:
            raise InputError(f"the port is {self.port}: a number from 0 to 65535")
        self._check_workers()
        grouped = {name for pool in self.pools for name in pool.upstreams}
        if self.failover and len({one.name for one in self.upstreams} - grouped) < 2:
            raise InputError("failover needs a second engine: add -e NAME=http://HOST/v1")
        self._check_judge()
        if "*" in self.origins and not self.store:
            raise InputError(
                "--allow-origin '*' lets each site that a browser shows ask: keep keys, see "
                "--store, or name the sites"
            )
        self._check_strategies()

    def _check_workers(self) -> None:
        """See that what several workers would each have, they have together."""
        if self.workers < 1:
            raise InputError(f"workers is {self.workers}: at least 1")
        if self.keep_requests < LEAST_DAYS:
            raise InputError(f"requests are kept for {LEAST_DAYS} days at least (--keep-requests)")
        if self.keep_responses < 0:
            raise InputError(f"keep_responses is {self.keep_responses}: 0 keeps none")
        if self.keep_responses and self.workers > 1:
            raise InputError(
                "responses are kept in one process: --keep-responses needs --workers 1"
            )
        if self.workers > 1 and not self.store and self.trajectories.budget != Budget():
            raise InputError("--trajectory-budget is kept by all workers together: --store")
        for pool in self.pools:  # each limit by the minute is shared out
            pool.file.members(dict.fromkeys(pool.upstreams.values(), 1), self.workers)

    def _check_strategies(self) -> None:
        self._check_shadow()
        own = self.strategies.get(self.strategy, self.strategy)
        beside = self.shadow.strategies if self.shadow is not None else ()
        named = (self.strategies.get(text, text) for text in beside)
        for text in filter(None, (own, *self.strategies.values(), *named)):
            from workspan.spec import parse_strategy  # all strategies' world, for whoever has one

            parse_strategy(text, imports=True)

    def _check_judge(self) -> None:
        judge, names = self.rules.judge, [upstream.name for upstream in self.upstreams]
        if judge and judge not in names:
            hint = nearest(judge, names)
            raise InputError(f"the judge {quoted(judge)} is none of the engines: {hint}")

    def _check_upstream(self, upstream: Upstream) -> None:
        if not _NAME.fullmatch(upstream.name):
            raise InputError(
                f"an engine is named {quoted(upstream.name)}: headers and figures bear it, write "
                "letters, digits, dots and hyphens, at most 100"
            )
        if upstream.is_server:
            checked_url(upstream.engine)
        limits = (self.budget, self.trajectories.budget)
        if any(one.cost is not None for one in limits) and upstream.price is None:
            raise InputError(
                f"the budget limits money, and no price is known for {upstream.name}: "
                f"add --price {upstream.name}=IN/OUT, USD per million tokens"
            )

    def _check_shadow(self) -> None:
        if self.shadow is None:
            return
        if not self.store:
            raise InputError("--shadow keeps what it finds, and its account, in a store: --store")
        unpriced = [one.name for one in self.upstreams if one.price is None]
        if self.shadow.limits_money and unpriced:
            raise InputError(
                f"--shadow: its budget limits money, and no price is known for {unpriced[0]}: add "
                f"--price {unpriced[0]}=IN/OUT, or limit work"
            )

    @property
    def first(self) -> Upstream:
        """The engine that answers where none is named."""
        return self.upstreams[0]


def upstreams(
    engines: Sequence[str],
    models: Sequence[str] | None = None,
    prices: Sequence[str] | None = None,
    settings: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    speaks: Sequence[str] | None = None,
) -> tuple[Upstream, ...]:
    """Read the options that name engines, as the other commands do.

    Raises:
        SpecError: a name is given twice, or something is stated for an engine that is not there.
    """
    texts = named("--engine", engines)
    chosen, paid, spoken = (
        {"" if name == UNNAMED and "" in texts else name: text for name, text in told.items()}
        for told in (
            named("--model", models),
            named("--price", prices),
            named("--speaks", speaks),
        )
    )
    names = {name or UNNAMED: text for name, text in texts.items()}
    if len(names) < len(texts):
        raise SpecError(f"an engine is named {UNNAMED!r}, as the one without a name is: rename it")
    for name in (*chosen, *paid, *spoken):
        if name not in texts and not (name == "" and len(texts) == 1):
            hint = nearest(name, names) if name else f"write NAME=…: {', '.join(texts)}"
            raise SpecError(f"no engine is named {quoted(name)}: {hint}")
    stated = read_settings(settings, keys, texts)

    def of(told: Mapping[str, Any], name: str) -> Any:
        return told.get(name, told.get("") if len(texts) == 1 else None)

    return tuple(
        Upstream(
            name or UNNAMED,
            text,
            of(chosen, name) or "",
            _price(rate) if (rate := of(paid, name)) else None,
            stated[name],
            _dialects(of(spoken, name) or ""),
        )
        for name, text in texts.items()
    )


def _dialects(text: str) -> tuple[str, ...]:
    """Read the dialects of one upstream.

    Raises:
        SpecError: one is none that is known.
    """
    found = tuple(filter(None, (one.strip() for one in text.split(","))))
    for one in found:
        if one not in DIALECTS:
            raise SpecError(f"--speaks {quoted(one)}: {nearest(one, DIALECTS)}")
    return found


def _price(text: str) -> Price:
    from workspan.spec.engines import parse_price

    return parse_price(text)
