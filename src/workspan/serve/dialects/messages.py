"""Anthropic's Messages: what Claude Code speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from workspan.protocol import messages
from workspan.protocol.messages.reply import PING
from workspan.protocol.speaking import event
from workspan.serve.dialects.base import Dialect, Voiced
from workspan.serve.dialects.responses import text_of
from workspan.serve.wire.errors import Failed

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_of(error: Failed) -> dict[str, Any]:
    """Return an error as the dialect has it, with our code beside it."""
    kind = _TYPES.get(error.status) or (
        "invalid_request_error" if error.status < 500 else "api_error"
    )
    told = {"type": kind, "message": str(error), "code": error.code, "param": error.param}
    details = {"details": error.details} if error.details else {}
    return {"type": "error", "error": {**told, **details}}


class MessagesVoice(Voiced):
    """Speaks Messages."""

    def keep_alive(self) -> bytes:
        """Ping, which may stand anywhere."""
        return PING

    def kept_alive(self) -> bytes:
        """Ping."""
        return PING

    def error(self, error: Failed) -> bytes:
        """Write Anthropic's object."""
        return msgspec.json.encode({**error_of(error), "request_id": self.id})

    def error_event(self, error: Failed) -> bytes:
        """End with an error: no last word follows."""
        return event("error", error_of(error))


def _speaker(
    id: str, body: Mapping[str, Any], _spaces: Mapping[str, tuple[str, str]]
) -> messages.Speaker:
    return messages.Speaker(id, body)


def _effort(body: Mapping[str, Any]) -> str | None:
    told = body.get("output_config")
    if not isinstance(told, Mapping):
        return None
    return text_of(told.get("effort"), "output_config.effort")


def _with_effort(body: Mapping[str, Any], level: str | None) -> tuple[str, Any]:
    told = {k: v for k, v in body["output_config"].items() if k != "effort"}
    return "output_config", told if level is None else {**told, "effort": level}


MESSAGES = Dialect(
    "messages",
    "message",
    "messages",
    "messages",
    "max_tokens",
    messages.carry,
    _speaker,
    MessagesVoice,
    _effort,
    _with_effort,
    headers=(b"anthropic-version", b"anthropic-beta"),
    needed={"anthropic-version": "2023-06-01"},
)
