"""What became of a batch's lines, as the files of its results hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from workspan.serve.batches.records import Batch, Line, Status

Kind: TypeAlias = Literal["output", "error"]
"""Of a file of results: replies that are answers, and all others."""

KINDS: tuple[Kind, ...] = ("output", "error")

_UNANSWERED: Mapping[str, tuple[str, str]] = {
    "expired": ("batch_expired", "this request was not answered before its batch expired"),
    "cancelled": ("batch_cancelled", "the batch was cancelled before this request was asked"),
}


def written(batch: Batch, line: Line, status: Status) -> bytes:
    """Write one line of a file of results of a batch that ended so."""
    response, error = None, None
    if line.status is None:
        code, said = _UNANSWERED.get(status, ("not_answered", "it is not answered yet"))
        error = {"code": code, "message": said}
    else:
        response = {
            "status_code": line.status,
            "request_id": line.request,
            "body": msgspec.Raw(line.reply.encode()),
        }
    value = {
        "id": f"batch_req_{batch.id.removeprefix('batch_')}_{line.place}",
        "custom_id": line.custom_id,
        "response": response,
        "error": error,
    }
    return msgspec.json.encode(value) + b"\n"


def kind_of(line: Line) -> Kind:
    """Say in which file a line stands."""
    return "output" if line.is_answer else "error"
