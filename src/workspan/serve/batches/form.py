"""The form by which a file is sent: ``multipart/form-data``, as browsers and SDKs write it."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.multipart import BadContentDispositionHeader, BadContentDispositionParam
from aiohttp.streams import StreamReader

from workspan.errors import InputError
from workspan.legible import one_line

for _odd in (BadContentDispositionHeader, BadContentDispositionParam):
    warnings.simplefilter("ignore", _odd)  # they would print what a client wrote
_MOST_FIELDS = 16
_LONGEST_VALUE = 1_000
_BUFFER = 1 << 16


@dataclass(slots=True)
class Form:
    """What was sent."""

    fields: dict[str, str] = field(default_factory=dict)
    name: str = ""
    """Of the file."""
    content: bytes | None = None
    """Of the file; None where there is none."""


async def read_form(kind: str, body: bytes) -> Form:
    """Read a form, in a thread of its own: a large one takes its time.

    Raises:
        InputError: it is none.
    """
    if not kind.lower().startswith("multipart/form-data"):
        raise InputError("the body must be multipart/form-data, with the fields file and purpose")
    return await asyncio.to_thread(asyncio.run, _read({"Content-Type": kind}, body))


async def _read(headers: Mapping[str, str], body: bytes) -> Form:
    stream = StreamReader(BaseProtocol(asyncio.get_running_loop()), _BUFFER)
    stream.feed_data(body)
    stream.feed_eof()
    found, parts = Form(), 0
    try:
        reader = MultipartReader(headers, stream)
        while (part := await reader.next()) is not None:
            parts += 1
            if not isinstance(part, BodyPartReader):
                raise InputError("the form holds a form")
            content = bytes(await part.read())
            if part.name == "file" and found.content is None:
                found.name, found.content = part.filename or "", content
            elif parts <= _MOST_FIELDS and len(content) <= _LONGEST_VALUE:
                found.fields[part.name or ""] = content.decode("utf-8", "replace")
            else:
                raise InputError("the form has more fields, or longer ones, than a file needs")
    except (HttpProcessingError, ValueError, RuntimeError, AssertionError, LookupError) as error:
        raise InputError(f"the body is no multipart/form-data: {one_line(str(error))}") from None
    return found
