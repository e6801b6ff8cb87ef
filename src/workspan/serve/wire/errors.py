"""What goes wrong, as a client is told: a status, and an object in the form that all read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

import msgspec

from workspan.errors import (
    BudgetExceeded,
    EngineError,
    InputError,
    KeyRefused,
    Refused,
    SpecError,
    StoreError,
    StoreGone,
    UnpricedModel,
    UnsupportedCapability,
    WorkspanError,
)
from workspan.legible import legible, one_line, quoted

_LONGEST = 1_500
"""Characters of a message."""
NEVER_AGAIN: Mapping[str, str] = {"x-should-retry": "false"}
"""Where asking again would be paid for twice: the SDKs of OpenAI and Anthropic obey it."""

_FIELD = re.compile(r"(?!it |that |this )([a-z_]+(?:\[\d+\]|\.[a-z_]+)*) (?:must|is|has|holds) ")
"""How an error begins that is about one field of a body: `messages[0].role is …`."""
_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class Failed(WorkspanError):
    """A request is not answered; says so in OpenAI's form."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "",
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """`kind` is the error's `type`; what the status suggests where it is empty.

        `details` are what a client of Messages goes by.
        """
        super().__init__(_shown(message))
        self.status = status
        self.code = code
        self.param = param
        self.kind = kind or _TYPES.get(status) or _kind(status)
        self.headers = dict(headers or {})
        self.details = dict(details or {})

    @property
    def value(self) -> dict[str, Any]:
        """The object that a client reads."""
        told = {"message": str(self), "type": self.kind, "param": self.param, "code": self.code}
        return {"error": told}

    @property
    def body(self) -> bytes:
        """The same, written."""
        return msgspec.json.encode(self.value)


def _shown(message: str) -> str:
    """Leave a pointer's lines as they are; everything else is one line."""
    if "\n" in message and len(message) <= _LONGEST:
        return legible(message)
    return one_line(message, _LONGEST)


def _kind(status: int) -> str:
    return "invalid_request_error" if status < 500 else "server_error"


def failed(error: BaseException) -> Failed:
    """Say any error of ours to a client; what is a bug says nothing of itself."""
    if isinstance(error, Failed):
        return error
    for kind, say in _SAYS.items():
        if isinstance(error, kind):
            return say(error)
    return Failed(500, "this is a bug in workspan: the log says where", code="bug")


def _key_refused(error: Any) -> Failed:
    return Failed(403 if error.code == "model_not_allowed" else 401, str(error), code=error.code)


_WORTH_WAITING = 60.0
"""Seconds. Told of more, some clients ask again at once, and others sleep in the call for hours."""


def _refused(error: Any) -> Failed:
    """Say that an account has no room; `Retry-After` only where waiting helps."""
    waits, said = error.retry_after, str(error)
    if waits is None:
        return Failed(429, said, code=error.code, headers=NEVER_AGAIN)
    if waits > _WORTH_WAITING:
        said = f"{said}; there is room again in {_span(waits)}"
        return Failed(429, said, code=error.code, headers=NEVER_AGAIN)
    return Failed(429, said, code=error.code, headers={"retry-after": str(max(1, ceil(waits)))})


def _span(seconds: float) -> str:
    hours, minutes = divmod(ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _store_gone(error: Any) -> Failed:
    return Failed(503, str(error), code="store_unreachable", headers={"retry-after": "1"})


def _exceeded(error: Any) -> Failed:
    return Failed(429, str(error), code="budget_exceeded", headers=NEVER_AGAIN)


def _as(status: int, code: str) -> Callable[[Any], Failed]:
    return lambda error: Failed(status, str(error), code=code)


def _input(error: Any) -> Failed:
    """Say what is wrong, and of which field, where the message begins with one."""
    field = None if isinstance(error, SpecError) else _FIELD.match(str(error))
    param = field.group(1) if field is not None else None
    return Failed(400, str(error), code="invalid_request", param=param)


def about(error: InputError, field: str) -> Failed:
    """Say what is wrong with a field that the error itself does not name."""
    said = failed(error)
    said.param = said.param or field
    return said


_SAYS: Mapping[type[WorkspanError], Callable[[Any], Failed]] = {
    InputError: _input,
    UnsupportedCapability: _as(400, "unsupported"),
    UnpricedModel: _as(400, "unpriced_model"),
    KeyRefused: _key_refused,
    Refused: _refused,
    BudgetExceeded: _exceeded,
    StoreGone: _store_gone,
    StoreError: _as(503, "store_error"),
    EngineError: _as(502, "upstream_error"),
    WorkspanError: _as(500, "error"),
}
"""The first row that fits."""


def too_large(limit: int) -> Failed:
    """Refuse a body."""
    return Failed(413, f"the body is larger than {limit} bytes", code="body_too_large")


def compressed(how: str) -> Failed:
    """Refuse a body that is to be unpacked first: nothing bounds what it would come to."""
    said = f"content-encoding {quoted(how)} is not read here: send the body as it is"
    return Failed(415, said, code="body_compressed")


def no_route(path: str) -> Failed:
    """Refuse an address."""
    hint = "see /openapi.json"
    if path.startswith("/v1/v1/"):
        hint = "the client adds /v1 by itself, leave it out of the base address"
    return Failed(404, f"there is nothing at {path}; {hint}", code="unknown_url")


def no_method(method: str, path: str, allowed: str) -> Failed:
    """Refuse a method."""
    said = f"{path} takes {allowed}, not {method}"
    return Failed(405, said, code="method_not_allowed", headers={"allow": allowed})


def no_model(model: str, hint: str) -> Failed:
    """Refuse a name of a model."""
    said = f"no model is named {one_line(model, 100)!r}: {hint}"
    return Failed(404, said, code="model_not_found", param="model")
