"""OpenAI's Responses: what Codex speaks, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from workspan.errors import InputError
from workspan.legible import quoted
from workspan.protocol import responses
from workspan.protocol.speaking import Speaker
from workspan.serve.dialects.base import Dialect, Voiced
from workspan.serve.wire.errors import Failed

_CODES: Mapping[str, str] = {
    "budget_exceeded": "insufficient_quota",
    "upstream_quota": "insufficient_quota",
    "upstream_rate_limit": "rate_limit_exceeded",
    "budget_busy": "rate_limit_exceeded",
    "rate_limit_exceeded": "rate_limit_exceeded",
    "context_length_exceeded": "context_length_exceeded",
    "invalid_request": "invalid_prompt",
    "unsupported": "invalid_prompt",
    "queue_full": "server_is_overloaded",
}
"""What a response that failed says of our codes: by these Codex knows whether to ask again."""


def code_of(error: Failed) -> str:
    """Return the dialect's own word for why a response failed."""
    return _CODES.get(error.code or "", "server_error")


class ResponsesVoice(Voiced):
    """Speaks Responses."""

    is_kept = False
    """The response may be gone on from."""

    @property
    def speaker(self) -> Speaker:
        """What a chat is put into words by; it says whether the response is kept."""
        speaker = super().speaker
        assert isinstance(speaker, responses.Speaker)
        speaker.is_kept = self.is_kept
        return speaker

    @property
    def final(self) -> dict[str, Any]:
        """The response as its client was sent it; empty where it did not end well."""
        if self.native is not None:
            return self.native.final
        speaker = self.speaker
        assert isinstance(speaker, responses.Speaker)
        return speaker.final

    def kept_alive(self) -> bytes:
        """Begin, or send the one event that all clients know to mean nothing."""
        speaker = self.speaker
        assert isinstance(speaker, responses.Speaker)
        return speaker.keep_alive()

    def error(self, error: Failed) -> bytes:
        """Write OpenAI's object."""
        return error.body

    def error_event(self, error: Failed) -> bytes:
        """End with the response that failed."""
        if self.native is not None and self.native.is_begun:
            return self.native.failed(error)
        speaker = self.speaker
        assert isinstance(speaker, responses.Speaker)
        return speaker.failed(code_of(error), str(error))


def _speaker(
    id: str, body: Mapping[str, Any], spaces: Mapping[str, tuple[str, str]]
) -> responses.Speaker:
    return responses.Speaker(id, int(time.time()), body, spaces)


def _effort(body: Mapping[str, Any]) -> str | None:
    told = body.get("reasoning")
    return text_of(told.get("effort"), "reasoning.effort") if isinstance(told, Mapping) else None


def text_of(told: Any, place: str) -> str | None:
    """Return a text that may be absent.

    Raises:
        InputError: it is none.
    """
    if told is not None and not isinstance(told, str):
        raise InputError(f"{place} must be a text, not {quoted(told)}")
    return told


def _with_effort(body: Mapping[str, Any], level: str | None) -> tuple[str, Any]:
    told = {k: v for k, v in body["reasoning"].items() if k != "effort"}
    return "reasoning", told if level is None else {**told, "effort": level}


RESPONSES = Dialect(
    "responses",
    "response",
    "responses",
    "input",
    "max_output_tokens",
    responses.carry,
    _speaker,
    ResponsesVoice,
    _effort,
    _with_effort,
    headers=(b"openai-beta",),
)
