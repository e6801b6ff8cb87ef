"""Figures for Prometheus: one registry a process, labels of a bounded number only.

What a request adds is a few additions to plain numbers; they are put into Prometheus's form when
they are asked for. Names and units are as its conventions have them: base units, ``_total`` for
what only grows, and nothing in a name that a label says. The guide to deployment tells each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from workspan.data.types import Usage
from workspan.serve.seeing.figures import Counts, Level, Spreads
from workspan.serve.seeing.gathered import Gathered
from workspan.serve.seeing.labels import FAILURES, OTHER, REFUSALS, Keys, code_label
from workspan.serve.seeing.record import Record

KIND = CONTENT_TYPE_LATEST.encode()
_SECONDS = (0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_SHORT = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1.0)
_TOKENS = (64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0)


class Metrics(Collector):
    """What one process has done.

    Nothing that a client or an upstream writes is a label: engines are those that the operator
    named, routes those that there are, codes our own. Keys are known by their ids, which the store
    makes: the first so many by their own, the rest together.
    """

    def __init__(
        self, engines: Iterable[str], worker: str = "", folder: Path | None = None
    ) -> None:
        """Begin at nothing; `worker` names this process among several that answer for one.

        In `folder` each of them keeps its figures for the others.
        """
        self._gathered = None if folder is None else Gathered(folder, worker)
        self.registry = CollectorRegistry()
        self._worker = worker
        self._engines = frozenset(engines)
        self._keys = Keys()
        self._requests = Counts(
            "requests", "Requests that are over.", ("route", "engine", "status", "code")
        )
        self._scaled = Counts("scaled_requests", "Requests that a strategy answered.", ("engine",))
        self._calls = Counts("calls", "Calls of engines.", ("engine",))
        self._work = Counts("work_tokens", "Decoded tokens, unseen ones included.", ("engine",))
        self._prefill = Counts("prefill_tokens", "Prompt tokens no cache served.", ("engine",))
        self._cached = Counts("cached_tokens", "Prompt tokens that a cache served.", ("engine",))
        self._over = Counts("overrun_tokens", "Decoded beyond a request's budget.", ("engine",))
        self._cost = Counts("cost_usd", "Cost in USD, where it is known.", ("engine", "key"))
        self._unpriced = Counts("unpriced_requests", "Requests of unknown cost.", ("engine",))
        self._refused = Counts(
            "budget_refusals", "Requests that an account refused, unspent.", ("code", "key")
        )
        self._failed = Counts(
            "upstream_failures", "Upstreams that did not answer, by why.", ("engine", "kind")
        )
        self._span = Spreads(
            "span_tokens", "Decoded on the longest path of a request.", ("engine",), _TOKENS
        )
        self._total = Spreads("request_seconds", "Of a whole request.", ("route",), _SECONDS)
        self._first = Spreads(
            "first_byte_seconds", "Until an answer began.", ("route", "stream"), _SECONDS
        )
        self._queue = Spreads("queue_seconds", "In line before an engine.", ("engine",), _SHORT)
        self._overhead = Spreads(
            "overhead_seconds", "Until a reply began, without the upstream's time.", (), _SHORT
        )
        self._store = Spreads(
            "store_seconds", "Of a question to the store.", ("operation",), _SHORT
        )
        self.open = Level("requests_in_flight", "Requests that run.")
        self.waiting = Level("queue_length", "Requests in line.", ("engine",))
        self.resting = Level("upstream_resting", "1 while it rests, in a pool.", ("engine",))
        self.store_up = Level("store_up", "The store can be reached.")
        self.watchers = Level("page_watchers", "Pages that watch.")
        self._shadowed = Counts(
            "shadow_requests", "Requests chosen to be run beside, by what came of it.", ("outcome",)
        )
        self._process = ProcessCollector(registry=None)
        self.registry.register(self)

    def add(self, record: Record) -> None:
        """Count a request that is over."""
        engine = record.engine if record.engine in self._engines else ""
        code = code_label(record.code)
        self._requests.add((record.route, engine, record.status, code))
        self._total.add((record.route,), record.seconds)
        if record.status == 200:
            self._overhead.add((), record.overhead_ms / 1000)
        if record.first_seconds:
            self._first.add((record.route, record.is_stream), record.first_seconds)
        if record.code in REFUSALS:
            self._refused.add((code, self._keys.label(record.key)))
        for name, kind in record.failures:
            known = name if name in self._engines else ""
            self._failed.add((known, kind if kind in FAILURES else OTHER))
        if record.total.calls:
            self._spent(record, (engine,))
            for name, usage in record.by_engine().items():
                self._taken((name if name in self._engines else "",), usage, record.key)

    def shadowed(self, outcome: str) -> None:
        """Count a request that was chosen to be run beside."""
        self._shadowed.add((outcome,))

    def _spent(self, record: Record, engine: tuple[str]) -> None:
        """Count what a request came to, at whoever answered it."""
        self._queue.add(engine, record.queued)
        self._span.add(engine, record.span or record.total.output_tokens)
        if record.over:
            self._over.add(engine, record.over)
        if record.total.cost is None:
            self._unpriced.add(engine)
        if record.strategy:
            self._scaled.add(engine)

    def _taken(self, engine: tuple[str], used: Usage, key: str) -> None:
        """Count what a request took of one engine."""
        self._calls.add(engine, used.calls)
        self._work.add(engine, used.output_tokens + used.unseen_tokens)
        self._prefill.add(engine, max(0, used.prefill))
        self._cached.add(engine, used.cached_tokens)
        if used.cost is not None:
            self._cost.add((*engine, self._keys.label(key)), float(used.cost))

    def collect(self) -> Iterator[Metric]:
        """Give all of it in Prometheus's form, that of the other workers with it."""
        own = self._families()
        yield from own if self._gathered is None else self._gathered.with_others(list(own))

    def share(self, look: Callable[[], None]) -> None:
        """Keep what there is for the other workers, where it is time; `look` sets the levels."""
        if self._gathered is not None and self._gathered.is_due:
            look()
            self._gathered.write(self._families())

    def _families(self) -> Iterator[Metric]:
        own = [one for one in vars(self).values() if isinstance(one, Counts | Spreads | Level)]
        for family in (*(one.family() for one in own), *self._process.collect()):
            if self._worker:
                family.samples = [_of_worker(one, self._worker) for one in family.samples]
            yield family

    def timed(self, store: Any) -> Any:
        """Return a store that does the same, and whose time is measured."""
        return _Timed(store, self._store)

    def written(self) -> bytes:
        """Write all of it as Prometheus reads it."""
        return generate_latest(self.registry)


def _of_worker(sample: Sample, worker: str) -> Sample:
    """Tell workers' series apart: each counts for itself."""
    return sample._replace(labels={**sample.labels, "worker": worker})


@dataclass(frozen=True, slots=True)
class _Timed:
    """A store, each of whose questions is measured; what is no question passes as it is."""

    store: Any
    seconds: Spreads

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        return _measured(found, self.seconds, name) if callable(found) else found


def _measured(
    asked: Callable[..., Awaitable[Any]], seconds: Spreads, name: str
) -> Callable[..., Awaitable[Any]]:
    async def ask(*args: Any, **more: Any) -> Any:
        began = perf_counter()
        try:
            return await asked(*args, **more)
        finally:
            seconds.add((name,), perf_counter() - began)

    return ask
