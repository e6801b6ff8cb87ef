"""Figures for Prometheus: one registry a process, labels of a bounded number only.

Names and units are as Prometheus' conventions have them: base units, ``_total`` for what only
grows, nothing in a name that a label says better. Each is told in ``docs/howto/gateway-deploy.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from workspan.serve.seeing.record import Record
from workspan.serve.seeing.spend import MOST_KEYS, OTHERS

KIND = CONTENT_TYPE_LATEST.encode()
_SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300)
_SHORT = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25)
_TOKENS = (64, 256, 1024, 4096, 16384, 65536, 262144)
OTHER = "other"
REFUSALS = ("budget_exceeded", "budget_busy", "rate_limit_exceeded")
"""Of an account, before anything is spent."""
_FAILURES = frozenset(
    {
        *("upstream_unauthorized", "upstream_unpaid", "upstream_forbidden", "upstream_redirects"),
        *("upstream_rate_limit", "upstream_quota", "upstream_error", "upstream_broke"),
        *("upstream_timeout", "upstream_unreachable", "failed", "lost"),
    }
)
"""Our own words: an upstream's are not taken for labels."""
_CODES = _FAILURES | {
    *("", *REFUSALS, "invalid_request", "unsupported", "unpriced_model", "model_not_found"),
    *("unknown_url", "method_not_allowed", "body_too_large", "body_timeout", "client_gone"),
    *("client_slow", "timeout", "draining", "queue_full", "invalid_api_key", "missing_api_key"),
    *("key_revoked", "key_expired", "model_not_allowed", "store_unreachable", "store_error"),
    *("admin_only", "too_many_watchers", "bug", "error", "bad_request"),
}


class _Way(NamedTuple):
    """The figures of one kind of request."""

    requests: Callable[[], None]
    seconds: Callable[[float], None]
    first: Callable[[float], None]


class _Use(NamedTuple):
    """The figures of one engine."""

    queue: Callable[[float], None]
    calls: Callable[[float], None]
    work: Callable[[float], None]
    span: Callable[[float], None]
    prefill: Callable[[float], None]
    cached: Callable[[float], None]
    over: Callable[[float], None]
    unpriced: Callable[[], None]
    scaled: Callable[[], None]


class Metrics:
    """What one process has done.

    Nothing that a client or an upstream writes is a label: engines are those that the operator
    named, routes those that there are, codes our own. Keys are known by their ids, which the store
    makes: the first so many by their own, the rest together.
    """

    def __init__(self, engines: Iterable[str]) -> None:
        self.registry = one = CollectorRegistry()
        self._engines = frozenset(engines)
        self._keys: set[str] = set()
        self._ways: dict[tuple[str, str, int, str, bool], _Way] = {}
        self._uses: dict[str, _Use] = {}

        def counter(name: str, said: str, *labels: str) -> Counter:
            return Counter(f"workspan_{name}", said, labels, registry=one)

        def histogram(name: str, said: str, buckets: Any, *labels: str) -> Histogram:
            return Histogram(f"workspan_{name}", said, labels, buckets=buckets, registry=one)

        self._requests = counter(
            "requests", "Requests that are over.", "route", "engine", "status", "code"
        )
        self._scaled = counter("scaled_requests", "Requests that a strategy answered.", "engine")
        self._calls = counter("calls", "Calls of engines.", "engine")
        self._work = counter("work_tokens", "Decoded tokens of all calls.", "engine")
        self._span = histogram(
            "span_tokens", "Decoded tokens on the longest path of a request.", _TOKENS, "engine"
        )
        self._prefill = counter("prefill_tokens", "Prompt tokens that no cache served.", "engine")
        self._cached = counter("cached_tokens", "Prompt tokens that a cache served.", "engine")
        self._over = counter(
            "overrun_tokens", "Decoded tokens beyond what a request was allowed.", "engine"
        )
        self._cost = counter("cost_usd", "Cost in USD, where it is known.", "engine", "key")
        self._unpriced = counter("unpriced_requests", "Requests whose cost is not known.", "engine")
        self._refused = counter(
            "budget_refusals", "Requests that an account refused, unspent.", "code", "key"
        )
        self._failed = counter(
            "upstream_failures", "Upstreams that did not answer, by why.", "engine", "kind"
        )
        self._first = histogram(
            "first_byte_seconds", "Until the first part of an answer.", _SECONDS, "route", "stream"
        )
        self._total = histogram("request_seconds", "Of a whole request.", _SECONDS, "route")
        self._queue = histogram("queue_seconds", "In line before an upstream.", _SHORT, "engine")
        self._overhead = histogram(
            "overhead_seconds", "Until a reply began, without the upstream's time.", _SHORT
        )
        self._store = histogram("store_seconds", "Of a question to the store.", _SHORT, "operation")
        self.open = Gauge("workspan_requests_in_flight", "Requests that run.", registry=one)
        self.waiting = Gauge(
            "workspan_queue_length", "Requests in line.", ("engine",), registry=one
        )
        self.store_up = Gauge("workspan_store_up", "The store can be reached.", registry=one)
        self.watchers = Gauge("workspan_page_watchers", "Pages that watch.", registry=one)
        ProcessCollector(registry=one)

    def add(self, record: Record) -> None:
        """Count a request that is over."""
        engine = self._engine(record.engine)
        code = record.code if record.code in _CODES else OTHER
        ways = record.route, engine, record.status, code, record.is_stream
        of = self._ways.get(ways) or self._way(*ways)
        of.requests()
        of.seconds(record.seconds)
        if record.status == 200:
            self._overhead.observe(record.overhead_ms / 1000)
        if record.first_seconds:
            of.first(record.first_seconds)
        if record.timeline.bars:
            self._used(record, engine)
        if record.code in REFUSALS:
            self._refused.labels(code, self._key(record.key)).inc()
        for name, kind in record.failures:
            known = kind if kind in _FAILURES else OTHER
            self._failed.labels(self._engine(name), known).inc()

    def _way(self, route: str, engine: str, status: int, code: str, is_stream: bool) -> _Way:  # noqa: FBT001
        """Find the figures of one kind of request: looked up once, since that costs the most."""
        found = self._ways[route, engine, status, code, is_stream] = _Way(
            self._requests.labels(route, engine, str(status), code).inc,
            self._total.labels(route).observe,
            self._first.labels(route, "true" if is_stream else "false").observe,
        )
        return found

    def _used(self, record: Record, engine: str) -> None:
        """Count what a request took of its engine."""
        total, of = record.total, self._uses.get(engine) or self._use(engine)
        of.queue(max(record.waited, record.timeline.queued))
        if not total.calls:
            return
        of.calls(total.calls)
        of.work(total.output_tokens + total.unseen_tokens)
        of.span(record.span or total.output_tokens)
        of.prefill(max(0, total.prefill))
        if total.cached_tokens:
            of.cached(total.cached_tokens)
        if record.over:
            of.over(record.over)
        if total.cost is None:
            of.unpriced()
        else:
            self._cost.labels(engine, self._key(record.key)).inc(float(total.cost))
        if record.strategy:
            of.scaled()

    def _use(self, engine: str) -> _Use:
        found = self._uses[engine] = _Use(
            self._queue.labels(engine).observe,
            self._calls.labels(engine).inc,
            self._work.labels(engine).inc,
            self._span.labels(engine).observe,
            self._prefill.labels(engine).inc,
            self._cached.labels(engine).inc,
            self._over.labels(engine).inc,
            self._unpriced.labels(engine).inc,
            self._scaled.labels(engine).inc,
        )
        return found

    def _engine(self, name: str) -> str:
        return name if name in self._engines else ""

    def _key(self, key: str) -> str:
        if key in self._keys:
            return key
        if len(self._keys) >= MOST_KEYS:
            return OTHERS
        self._keys.add(key)
        return key

    def timed(self, store: Any) -> Any:
        """Return a store that does the same, and whose time is measured."""
        return _Timed(store, self._store)

    def written(self) -> bytes:
        """Write all of it as Prometheus reads it."""
        return generate_latest(self.registry)


@dataclass(frozen=True, slots=True)
class _Timed:
    """A store, each of whose questions is measured; what is no question passes as it is."""

    store: Any
    seconds: Histogram

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if not callable(found):
            return found
        seconds = self.seconds.labels(name)

        async def asked(*args: Any, **more: Any) -> Any:
            began = perf_counter()
            try:
                return await found(*args, **more)
            finally:
                seconds.observe(perf_counter() - began)

        return asked
