"""The server's own count: what it has decoded, read and sent, request by request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from workspan.testing.faults.asked import Asked


@dataclass(frozen=True, slots=True)
class Tariff:
    """What this server charges, in USD per million tokens."""

    prompt: Decimal = Decimal(3)
    cached: Decimal = Decimal(1)
    completion: Decimal = Decimal(15)


@dataclass(slots=True)
class Served:
    """One request that the server began to answer."""

    asked: Asked
    faults: tuple[str, ...]
    prompt: int
    cached: int
    decoded: list[int]
    """Tokens of each choice, those included that nobody was sent."""
    answers: list[str]
    """Text of each choice that was sent."""
    finishes: list[str | None]
    thinking: str = ""
    """Thinking that was sent."""
    other: str = ""
    """What was sent where only a careful client looks, such as another choice's index."""
    hidden: int = 0
    """Tokens of `decoded` that left no trace in the stream, end tokens aside."""
    held: int = 0
    """Tokens of `decoded` that were gathered for a piece which the client did not wait for."""
    unreported: int = 0
    """Characters sent since the last usage."""
    told: int = 0
    """Log-probabilities sent."""
    after: int = 0
    """Tokens of `decoded` that were decoded when the client was known to be gone."""
    reports: list[Any] = field(default_factory=list)
    """Each usage as it was sent."""
    is_whole: bool = False
    """One JSON reply, of which nothing is sent before all is decoded."""
    is_refused: bool = False
    """That reply was an error, or all that a stream holds is a refusal: nobody is charged for one,
    and what was decoded in secret before it leaves no trace."""
    is_gone: bool = False
    """The client hung up."""
    is_complete: bool = False
    """Everything was sent, in good order, to a client that was there to the end."""

    @property
    def work(self) -> int:
        """Decoded tokens."""
        return sum(self.decoded)

    @property
    def characters(self) -> int:
        """How much was sent."""
        return len(self.sent)

    @property
    def sent(self) -> str:
        """All text."""
        return "".join((*self.answers, self.thinking, self.other))

    @property
    def is_call(self) -> bool:
        """It came to something: a provider would charge for it."""
        return not self.is_refused and (self.work > 0 or any(self.finishes))

    def cost(self, tariff: Tariff, work: int | None = None) -> Decimal:
        """Return the price in USD, for `work` decoded tokens instead of all where given."""
        if not self.is_call:
            return Decimal(0)
        fresh = self.prompt - self.cached
        tokens = self.work if work is None else work
        total = fresh * tariff.prompt + self.cached * tariff.cached + tokens * tariff.completion
        return total / 1_000_000


@dataclass(slots=True)
class Tally:
    """All requests of one server."""

    requests: int = 0
    """To its completion doors, those included that it refused."""
    rows: list[Served] = field(default_factory=list)
    at_once: int = 0
    """Most choices that were being answered at a time."""
    answering: int = 0
    watchers: list[Callable[[], None]] = field(default_factory=list)
    """Called at every decoded piece."""

    @property
    def work(self) -> int:
        """Decoded tokens of all requests."""
        return sum(row.work for row in self.rows)

    def decode(self, row: Served, tokens: int, choice: int = 0) -> None:
        """Count tokens at the moment they are decoded."""
        row.decoded[min(choice, len(row.decoded) - 1)] += tokens
        for watcher in self.watchers:
            watcher()
