"""A client: asks, reads to the end or hangs up on its way, and says what it got."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import aiohttp

from workspan.testing.gateway_fuzz.case import Ask

Ending: TypeAlias = Literal["answered", "refused", "died", "torn", "left", "hung"]
"""answered: whole; refused: an error in its place; died: a stream that ends with an error; torn: it
ends without a word; left: the client hung up; hung: nothing went on."""
_DONE = b"data: [DONE]\n\n"
_COMMENT = b": keep-alive"
MODEL = "m"
PATIENT = aiohttp.ClientTimeout(total=None)
"""Whether anything goes on is looked at elsewhere."""


@dataclass(slots=True)
class Got:
    """What became of one request."""

    ask: Ask
    ending: Ending = "hung"
    status: int = 0
    value: Any = None
    """A whole reply or an error."""
    events: list[Any] = field(default_factory=list)
    why: str = ""
    """It is torn."""
    is_malformed: bool = False

    @property
    def error(self) -> Mapping[str, Any]:
        """What it says went wrong."""
        last = self.events[-1] if self.ending == "died" and self.events else self.value
        found = last.get("error") if isinstance(last, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def told(self) -> Mapping[str, Any]:
        """Its ``workspan`` object; empty where there is none."""
        values = self.events if self.ask.is_streamed else [self.value]
        found = [one["workspan"] for one in values if isinstance(one, dict) and "workspan" in one]
        return found[-1] if found else {}

    @property
    def choices(self) -> list[Any]:
        """All choices, or pieces of them."""
        values = self.events if self.ask.is_streamed else [self.value]
        return [
            choice
            for one in values
            if isinstance(one, dict)
            for choice in one.get("choices") or ()
            if isinstance(choice, dict)
        ]

    @property
    def finishes(self) -> set[str]:
        """How its choices say that they ended."""
        return {str(c["finish_reason"]) for c in self.choices if c.get("finish_reason")}


def body(ask: Ask) -> dict[str, Any]:
    """Write a request."""
    model = f"{MODEL}:{ask.way}" if ask.way else MODEL
    value: dict[str, Any] = {"model": model}
    prompt = f"What is 2 + 2? {ask.tag}"
    if ask.path == "completions":
        value["prompt"] = prompt
    else:
        value["messages"] = [{"role": "user", "content": prompt}]
    if ask.is_streamed:
        value["stream"] = True
    if ask.wants_usage:
        value["stream_options"] = {"include_usage": True}
    if ask.cap is not None:
        value["max_tokens"] = ask.cap
    if ask.n > 1:
        value["n"] = ask.n
    if ask.budget is not None:
        value["workspan"] = {"budget": f"{ask.budget} work"}
    return value


async def send(
    session: aiohttp.ClientSession, url: str, key: str, ask: Ask, got: Got, read: Callable[[], None]
) -> None:
    """Ask, and read all there is; `read` is called at each piece."""
    data = json.dumps(body(ask)).encode()
    headers = {"Authorization": f"Bearer {key}"}
    content = b""
    try:
        async with session.post(f"{url}/{ask.path}", data=data, headers=headers) as reply:
            got.status = reply.status
            is_stream = reply.content_type == "text/event-stream"
            async for part in reply.content.iter_any():
                content += part
                if not part.startswith(_COMMENT):  # the gateway's own sign of life is no progress
                    read()
    except (aiohttp.ClientError, ConnectionError) as error:
        got.ending, got.why = "torn", f"{type(error).__name__}: {error}"
        got.events = _events(content, got)
        return
    _whole(got, content, is_stream=is_stream)


def _whole(got: Got, content: bytes, *, is_stream: bool) -> None:
    if is_stream and got.status == 200:
        got.events = _events(content, got)
        last = got.events[-1] if got.events else None
        if content.endswith(_DONE):
            got.ending = "answered"
        elif isinstance(last, dict) and last.get("error"):
            got.ending = "died"
        else:
            got.ending, got.why = "torn", f"ends with {content[-60:]!r}"
        return
    with suppress(ValueError):
        got.value = json.loads(content)
    if not isinstance(got.value, dict):
        got.is_malformed = True
        got.value = {}
    got.ending = "answered" if got.status == 200 else "refused"


def _events(content: bytes, got: Got) -> list[Any]:
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    found = []
    for line in lines:
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or data in (b"[DONE]", b""):
            continue
        try:
            found.append(json.loads(data))
        except ValueError:
            got.is_malformed = True
    return found


async def leave(
    session: aiohttp.ClientSession,
    url: str,
    key: str,
    ask: Ask,
    got: Got,
    read: Callable[[], None],
    enough: asyncio.Event,
) -> None:
    """Ask, and hang up once it is enough, unless all has come before."""
    asking = asyncio.create_task(send(session, url, key, ask, got, read))
    waiting = asyncio.create_task(enough.wait())
    try:
        await asyncio.wait([asking, waiting], return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            got.ending = "left"
    finally:
        waiting.cancel()
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
