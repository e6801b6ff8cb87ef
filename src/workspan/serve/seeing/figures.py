"""Plain numbers that become Prometheus's families when they are asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

Labels: TypeAlias = tuple[object, ...]
_PREFIX = "workspan_"


def _texts(labels: Labels) -> list[str]:
    """Write labels' values; a truth as most tools have it."""
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in labels]


@dataclass(slots=True)
class Counts:
    """What only grows."""

    name: str
    said: str
    labels: Sequence[str] = ()
    values: dict[Labels, float] = field(default_factory=dict)

    def add(self, labels: Labels, number: float = 1) -> None:
        """Add to one."""
        self.values[labels] = self.values.get(labels, 0) + number

    def family(self) -> CounterMetricFamily:
        """Return all of them."""
        found = CounterMetricFamily(_PREFIX + self.name, self.said, labels=self.labels)
        for labels, value in self.values.items():
            found.add_metric(_texts(labels), value)
        return found


@dataclass(slots=True)
class Level:
    """What goes up and down: set before it is asked for."""

    name: str
    said: str
    labels: Sequence[str] = ()
    values: dict[Labels, float] = field(default_factory=dict)

    def set(self, number: float, labels: Labels = ()) -> None:
        """Set one."""
        self.values[labels] = number

    def family(self) -> GaugeMetricFamily:
        """Return all of them."""
        found = GaugeMetricFamily(_PREFIX + self.name, self.said, labels=self.labels)
        for labels, value in self.values.items():
            found.add_metric(_texts(labels), value)
        return found


@dataclass(slots=True)
class Spread:
    """How values lie between bounds."""

    counts: list[int]
    total: float = 0.0


@dataclass(slots=True)
class Spreads:
    """How values lie between bounds, for each of some labels."""

    name: str
    said: str
    labels: Sequence[str]
    bounds: Sequence[float]
    values: dict[Labels, Spread] = field(default_factory=dict)

    def add(self, labels: Labels, value: float) -> None:
        """Add a value to one."""
        spread = self.values.get(labels)
        if spread is None:
            spread = self.values[labels] = Spread([0] * (len(self.bounds) + 1))
        spread.counts[bisect_left(self.bounds, value)] += 1
        spread.total += value

    def family(self) -> HistogramMetricFamily:
        """Return all of them."""
        found = HistogramMetricFamily(_PREFIX + self.name, self.said, labels=self.labels)
        for labels, spread in self.values.items():
            found.add_metric(_texts(labels), self._buckets(spread), spread.total)
        return found

    def _buckets(self, spread: Spread) -> list[tuple[str, float]]:
        """Return counts up to each bound, as the form has them."""
        buckets, so_far = [], 0
        names = [*map(str, self.bounds), "+Inf"]
        for name, count in zip(names, spread.counts, strict=True):
            so_far += count
            buckets.append((name, float(so_far)))
        return buckets
