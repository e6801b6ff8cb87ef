"""A file of requests, read: each line one, by OpenAI's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from workspan.legible import one_line
from workspan.serve.batches.records import Line

_LONGEST_ID = 512
_MOST_ERRORS = 50
"""That are told of one file."""
_WRITTEN = re.compile(r"\S[^\n]*")
"""A line that is not blank: a file of blanks is read as quickly as any."""
_FORM = '{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": …}}'


class _Asked(msgspec.Struct):
    custom_id: str
    method: str
    url: str
    body: msgspec.Raw


class BadLine(Exception):
    """A line is no request."""

    def __init__(self, code: str, said: str, param: str | None = None) -> None:
        super().__init__(said)
        self.code, self.param = code, param


def read_lines(content: str, endpoint: str, most: int) -> tuple[list[Line], list[dict[str, Any]]]:
    """Return the requests of a file, and what is wrong with it; one of the two is empty."""
    lines: dict[str, Line] = {}
    errors: list[dict[str, Any]] = []
    number, before = 1, 0
    for found in _WRITTEN.finditer(content):
        number += content.count("\n", before, found.start())
        before = found.start()
        try:
            line = _line(found.group(), len(lines), endpoint)
            _check(line, lines, most)
        except BadLine as bad:
            errors.append(_error(bad.code, str(bad), bad.param, number))
            if len(errors) >= _MOST_ERRORS or bad.code == "too_many_lines":
                break
            continue
        lines[line.custom_id] = line
    if not lines and not errors:
        errors.append(
            _error("empty_file", f"the file holds no request: a line is {_FORM}", None, 1)
        )
    return ([], errors) if errors else ([*lines.values()], [])


def _check(line: Line, before: Mapping[str, Line], most: int) -> None:
    if line.custom_id in before:
        said = f"custom_id {one_line(line.custom_id, 80)!r} is there twice"
        raise BadLine("duplicate_custom_id", said, "custom_id")
    if len(before) >= most:
        raise BadLine("too_many_lines", f"a batch has at most {most} requests")


def _error(code: str, message: str, param: str | None, line: int) -> dict[str, Any]:
    return {"code": code, "message": one_line(message, 500), "param": param, "line": line}


def _line(text: str, place: int, endpoint: str) -> Line:
    """Read one request.

    Raises:
        BadLine: it is none.
    """
    try:
        asked = msgspec.json.decode(text, type=_Asked)
        body = msgspec.json.decode(asked.body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise BadLine("invalid_json_line", f"no request: {error}; a line is {_FORM}") from None
    if not 0 < len(asked.custom_id) <= _LONGEST_ID or not asked.custom_id.isprintable():
        said = f"custom_id has 1 to {_LONGEST_ID} characters, all of them printable"
        raise BadLine("invalid_custom_id", said, "custom_id")
    if asked.method != "POST":
        raise BadLine("invalid_method", "method must be POST", "method")
    if asked.url != endpoint:
        said = f"url must be the batch's endpoint, {endpoint}"
        raise BadLine("mismatched_url", said, "url")
    if not isinstance(body, dict):
        raise BadLine("invalid_request", "body must be an object", "body")
    if body.get("stream"):
        raise BadLine("invalid_request", "a line of a batch is not streamed", "stream")
    return Line(place, asked.custom_id, bytes(asked.body).decode())
