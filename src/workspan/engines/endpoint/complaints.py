"""What a server said when it refused: its words, the fields it names, the figures it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from workspan.boundary.secret import Secret

_SAID_LIMIT = 500
"""Characters of a server's own words that an error repeats."""
_DEPTH = 8
_NODES = 400
"""How much of a body is looked through; no honest one is larger."""
_LONGEST_WAIT = 1e9
"""Seconds; a server that says more has said nothing."""


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that a server objects to, and the field that it names for it, if it does."""

    text: str
    field: str = ""
    """The first part of its place: `stream_options` of `stream_options.include_usage`."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A refusal, read once. What is shown of it does not hold the key."""

    status: int
    """Of HTTP, or what the body says in its place where the status was 200."""
    words: str
    """For people."""
    marks: str = field(repr=False)
    """The codes, types and statuses of the body, for programs."""
    objections: tuple[Objection, ...] = field(repr=False)
    figures: Mapping[str, int] = field(repr=False)
    """Numbers that the body names by a field, such as llama.cpp's `n_ctx`."""
    retry_after: float | None = None
    """Seconds."""
    location: str = ""
    """Where a redirect points."""

    @property
    def text(self) -> str:
        """Everything that was said."""
        return "\n".join(objection.text for objection in self.objections)


def read_complaint(
    status: int, body: Any, secret: Secret, headers: Mapping[str, str] | None = None
) -> Complaint:
    """Read a refusal from its body, raw or decoded, in any of the field's shapes.

    OpenAI and most: ``{"error": {"message", "type", "param", "code"}}``; vLLM the inner part alone;
    Gemini a list of them; FastAPI ``{"detail": [{"type", "loc", "msg"}]}``, which Mistral and
    others put into their message, as JSON or as Python writes it; plain text.
    """
    content = _decoded(body) if isinstance(body, bytes | bytearray) else body
    if isinstance(content, str) and content.lstrip()[:1] == "<":
        content = "a web page"
    headers = headers or {}
    nodes = list(_dicts(content))
    marks = [str(node[name]) for node in nodes for name in _MARKS if _is_mark(node.get(name))]
    words = _words(content) or "no reason"
    shown = " ".join(dict.fromkeys(mark for mark in marks if mark not in words))
    words = secret.scrub(f"{words} ({shown})" if shown else words)
    told = _retry_in_body(nodes)
    return Complaint(
        _status_of(status, nodes),
        words[:_SAID_LIMIT],
        " ".join([*marks, *(str(node["quotaId"]) for node in nodes if "quotaId" in node)]),
        tuple(_objections(content, nodes)),
        {key: value for node in nodes for key, value in node.items() if _is_figure(value)},
        retry_after(headers) if told is None else told,
        secret.scrub(headers.get("Location", "elsewhere")),
    )


def is_complaint(event: Any) -> bool:
    """Tell an error without the usual key from an event that merely holds no choice."""
    if isinstance(event, list):
        return any(isinstance(entry, dict) and is_complaint(entry) for entry in event)
    if not isinstance(event, dict) or event.get("choices") or event.get("usage"):
        return False
    if event.get("error") or event.get("object") == "error" or event.get("type") == "error":
        return True
    if event.get("status") in _FAILED or event.get("fault") or event.get("exception"):
        return "choices" not in event
    base = event.get("base_resp")  # MiniMax
    if isinstance(base, dict) and base.get("status_code"):
        return True
    if "choices" in event or event.get("type") in _HEARTBEATS:
        return False
    said = [event.get(name) for name in _PLAIN_WORDS]
    return any(isinstance(told, str | list) and told for told in said) or any(
        isinstance(told, dict) and told and "role" not in told for told in said
    )


_FAILED = ("error", "failed", "failure")
_HEARTBEATS = ("ping", "keepalive", "keep-alive", "heartbeat")
_PLAIN_WORDS = (
    "message",
    "msg",
    "detail",
    "details",
    "error_message",
    "error_msg",
    "error_description",
    "errors",
)
_WORDS = (*_PLAIN_WORDS, "status_msg", "fault", "faultstring", "exception", "reason", "title")
_MARKS = ("code", "type", "status", "param", "status_code")


def _decoded(body: bytes | bytearray) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return bytes(body).decode(errors="replace").strip()


def _dicts(content: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield every object of a body, the outermost first, JSON inside of texts included."""
    if depth > _DEPTH:
        return
    if isinstance(content, str) and content.lstrip()[:1] in ("{", "["):
        content = _decoded(content.encode())
        if isinstance(content, str):
            return
    if isinstance(content, dict):
        yield content
        for value in list(content.values())[:_NODES]:
            yield from _dicts(value, depth + 1)
    elif isinstance(content, list):
        for value in content[:_NODES]:
            yield from _dicts(value, depth + 1)


def _is_mark(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value not in ("", 0)


def _is_figure(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _words(content: Any, depth: int = 0) -> str:
    """Return what a person would quote."""
    if depth > _DEPTH:
        return "…"
    if isinstance(content, list):
        return "; ".join(_words(entry, depth + 1) for entry in content[:5])
    if not isinstance(content, dict):
        return "" if content is None else str(content)
    if content.get("error"):
        return _words(content["error"], depth + 1)
    inner = next((content[name] for name in _WORDS if content.get(name)), None)
    if inner is None:
        return _words(content.get("base_resp"), depth + 1) or json.dumps(content, default=str)
    said = _words(inner, depth + 1)
    place = content.get("loc")
    return f"{'.'.join(map(str, place))}: {said}" if isinstance(place, list) and place else said


_REPR = re.compile(
    r"""['"]type['"]:\s*['"](?P<type>[\w.]+)['"],\s*['"]loc['"]:\s*[(\[]\s*"""
    r"""(?:['"]body['"],\s*)?['"](?P<field>\w+)['"].{0,40}?['"]msg['"]:\s*['"](?P<msg>[^'"]*)""",
    re.DOTALL,
)
"""FastAPI's list as Python writes it: vLLM's message."""
_UNKNOWN_NAME = re.compile(r"""Unknown name \\?"(?P<field>\w+)\\?\"""", re.IGNORECASE)
"""Gemini's."""
_ELSEWHERE = re.compile(
    r"""Unknown name \\?"\w+\\?" at '(?!generation_?config)[^\n]*""", re.IGNORECASE
)
"""A name that is unknown at some other place is none of the request's own."""


def _objections(content: Any, nodes: list[dict[str, Any]]) -> Iterator[Objection]:
    """Yield what is objected to: by field where the body has one, else the text."""
    texts = [] if isinstance(content, dict | list) else [str(content)]
    for node in nodes:
        said = [node[name] for name in _WORDS if isinstance(node.get(name), str)]
        marks = [str(node[name]) for name in ("code", "type") if _is_mark(node.get(name))]
        text = " ".join([*said, *marks])
        fields = _fields(node)
        for name in fields:
            yield Objection(text, name)
        texts += [] if fields else said
        if isinstance(node.get("error"), str):
            texts.append(node["error"])
    for text in (_ELSEWHERE.sub("", text) for text in texts):
        listed = [*_REPR.finditer(text), *_UNKNOWN_NAME.finditer(text)]
        for match in listed:
            told = match.groupdict()
            yield Objection(
                f"{told.get('msg', 'unknown name')} {told.get('type', '')}", told["field"]
            )
        if not listed and text.lstrip()[:1] not in ("{", "["):
            yield Objection(text)


_NONE = ("", "None", "null")


def _fields(node: dict[str, Any]) -> list[str]:
    """Return the fields of the request that an object names."""
    place = node.get("loc")
    if isinstance(place, list) and place:
        inner = place[1:] if place[0] in ("body", "query") and len(place) > 1 else place
        return [str(inner[0])]
    named = node.get("param") or node.get("params") or node.get("field")
    listed = named if isinstance(named, list) else [named]
    return [
        re.split(r"[.\[]", name)[0]
        for name in listed
        if isinstance(name, str) and name not in _NONE
    ]


_STATUSES = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "bad_request": 400,
    "invalid_argument": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "notfounderror": 404,
    "model_not_found": 404,
    "unprocessableentityerror": 422,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "resource_exhausted": 429,
    "unavailable": 503,
    "overloaded_error": 529,
}
"""What the words that stand for a status mean, where an error came with the status 200."""


def _status_of(status: int, nodes: list[dict[str, Any]]) -> int:
    """Return the status, or what the body says where HTTP said that all is well."""
    if status != 200:
        return status
    told = [node[name] for node in nodes for name in _MARKS if _is_mark(node.get(name))]
    for value in told:
        if str(value).isascii() and str(value).isdigit() and 400 <= int(value) < 600:
            return int(value)
    named = (_STATUSES[str(value).lower()] for value in told if str(value).lower() in _STATUSES)
    return next(named, 500)


def _retry_in_body(nodes: list[dict[str, Any]]) -> float | None:
    """Read Gemini's ``"retryDelay": "34s"``."""
    for node in nodes:
        told = node.get("retryDelay")
        if isinstance(told, str) and told.endswith("s"):
            return _seconds(told[:-1])
    return None


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read when to ask again, in seconds from now; None where there is nothing to read.

    `retry-after-ms` (Azure, OpenAI) is the finest, then Retry-After in seconds or as an HTTP date,
    then the time at which a limit is full again (`x-ratelimit-reset…`), where one of them is used
    up: OpenAI writes ``1m30.5s``, GitHub seconds since 1970, OpenRouter milliseconds since 1970.
    """
    low = {name.lower(): value.strip() for name, value in headers.items()}
    now = now or datetime.now(UTC)
    if (fine := _seconds(low.get("retry-after-ms", ""))) is not None:
        return fine / 1000
    told = low.get("retry-after", "")
    if (plain := _seconds(told)) is not None:
        return plain
    if (dated := _date(told, now)) is not None:
        return dated
    waits = [_reset(low, name, now) for name in low if name.startswith("x-ratelimit-reset")]
    return max((wait for wait in waits if wait is not None), default=None)


def _seconds(text: str) -> float | None:
    """Read a finite number of seconds; nobody waits for less than none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= _LONGEST_WAIT else None


def _date(text: str, now: datetime) -> float | None:
    try:
        then = parsedate_to_datetime(text)
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return max(0.0, (then - now).total_seconds())
    except (ValueError, OverflowError):
        return None


_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")
_YEAR_2001 = 1e9
_MILLISECONDS = 1e11


def _reset(low: Mapping[str, str], name: str, now: datetime) -> float | None:
    """Read one limit's time of reset, unless something of that limit is left."""
    left = low.get(name.replace("reset", "remaining"))
    if left is not None and left != "0":
        return None
    told = low[name]
    try:
        value = float(told)
    except ValueError:
        match = _SPAN.fullmatch(told)
        if match is None or not told:
            return None
        scales = (86_400, 3_600, 60, 1, 0.001)
        try:
            value = sum(
                float(part or 0) * by for part, by in zip(match.groups(), scales, strict=True)
            )
        except ValueError:
            return None
    if not 0 <= value < 1e15:
        return None
    if value > _YEAR_2001:
        then = value / 1000 if value > _MILLISECONDS else value
        return max(0.0, then - now.timestamp())
    return value
