"""Figures for Prometheus: one registry a process, labels of a bounded number only.

What a request adds is a few additions to plain numbers; they are put into Prometheus's form when
they are asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from workspan.serve.seeing.record import Record

KIND = CONTENT_TYPE_LATEST.encode()
_SECONDS = (0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_MILLISECONDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0)


@dataclass(slots=True)
class _Spread:
    """How values lie between bounds."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Return counts up to each bound, as the form has them."""
        found, so_far = [], 0
        names = [*(str(bound) for bound in self.bounds), "+Inf"]
        for name, count in zip(names, self.counts, strict=True):
            so_far += count
            found.append((name, float(so_far)))
        return found


@dataclass(slots=True)
class _Spent:
    """What one engine was charged for."""

    work: int = 0
    prefill: int = 0
    cached: int = 0
    calls: int = 0
    cost: float = 0.0


_OF_ENGINES = {
    "work": ("workspan_work_tokens", "Decoded tokens, unseen ones included"),
    "prefill": ("workspan_prefill_tokens", "Prompt tokens that no cache served"),
    "cached": ("workspan_cached_tokens", "Prompt tokens that a cache served"),
    "calls": ("workspan_calls", "Calls of engines"),
    "cost": ("workspan_cost_usd", "USD, of calls whose price is known"),
}


class Metrics(Collector):
    """What one process has done.

    Nothing that a client writes is a label: engines are those that the operator named, routes those
    that there are, statuses a few. Keys are left to the store, which holds any number of them.
    """

    def __init__(self, engines: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.open = self.waiting = 0
        self._engines = frozenset(engines)
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._spent: dict[str, _Spent] = {}
        self._scaled = 0
        self._seconds: dict[str, _Spread] = {}
        self._overhead = _Spread(_MILLISECONDS)

    def add(self, record: Record) -> None:
        """Count a request that is over."""
        engine = record.engine if record.engine in self._engines else ""
        self._requests[record.route, engine, record.status] += 1
        spread = self._seconds.get(record.route)
        if spread is None:
            spread = self._seconds[record.route] = _Spread(_SECONDS)
        spread.add(record.seconds)
        if record.status == 200:
            self._overhead.add(record.overhead_ms)
        total = record.total
        if total.calls:
            spent = self._spent.get(engine)
            if spent is None:
                spent = self._spent[engine] = _Spent()
            spent.work += total.output_tokens + total.unseen_tokens
            spent.prefill += max(0, total.prefill)
            spent.cached += total.cached_tokens
            spent.calls += total.calls
            spent.cost += float(total.cost or 0)
        if record.strategy:
            self._scaled += 1

    def collect(self) -> Iterator[Metric]:
        """Give all of it in Prometheus's form."""
        requests = CounterMetricFamily(
            "workspan_requests", "Requests", labels=("route", "engine", "status")
        )
        for (route, engine, status), count in self._requests.items():
            requests.add_metric((route, engine, str(status)), count)
        yield requests
        for name, (title, said) in _OF_ENGINES.items():
            family = CounterMetricFamily(title, said, labels=("engine",))
            for engine, spent in self._spent.items():
                family.add_metric((engine,), getattr(spent, name))
            yield family
        yield CounterMetricFamily(
            "workspan_scaled", "Requests that a strategy answered", value=self._scaled
        )
        seconds = HistogramMetricFamily(
            "workspan_request_seconds", "Of a request", labels=("route",)
        )
        for route, spread in self._seconds.items():
            seconds.add_metric((route,), spread.buckets(), spread.total)
        yield seconds
        yield HistogramMetricFamily(
            "workspan_overhead_milliseconds",
            "Until a reply began, without the upstream's time",
            buckets=self._overhead.buckets(),
            sum_value=self._overhead.total,
        )
        yield GaugeMetricFamily("workspan_open_requests", "Requests that run", value=self.open)
        yield GaugeMetricFamily("workspan_waiting_requests", "Requests in line", value=self.waiting)

    def written(self) -> bytes:
        """Write all of it as Prometheus reads it."""
        return generate_latest(self.registry)
