"""What each key has spent in this process: a bounded number of keys, the rest together."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from workspan.serve.seeing.labels import Keys
from workspan.serve.seeing.record import Record


@dataclass(slots=True)
class Spent:
    """One key's."""

    name: str = ""
    """What its owner calls it."""
    requests: int = 0
    refused: int = 0
    """By its account, before anything was spent."""
    failed: int = 0
    work: int = 0
    span: int = 0
    calls: int = 0
    prefill: int = 0
    cached: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    """Requests whose cost is unknown."""

    def add(self, record: Record) -> None:
        """Count a request that is over."""
        total = record.total
        self.requests += 1
        self.refused += record.status == 429 and not total.calls
        self.failed += record.status >= 500
        self.work += total.output_tokens + total.unseen_tokens
        self.span += record.span or total.output_tokens
        self.calls += total.calls
        self.prefill += max(0, total.prefill)
        self.cached += total.cached_tokens
        if total.cost is None:
            self.unpriced += 1
        else:
            self.cost += total.cost

    def value(self, key: str) -> dict[str, Any]:
        """Return it as the feed writes it."""
        return {
            "key": key,
            "name": self.name,
            "requests": self.requests,
            "refused": self.refused,
            "failed": self.failed,
            "work": self.work,
            "span": self.span,
            "calls": self.calls,
            "prefill": self.prefill,
            "cached": self.cached,
            "cost": float(self.cost),
            "unpriced": self.unpriced,
        }


@dataclass(slots=True)
class Spend:
    """Of all keys, since the process began."""

    keys: dict[str, Spent] = field(default_factory=dict)
    labels: Keys = field(default_factory=Keys)
    routes: dict[tuple[str, str], Spent] = field(default_factory=dict)
    """By address and engine: there are so many of both, whatever clients write."""

    def add(self, record: Record) -> None:
        """Count a request that is over."""
        name = self.labels.label(record.key)
        spent = self.keys.get(name)
        if spent is None:
            spent = self.keys[name] = Spent(record.key_name if name == record.key else "")
        spent.add(record)
        place = record.route, record.engine
        route = self.routes.get(place)
        if route is None:
            route = self.routes[place] = Spent()
        route.add(record)

    def by_route(self) -> list[dict[str, Any]]:
        """Return what each address and engine has spent, the most work first."""
        found = [
            {**spent.value(""), "route": route, "engine": engine}
            for (route, engine), spent in self.routes.items()
        ]
        return sorted(found, key=lambda one: (-one["work"], one["route"], one["engine"]))

    def value(self) -> list[dict[str, Any]]:
        """Return all of it, the most work first."""
        found = [spent.value(key) for key, spent in self.keys.items()]
        return sorted(found, key=lambda one: (-one["work"], one["key"]))
