"""Figures for Prometheus: one registry a process, labels of a bounded number only."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from workspan.serve.seeing.record import Record

KIND = CONTENT_TYPE_LATEST.encode()
_SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300)
_MILLISECONDS = (0.25, 0.5, 1, 2, 5, 10, 50)


class Metrics:
    """What one process has done.

    Nothing that a client writes is a label: engines are those that the operator named, routes those
    that there are, statuses a few. Keys are left to the store, which holds any number of them.
    """

    def __init__(self, engines: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        self._engines = frozenset(engines)
        one = self.registry
        labels = ("route", "engine", "status")
        self._requests = Counter("workspan_requests", "Requests", labels, registry=one)
        self._work = Counter("workspan_work_tokens", "Decoded tokens", ("engine",), registry=one)
        self._prefill = Counter(
            "workspan_prefill_tokens", "Prompt tokens no cache served", ("engine",), registry=one
        )
        self._cached = Counter(
            "workspan_cached_tokens", "Prompt tokens a cache served", ("engine",), registry=one
        )
        self._cost = Counter("workspan_cost_usd", "USD", ("engine",), registry=one)
        self._calls = Counter("workspan_calls", "Calls of engines", ("engine",), registry=one)
        self._scaled = Counter("workspan_scaled", "Requests a strategy answered", registry=one)
        self._seconds = Histogram(
            "workspan_request_seconds", "Of a request", ("route",), buckets=_SECONDS, registry=one
        )
        self._overhead = Histogram(
            "workspan_overhead_milliseconds",
            "Until a reply began, without the upstream's time",
            buckets=_MILLISECONDS,
            registry=one,
        )
        self.open = Gauge("workspan_open_requests", "Requests that run", registry=one)
        self.waiting = Gauge("workspan_waiting_requests", "Requests in line", registry=one)

    def add(self, record: Record) -> None:
        """Count a request that is over."""
        engine = record.engine if record.engine in self._engines else ""
        self._requests.labels(record.route, engine, str(record.status)).inc()
        self._seconds.labels(record.route).observe(record.seconds)
        if record.status == 200:
            self._overhead.observe(record.overhead_ms)
        total = record.total
        if total.calls:
            self._work.labels(engine).inc(total.output_tokens + total.unseen_tokens)
            self._prefill.labels(engine).inc(max(0, total.prefill))
            self._cached.labels(engine).inc(total.cached_tokens)
            self._cost.labels(engine).inc(float(total.cost or 0))
            self._calls.labels(engine).inc(total.calls)
        if record.strategy:
            self._scaled.inc()

    def written(self) -> bytes:
        """Write all of it as Prometheus reads it."""
        return generate_latest(self.registry)
