"""What the tools give back, as clients see it."""

from __future__ import annotations

from pydantic import BaseModel


class Between(BaseModel):
    """From the least to the most that is to be expected."""

    low: float
    high: float


class Priced(BaseModel):
    """What a run would take; nothing was asked."""

    strategy: str
    budget: str
    """With the server's own limits."""
    calls: Between
    work: Between
    span: Between
    prefill: Between
    cost_usd: Between | None
    """None where no price is known."""
    is_affordable: bool
    """The server has room for the most of it."""
    left: str
    """Of the server's own budget."""


class Solved(BaseModel):
    """An answer, and what it cost."""

    answer: str | None
    """None where the run came to none: see `why`."""
    text: str | None
    """All that the winning draw said."""
    votes: dict[str, float]
    why: str
    """Why there is no answer; empty where there is one."""
    strategy: str
    budget: str
    stop: str
    """"done", or the limit that ended it."""
    calls: int
    work: int
    span: int
    prefill: int
    unseen: int
    """Tokens at most that cut calls may have decoded beside."""
    cost_usd: str | None
    source: str
    seconds: float
    notices: list[str]
    left: str


class Account(BaseModel):
    """What the server has spent since it was started, and what is left."""

    spent_calls: int
    spent_work: int
    charged_work: int
    """With what cut calls may have decoded unseen, at most."""
    spent_prefill: int
    spent_cost_usd: str | None
    held_work: int
    """By runs that go on."""
    left: str
