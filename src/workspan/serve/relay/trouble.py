"""What an upstream's trouble means to a client, and whether another upstream may be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import ceil
from typing import Any, Literal, TypeAlias

import aiohttp

from workspan.boundary.secret import Secret
from workspan.engines.endpoint.complaints import Complaint, is_complaint
from workspan.engines.endpoint.rejections import rejection
from workspan.engines.pool.health import CERTAIN
from workspan.errors import ContextExceeded, EngineError, EngineUnavailable
from workspan.legible import one_line
from workspan.serve.relay.in_line import LineFull
from workspan.serve.wire.errors import NEVER_AGAIN, Failed

Served: TypeAlias = Literal["no", "part"]
"""What the upstream may have decoded, and may charge for."""

_OURS = {401: "upstream_unauthorized", 402: "upstream_unpaid", 403: "upstream_forbidden"}
"""What is between the gateway and its upstream: a client's own key has nothing to do with it."""
_KEPT = frozenset({400, 404, 405, 408, 409, 413, 415, 422, 500, 502, 503, 504, 529})
_MAY_HAVE_SERVED = frozenset({500, 502, 504})
_LACKS = frozenset({404, 501})
_ELSEWHERE = frozenset({401, 402, 403, 404, 408, 429})
"""Statuses below 500 that another upstream may not have."""
NOBODY_THERE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
LOST = (aiohttp.ClientError, ConnectionError, TimeoutError, OSError)
TAKEN = (TimeoutError, aiohttp.ClientResponseError)
"""Of those, what a request ends in that an upstream has taken: silence, or bytes that are no reply
in HTTP."""


class Missed(Exception):
    """An upstream gave no answer, and no token of one has reached the client."""

    def __init__(
        self,
        failed: Failed,
        *,
        served: Served = "no",
        elsewhere: bool = True,
        has_ended: bool = False,
        lacks: bool = False,
        is_certain: bool = False,
    ) -> None:
        super().__init__(str(failed))
        self.failed = failed
        self.served = served
        self.elsewhere = elsewhere
        """Another upstream may answer."""
        self.has_ended = has_ended
        """It has said itself that it failed, and decodes no more: not all of a reply that was to
        come whole is charged, but what any stream may leave unseen."""
        self.lacks = lacks
        """It does not do what was asked: embeddings of a server of chats."""
        self.is_certain = is_certain
        """It would have been so whatever was asked."""


def refused(
    complaint: Complaint, name: str, body: Any, headers: Mapping[str, str], secret: Secret
) -> Missed:
    """Say a refusal: its status where that is the client's to mend, else ours."""
    status = complaint.status
    told = _marks(body, secret)
    words = f"{name} answered {status}: {complaint.words}"
    if status in _OURS:
        said = (
            f"the gateway's own key or account was refused by {name} ({status}: "
            f"{complaint.words}); your key is not the reason"
        )
        failed = Failed(502, said, code=_OURS[status], kind="upstream_error", headers=NEVER_AGAIN)
    elif status == 429:
        failed = _too_many(complaint, words, headers)
    elif 300 <= status < 400:
        failed = Failed(502, f"{name} redirects", code="upstream_redirects", kind="upstream_error")
    else:
        passed = status if status in _KEPT or 400 <= status < 500 else 502
        failed = Failed(
            passed,
            words,
            code=told.get("code") or (None if passed < 500 else "upstream_error"),
            param=told.get("param"),
            kind=told.get("type", "") or ("upstream_error" if passed >= 500 else ""),
            headers=_waits(headers, complaint),
        )
    is_elsewhere = status >= 500 or 300 <= status < 400 or status in _ELSEWHERE
    if status not in _MAY_HAVE_SERVED:
        return Missed(
            failed, elsewhere=is_elsewhere, lacks=status in _LACKS, is_certain=status in CERTAIN
        )
    has_ended = _has_ended(status, body)
    if not has_ended:
        failed.headers.update(NEVER_AGAIN)  # it is charged as if all had been decoded
    return Missed(failed, served="part", elsewhere=is_elsewhere, has_ended=has_ended)


def _has_ended(status: int, body: Any) -> bool:
    """Tell a server's own word that it failed from that of a proxy that knows nothing of it.

    A proxy's 502 or 504 leaves the server to decode on. Another error that came whole, in JSON, is
    the server's: it has stopped.
    """
    try:
        value = json.loads(body) if isinstance(body, bytes) else body
    except (ValueError, RecursionError):
        return False
    return status not in (502, 504) and is_complaint(value)


def _too_many(complaint: Complaint, words: str, headers: Mapping[str, str]) -> Failed:
    """Tell a rate that is too high from a quota that is used up, both the upstream's."""
    waits = isinstance(rejection(complaint, ""), EngineUnavailable)
    return Failed(
        429,
        words,
        code="upstream_rate_limit" if waits else "upstream_quota",
        kind="upstream_rate_limit_error",
        headers=_waits(headers, complaint) if waits else NEVER_AGAIN,
    )


def _waits(headers: Mapping[str, str], complaint: Complaint) -> dict[str, str]:
    """Pass on when to ask again, as it was said; what only the body says is written as a header."""
    found = {
        name: headers[name].strip()
        for name in ("Retry-After", "retry-after-ms")
        if name in headers and _is_plain(headers[name]) and len(headers[name]) < 64
    }
    if not found and complaint.retry_after is not None:
        found["retry-after"] = str(max(0, round(complaint.retry_after)))
    return {name.lower(): value for name, value in found.items()}


def inside(complaint: Complaint, name: str, body: Any, secret: Secret) -> Missed:
    """Say an error that came with status 200: it is one all the same."""
    missed = refused(complaint, name, body, {}, secret)
    if missed.failed.status == 500:
        missed.failed.status = 502
    missed.served, missed.has_ended = "part", _has_ended(complaint.status, body)
    missed.is_certain = False  # it took the request
    return missed


def broke(name: str, why: str) -> Missed:
    """Say that an upstream broke off, or the protocol: what it decoded may be charged for."""
    said = f"{name} broke off: {one_line(why, 300)}"
    return Missed(
        Failed(502, said, code="upstream_broke", kind="upstream_error", headers=NEVER_AGAIN),
        served="part",
    )


def silent(name: str, seconds: float) -> Missed:
    """Say that an upstream sent nothing in time: it may go on decoding."""
    said = f"{name} sent nothing for {seconds:g} seconds"
    return Missed(
        Failed(504, said, code="upstream_timeout", kind="upstream_error", headers=NEVER_AGAIN),
        served="part",
    )


def unreachable(name: str, error: Exception, secret: Secret) -> Missed:
    """Say that nobody was there: nothing was spent."""
    why = secret.scrub(one_line(str(error), 200)) or type(error).__name__
    said = f"{name} can't be reached: {why}"
    failed = Failed(502, said, code="upstream_unreachable", kind="upstream_error")
    return Missed(failed, is_certain=True)


def of_engine(error: EngineError, urls: Mapping[str, str]) -> Failed:
    """Say what an upstream did to a strategy's call as it is said of a request passed on.

    Addresses are the operator's to know, by `urls` each is written as its name, and what its key
    is read from.
    """
    said, status = str(error).partition("; is the ")[0], error.status or 502
    for url, one in urls.items():
        said = said.replace(url, one)
    if isinstance(error, LineFull):
        return Failed(503, said, code="queue_full", headers={"retry-after": "1"})
    if isinstance(error, ContextExceeded):
        return Failed(400, said, code="context_length_exceeded")
    if status in _OURS:
        said = f"the gateway's own key or account was refused: {said}; your key is not the reason"
        return Failed(502, said, code=_OURS[status], kind="upstream_error", headers=NEVER_AGAIN)
    waits = isinstance(error, EngineUnavailable)
    told = {"retry-after": str(max(1, ceil(error.retry_after)))} if error.retry_after else {}
    if status == 429:
        code = "upstream_rate_limit" if waits else "upstream_quota"
        kind = "upstream_rate_limit_error"
        return Failed(429, said, code=code, kind=kind, headers=told if waits else NEVER_AGAIN)
    if status not in _KEPT:
        return Failed(502, said, code="upstream_error", kind="upstream_error")
    if status < 500:
        return Failed(status, said, headers=told)
    return Failed(status, said, code="upstream_error", kind="upstream_error", headers=told)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def words(error: Exception, secret: Secret, came: int = 0, whole: int | None = None) -> str:
    """Say why a connection broke: never at which address, nor with which headers.

    `came` is what had come of a body, and `whole` how long it was to be, where that was said.
    """
    if isinstance(error, aiohttp.ClientPayloadError):
        return f"the reply ended after {came}{'' if whole is None else f' of {whole}'} bytes"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server hung up"  # some versions put what had come of its headers there
    if isinstance(error, aiohttp.ClientResponseError):
        return secret.scrub(one_line(error.message, 200))
    return secret.scrub(str(error)) or type(error).__name__


def _marks(body: Any, secret: Secret) -> dict[str, str]:
    """Read the code, type and field that an upstream's error names, where they are plain words."""
    if isinstance(body, bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return {}
    inner = body.get("error") if isinstance(body, dict) else None
    told = inner if isinstance(inner, dict) else body if isinstance(body, dict) else {}
    return {
        name: value
        for name in ("code", "type", "param")
        if isinstance(value := told.get(name), str)
        and 0 < len(value) < 100
        and _is_plain(value)
        and secret.scrub(value) == value
    }
