"""One request as it is remembered: no prompt, no answer, no secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workspan.data.types import Usage


@dataclass(slots=True)
class Record:
    """What a request came to."""

    id: str = ""
    route: str = ""
    key: str = ""
    """The id of the key; empty where there is none."""
    asked_model: str = ""
    model: str = ""
    """The one that answered, as its server calls it."""
    engine: str = ""
    strategy: str = ""
    """Empty where it was passed on."""
    why_straight: str = ""
    """The rule by which a request was passed on in spite of the route's strategy."""
    status: int = 0
    code: str = ""
    """Of the error."""
    stop: str = ""
    is_stream: bool = False
    has_begun: bool = False
    """The client has been sent a part of an answer."""
    usage: Usage = field(default_factory=Usage)
    """Of the attempt that answered."""
    is_settled: bool = False
    total: Usage = field(default_factory=Usage)
    """Of all attempts."""
    span: int = 0
    seconds: float = 0.0
    overhead_ms: float = 0.0

    def settle(self, usage: Usage, stop: str) -> None:
        """Note the bill of a reply that ended, or was cut."""
        self.usage, self.stop, self.is_settled = usage, stop, True

    def add(self, usage: Usage) -> None:
        """Note what one attempt was charged."""
        self.total += usage

    @property
    def line(self) -> dict[str, Any]:
        """What a log holds of it."""
        total = self.total
        return {
            "event": "request",
            "id": self.id,
            "route": self.route,
            "status": self.status,
            "code": self.code,
            "key": self.key,
            "model": self.asked_model,
            "answered": self.model,
            "engine": self.engine,
            "strategy": self.strategy,
            "straight": self.why_straight,
            "stop": self.stop,
            "stream": self.is_stream,
            "work": total.output_tokens,
            "unseen": total.unseen_tokens,
            "prefill": total.prefill,
            "cached": total.cached_tokens,
            "calls": total.calls,
            "cost": None if total.cost is None else str(total.cost),
            "source": total.source,
            "seconds": round(self.seconds, 4),
            "overhead_ms": round(self.overhead_ms, 3),
        }
