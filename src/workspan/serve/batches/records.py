"""What is kept of files and batches, and the objects that a client is shown."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Status: TypeAlias = Literal[
    "validating", "failed", "in_progress", "completed", "expired", "cancelling", "cancelled"
]
ENDPOINTS = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses")
"""Whose requests a batch may hold."""
WINDOWS: Mapping[str, int] = {"24h": 86_400}
"""Seconds in which a batch must be done, by the name of its window."""
OPEN: tuple[Status, ...] = ("in_progress", "cancelling")
"""What a worker has still to do with."""
FILE_SECONDS = 30 * 86_400
"""For which a file is kept, unless its client says another time."""


def new_id(begun: str, utc: float) -> str:
    """Return an id that nobody guesses; later ones of the same beginning sort after it.

    What is listed the latest first is so within a second, too.
    """
    return f"{begun}{int(utc * 1e6):014x}{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Most:
    """What one key may leave here."""

    lines: int = 50_000
    """Of one batch."""
    batches: int = 100
    """At a time that are not done."""
    all_batches: int = 5_000
    """Those that are done among them."""
    files_bytes: int = 512 * 1024 * 1024
    """Of all its files together, results among them: beyond it no more is taken on."""
    files: int = 2_000


@dataclass(frozen=True, slots=True)
class File:
    """A file of requests, or one that is written from a batch's lines when it is read."""

    id: str
    key: str
    name: str
    """As its client called it: any legible text, never a path here."""
    purpose: str
    batch: str
    """Of a result: its batch. Empty for what a client sent."""
    created: int
    expires: int | None
    bytes: int

    @property
    def value(self) -> dict[str, Any]:
        """The object that a client reads."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.bytes,
            "created_at": self.created,
            "expires_at": self.expires,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
        }


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a batch is."""

    answered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch."""

    id: str
    key: str
    input_file: str
    endpoint: str
    window: str
    metadata: Mapping[str, str]
    status: Status
    errors: list[dict[str, Any]]
    """Why it could not begin: lines that are no requests."""
    total: int
    created: int
    expires: int
    cancelling: int | None = None
    ended: int | None = None
    output_file: str | None = None
    error_file: str | None = None
    counts: Counts = field(default_factory=Counts)

    @property
    def value(self) -> dict[str, Any]:
        """The object that a client reads."""
        ended = {
            f"{name}_at": self.ended if self.status == name else None
            for name in ("completed", "failed", "expired", "cancelled")
        }
        errors = {"object": "list", "data": self.errors} if self.errors else None
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "errors": errors,
            "input_file_id": self.input_file,
            "completion_window": self.window,
            "status": self.status,
            "output_file_id": self.output_file,
            "error_file_id": self.error_file,
            "created_at": self.created,
            "in_progress_at": None if self.errors else self.created,
            "expires_at": self.expires,
            "finalizing_at": None,
            **ended,
            "cancelling_at": self.cancelling,
            "request_counts": {
                "total": self.total,
                "completed": self.counts.answered,
                "failed": self.counts.failed,
            },
            "metadata": dict(self.metadata) or None,
        }


@dataclass(frozen=True, slots=True)
class Line:
    """One request of a batch, and what became of it."""

    place: int
    custom_id: str
    body: str
    tries: int = 0
    request: str = ""
    """The id of the request that answered it."""
    status: int | None = None
    """Of its reply; None while there is none."""
    reply: str = ""

    @property
    def is_answer(self) -> bool:
        """It was answered well."""
        return self.status == 200
