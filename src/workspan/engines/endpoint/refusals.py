"""What a server's refusal means: from HTTP statuses and bodies to typed errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
)
from workspan.secret import Secret

_SAID_LIMIT = 500
"""Characters of a server's own words that an error repeats."""

_CONTEXT = re.compile(
    r"context[ _](length|size|window)|maximum context|exceed_context|max_model_len"
    r"|(prompt|input) (is )?too long|too many tokens",
    re.IGNORECASE,
)
_RETRYABLE = frozenset({408, 409, 425, 429})
_FINAL = frozenset({501, 505})
_SPENT = ("insufficient_quota", "billing")


def said(body: bytes, secret: Secret) -> str:
    """Return the server's own words from the usual shapes of an error's body, without the key."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body.decode(errors="replace").strip()
        is_page = text[:1] == "<"
        return "a web page" if is_page else secret.scrub(text)[:_SAID_LIMIT]
    return secret.scrub(_words(content))[:_SAID_LIMIT]


def _words(content: Any) -> str:
    if not isinstance(content, dict):
        return str(content)
    inner = content.get("error", content)
    if not isinstance(inner, dict):
        return str(inner)
    words = inner.get("message") or inner.get("detail") or inner
    marks = [str(inner[name]) for name in ("code", "type", "param") if inner.get(name)]
    return f"{words} ({', '.join(marks)})" if marks else str(words)


def refusal(status: int, words: str, headers: Mapping[str, str], url: str) -> EngineError:
    """Choose the error for a status other than 200."""
    told = f"{url} answered {status}: {words}"
    if 300 <= status < 400:
        target = headers.get("Location", "elsewhere")
        return EngineRejected(
            f"{url} redirects to {target}; redirects are not followed: name the final address",
            status=status,
        )
    if status in {401, 403}:
        return EngineRejected(
            f"{told}; is the key right? It is read from WORKSPAN_API_KEY or OPENAI_API_KEY, "
            "that of a further engine NAME from WORKSPAN_API_KEY_NAME",
            status=status,
        )
    if status == 413 or (status in {400, 422, 500} and _CONTEXT.search(words)):
        return ContextExceeded(told, status=status)
    is_spent = status == 429 and any(mark in words for mark in _SPENT)
    if (status in _RETRYABLE or status >= 500) and status not in _FINAL and not is_spent:
        return EngineUnavailable(told, status=status, retry_after=retry_after(headers))
    return EngineRejected(told, status=status)


def stream_error(error: Any, secret: Secret, url: str) -> EngineError:
    """Choose the error for an error event inside a stream."""
    words = secret.scrub(_words({"error": error}))[:_SAID_LIMIT]
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return refusal(status, words, {}, url)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read Retry-After, in seconds or as an HTTP date; None where there is none to read."""
    value = headers.get("Retry-After", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(value)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - (now or datetime.now(UTC))).total_seconds())


_FINISHES = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
}


def finish_of(reason: str) -> str:
    """Translate a server's finish reason into "stop" or "length".

    Raises:
        EngineRejected: the provider withheld the answer.
        EngineUnavailable: the server gave the answer up.
        EngineProtocolError: the reason is unknown.
    """
    if finish := _FINISHES.get(reason):
        return finish
    if reason == "content_filter":
        raise EngineRejected("the provider's content filter withheld the answer")
    if reason in {"abort", "cancelled", "error"}:
        raise EngineUnavailable(f"the server gave the answer up: finish_reason {reason!r}")
    raise EngineProtocolError(f"unknown finish_reason {reason!r}")
