"""What all routes of one process share: engines, accounts, keys, names, figures."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from msgspec import structs

from workspan.core.engine import Engine, give_back
from workspan.errors import EngineError, InputError, KeyRefused
from workspan.legible import quoted
from workspan.serve.accounts import Accounts
from workspan.serve.asked import NO_WISH, Asked, Wish
from workspan.serve.auth import Keys
from workspan.serve.batches.lane import Lane
from workspan.serve.batches.running import LANE_KEY, Answer, of_lane
from workspan.serve.config import Config
from workspan.serve.dialects import Dialect
from workspan.serve.dialects.kept import Kept
from workspan.serve.forgetting import Forgetting
from workspan.serve.pools import Pools
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.body import Body
from workspan.serve.relay.turns import by_readiness
from workspan.serve.relay.upstream import Server
from workspan.serve.routing import Routing, Target
from workspan.serve.seeing.access import Access
from workspan.serve.seeing.feed import Feed, Limits
from workspan.serve.seeing.limits import standings
from workspan.serve.seeing.log import RequestLog
from workspan.serve.seeing.metrics import Metrics
from workspan.serve.seeing.record import Record
from workspan.serve.seeing.traces import Traces, traces_of
from workspan.serve.shadow.shadowing import Shadowing
from workspan.serve.store import store_at
from workspan.serve.store.driven import DrivenStore
from workspan.serve.store.keys import Key
from workspan.serve.trajectories.book import Book
from workspan.serve.trajectories.named import READS, OtherBudget
from workspan.serve.wire.bodies import Bodies
from workspan.serve.wire.errors import NEVER_AGAIN, Failed, about
from workspan.serve.wire.exchange import Exchange
from workspan.serve.wire.origin import Origins
from workspan.serve.wire.watch import Watch
from workspan.serve.wishes import FIELD, BadBudget, read_wish, within
from workspan.store.database import Database

_FORWARDED = (b"idempotency-key", b"traceparent", b"tracestate", b"http-referer", b"x-title")
"""Headers of a client that an upstream may see. Never its key, and nothing of its machine."""
_ONCE = "idempotency-key"
_WISHES = (b"workspan-budget", b"workspan-strategy", b"workspan-lane")
_TRAJECTORY = {name: f"workspan-{name.replace('_', '-')}".encode() for name in READS}
"""Headers that say what a body says in these fields."""
_WISHED = frozenset((*_WISHES, *_TRAJECTORY.values()))
_LONGEST_HEADER = 512
_LONGEST_MODEL = 2_200
"""Characters of a model's name: a strategy may be written into it."""


class Gateway:
    """One process of the gateway; `start` before the first request."""

    def __init__(
        self,
        config: Config,
        log: RequestLog | None = None,
        worker: str = "",
        folder: Path | None = None,
    ) -> None:
        self.config = config
        self.servers: dict[str, Server] = {
            stated.name: Server(stated, config.limits, stands_alone=not config.failover)
            for stated in config.upstreams
            if stated.is_server
        }
        self.engines: dict[str, Engine] = {n: s.engine for n, s in self.servers.items()}
        """All engines, as strategies ask them."""
        self.pools = Pools(config, self.servers)
        self.watch = Watch(config.limits)
        self.bodies = Bodies(config.limits.bodies_bytes, config.limits.body_bytes)
        self.metrics = Metrics((stated.name for stated in config.upstreams), worker, folder)
        self.access = Access(config.admin_key)
        self.origins = Origins(config.origins)
        self.log = log or RequestLog()
        self.store: DrivenStore | None = (
            self.metrics.timed(store_at(config.store)) if config.store else None
        )
        self.trajectories = Book(self.store, config.trajectories, workers=config.workers)
        self.database: Database | None = self.store.database if self.store is not None else None
        self.lane: Lane | None = None
        """What answers batches, where there is a store to keep them in."""
        self.feed = Feed(
            worker,
            config.workers,
            shows=config.shows_content,
            standings=self._standings if self.store is not None else None,
            trajectories=self.trajectories.value,
        )
        self.accounts = Accounts(self.store, on_store=self.log.store)
        self._forgetting: Forgetting | None = None
        self.shadow: Shadowing | None = None
        if config.shadow is not None:
            self.shadow = Shadowing(
                config, config.shadow, self.accounts, self.metrics.shadowed, self.log.bug
            )
        self.keys = Keys(self.store)
        self.traces: Traces | None = None
        self.kept = Kept(config.keep_responses)
        self.routing = Routing(config, {})
        self.loop: asyncio.AbstractEventLoop | None = None
        """In which it was started."""
        self.since = int(time.time())
        self.is_draining = False
        self._prefix = secrets.token_hex(5)
        self._numbers = itertools.count(1)

    async def start(self) -> None:
        """Open what requests need; nothing is asked of an upstream whose model was named.

        Raises:
            WorkspanError: an engine or the store can't be opened.
        """
        self.loop = asyncio.get_running_loop()
        models: dict[str, str] = {}
        for stated in self.config.upstreams:
            server = self.servers.get(stated.name)
            if server is None:
                from workspan.spec import (
                    engines as engine_spec,  # what is no server is made of all sorts
                )

                self.engines[stated.name] = await engine_spec.open_engine(
                    stated.engine, stated.model or None, stated.price, stated.settings, imports=True
                )
                info = self.engines[stated.name].info
                if info.whole is not None:
                    raise InputError(f"{info.name} does whole tasks, and is no model to serve")
                models[stated.name] = info.model
                continue
            server.open()
            if not server.model:
                server.name_model(await _only_model(server))
                self.engines[stated.name] = server.engine
            models[stated.name] = server.model
        self.routing = Routing(self.config, self.pools.models(models))
        self.traces = traces_of(self.config, models)
        if self.store is not None:
            await self.store.open()
        if self.shadow is not None:
            await self.shadow.start(self.routing, self.servers, self.engines)
        await self.accounts.__aenter__()
        if self.store is not None:
            self._forgetting = Forgetting(self.store, self.config.keep_requests, self.accounts.utc)
            self._forgetting.start()
        self.watch.also.append(lambda _: self.metrics.share(self.look))
        self.watch.start()

    def begin_lane(self, answer: Answer) -> None:
        """Take batches up; `answer` is the application."""
        if self.store is not None:
            self.lane = Lane(self.store, answer, self.accounts.utc)
            self.lane.start()

    async def aclose(self) -> None:
        """Settle and give everything back."""
        if self.lane is not None:
            await self.lane.aclose(self.config.limits.drain_seconds)
        await self.watch.aclose()
        if self.traces is not None:
            await self.traces.aclose()
        if self.shadow is not None:
            await self.shadow.aclose()
        if self._forgetting is not None:
            await self._forgetting.aclose()
        await self.accounts.__aexit__(None, None, None)
        if self.store is not None:
            await self.store.aclose()
        for server in self.servers.values():
            await server.aclose()
        for name, engine in self.engines.items():
            if name not in self.servers:
                await give_back(engine)

    def look(self) -> None:
        """Set the figures of what there is at this moment."""
        figures = self.metrics
        figures.open.set(len(self.watch.open))
        figures.watchers.set(self.feed.watchers)
        figures.store_up.set(0 if self.accounts.gone else 1)
        for name, server in self.servers.items():
            figures.waiting.set(server.places.waiting, (name,))
            if server.standing is not None:
                figures.resting.set(server.standing[1].rests(monotonic()), (name,))

    async def _standings(self) -> Limits:
        assert self.store is not None
        return await standings(self.store, time.time())

    def request_id(self) -> str:
        """Make an id that no other request has, here or in another process."""
        return f"req-{self._prefix}-{next(self._numbers):x}"

    async def who(self, exchange: Exchange) -> Key | None:
        """Return whose key a request bears; None where no keys are kept.

        Raises:
            KeyRefused: there is none, or it is not known.
        """
        is_line = LANE_KEY in exchange.scope
        now = self.accounts.utc()
        key = of_lane(exchange.scope, now) if is_line else await self.keys.of(exchange)
        exchange.key_id = key.id if key is not None else ""
        return key

    def wished(self, exchange: Exchange, body: Body) -> Wish:
        """Read a request's wishes, which its body loses.

        Raises:
            Failed: the budget is none.
            InputError: another is none.
        """
        if FIELD not in body and exchange.headers.keys().isdisjoint(_WISHED):
            return NO_WISH
        budget, strategy, lane = map(exchange.header, _WISHES)
        try:
            told = {name: exchange.header(header) for name, header in _TRAJECTORY.items()}
            said = {name: text for name, text in told.items() if text}
            wish = read_wish(body, budget, strategy, lane, said)
        except BadBudget as error:
            raise about(error, f"workspan.{error.field}") from None
        exchange.has_deadline = not wish.is_batch
        return wish

    def target(self, body: Body, wish: Wish, key: Key | None, record: Record) -> Target:
        """Return what a request's model stands for.

        Raises:
            Failed: there is no such model, or the strategy is none.
            KeyRefused: it is not for this key.
            InputError: none is named.
        """
        model = body.get("model", str, "a text") or ""
        if not model:
            named = ", ".join(map(quoted, self.routing.names()[:5]))
            raise InputError(f"model must be named: {named} …")
        if len(model) > _LONGEST_MODEL:
            raise InputError(f"model has at most {_LONGEST_MODEL} characters")
        record.asked_model = model
        try:
            target = self.routing.target(model, wish)
        except InputError as error:
            field = "model" if wish.strategy is None else "workspan.strategy"
            raise about(error, field) from None
        if key is not None and not self._is_in_scope(key, model, target.upstream):
            said = f"the key {key.id} may not ask {quoted(model)}"
            raise KeyRefused(said, code="model_not_allowed")
        return target

    def may_ask(self, key: Key | None, model: str) -> bool:
        """Say whether a model that there is may be asked by a key."""
        if key is None:
            return True
        return self._is_in_scope(key, model, self.routing.upstream_of(model))

    def _is_in_scope(self, key: Key, model: str, upstream: str) -> bool:
        """Say whether what is asked, or what would answer, is within a key's scope."""
        real = self.routing.models.get(upstream) or upstream
        return key.may_ask(model) or key.may_ask(real)

    def asked(
        self,
        exchange: Exchange,
        body: Body,
        wish: Wish,
        target: Target,
        key: Key | None,
        dialect: Dialect | None = None,
    ) -> Asked:
        """Put together what is known of a request."""
        headers = exchange.headers
        kept: dict[str, str] = {} if dialect is None else {**dialect.needed}
        for name in _FORWARDED if dialect is None else (*_FORWARDED, *dialect.headers):
            value = headers.get(name)
            if value is not None and len(value) <= _LONGEST_HEADER and value.isascii():
                kept[name.decode()] = value.decode()
        if key is not None and _ONCE in kept:
            kept[_ONCE] = _of_key(key, kept[_ONCE])
        return Asked(
            body.written(),
            wish,
            target.upstream,
            body.get("model", str, "a text") or "",
            target.strategy,
            key,
            kept,
            exchange.id,
            within(wish.budget, self.config.budget),
        )

    async def joined(self, asked: Asked, record: Record) -> Asked:
        """Make a request a turn of the trajectory that it names; as it is where it names none.

        Raises:
            Failed: the trajectory began with another budget.
            InputError: several workers have no store to keep its budget in.
            Refused: there are too many.
            StoreGone: the store can't be asked.
        """
        named = asked.wish.trajectory
        if named is None or not named.name:
            return asked
        allowed = within(named.budget, self.config.trajectories.budget)
        try:
            turn = await self.trajectories.join(named, asked.key, asked.model, allowed)
        except OtherBudget as error:
            raise Failed(
                409,
                str(error),
                code="trajectory_began",
                param="workspan.trajectory_budget",
                headers=NEVER_AGAIN,  # clients ask again at a 409
            ) from None
        record.turn = turn
        return structs.replace(asked, turn=turn)

    def in_order(self, first: str, passed: Passed | None = None) -> list[Server]:
        """Return the servers that may answer, in the order in which they are to be asked.

        Raises:
            Failed: the one that is meant is no server.
        """
        found = self.pools.order(first, passed)
        if len(found) > 1:
            found = by_readiness(found, "" if passed is None else passed.asked.client)
        if not found:
            said = f"{first} is an engine in this process: only chats can be asked of it"
            raise Failed(400, said, code="unsupported")
        return found

    @property
    def models(self) -> Mapping[str, str]:
        """The model behind each engine."""
        return self.routing.models


def _of_key(key: Key, told: str) -> str:
    """Return what a client names a request by, as another name for each key.

    An upstream answers a name that it knows from memory, and all keys are one client to it.
    """
    return hashlib.sha256(f"{key.id}\0{told}".encode()).hexdigest()


async def _only_model(server: Server) -> str:
    """Return the one model that a server lists.

    Raises:
        InputError: it lists several, or none.
        EngineError: it does not answer.
    """
    try:
        found = await server.engine.models()
    except EngineError as error:
        raise InputError(f"{error}; name its model: --model NAME") from None
    if len(found) != 1:
        listed = ", ".join(map(quoted, found[:20])) or "none"
        raise InputError(f"name one of the models of {server.url} with --model: {listed}")
    return found[0]
