"""One upstream asked, up to the first token of its reply."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

import aiohttp
import msgspec

from workspan.data.budget import UNLIMITED
from workspan.engines.endpoint.complaints import Complaint, is_complaint, read_complaint
from workspan.engines.endpoint.wire import Event, decode_usual, read_event
from workspan.errors import EngineProtocolError
from workspan.protocol.chat_texts import text_alone
from workspan.protocol.speaking import Piece
from workspan.serve.relay import trouble
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.blocks import Blocks, Cutter, joined, parsed, written
from workspan.serve.relay.counts import Counts
from workspan.serve.relay.native import NATIVES, Native
from workspan.serve.relay.native.backward import Backward
from workspan.serve.relay.native.base import NamedCutter, as_object
from workspan.serve.relay.unread import unread
from workspan.serve.relay.upstream import Lessons, Posted, Server, at_most
from workspan.serve.wire.errors import NEVER_AGAIN
from workspan.serve.wire.exchange import Exchange

_REFUSAL_BYTES = 65_536
_EVENTS = (b"data:", b"event:", b":")
"""How a stream begins, whatever it is called."""
_TURNS = 4
"""Of the event loop, in which what has come is read: what comes later is decoded meanwhile."""
_LESSONS = 4
"""How often one request is asked in another way."""


@dataclass(slots=True)
class Attempt:
    """A reply that has begun."""

    server: Server
    passed: Passed
    counts: Counts
    cap: int | None
    response: aiohttp.ClientResponse | None = None
    cutter: Cutter = field(default_factory=Cutter)
    native: Native | None = None
    """Reads a reply that is in another dialect than Chat."""
    ahead: list[bytes] = field(default_factory=list)
    """Read to see that it begins well, and not handed on yet."""
    first: bytes = b""
    """The first event: it says by which id and name the others go."""
    usage: dict[str, Any] | None = None
    """The last that was told; it goes to the client at the end, or not at all."""
    whole: bytes = b""
    """A reply in one body."""
    value: dict[str, Any] = field(default_factory=dict)
    """The same, read, where it is in another dialect than Chat."""
    is_unread: bool = False
    """Such a body came, and can't be read: nothing tells how much was decoded."""
    has_ended: bool = False
    """The server said that it failed: it decodes no more."""
    failure: trouble.Missed | None = None
    """What went wrong after the events that were taken; nothing beyond it is read."""
    notices: list[str] = field(default_factory=list)
    came: int = 0
    """Bytes of a stream that were read."""
    unread: int = 0
    """Bytes that had come when it was hung up, and can't be read any more."""

    _pieces: list[Piece] = field(default_factory=list)
    """Events as they go to the client, since it was last asked for them."""
    _is_odd: bool = False
    """Others came among these, or it is a reply in another dialect."""
    _apart: Native | None = None
    """The same, and what is counted without being handed on."""
    backward: Backward | None = None
    """Puts a reply of another dialect into a chat's words."""

    def __post_init__(self) -> None:
        """Choose what reads the reply."""
        if self.passed.backward is not None:
            self.backward = Backward(self.passed.backward)
        made = NATIVES.get(self.passed.form)
        if made is not None:
            asked = self.passed.asked
            known = {"id": asked.id, "model": self.server.model or asked.model}
            keeps = asked.key is not None or asked.budget != UNLIMITED
            own = self.passed.cap
            is_lowered = self.cap is not None and (own is None or self.cap < own)
            self.native = made(known, keeps=keeps, lowered=self.cap if is_lowered else None)
            self.cutter = NamedCutter()

    async def ask(self, exchange: Exchange) -> float:
        """Ask, and wait for the first token, or for the whole reply; return the seconds it took.

        Raises:
            Missed: there is none.
        """
        began = perf_counter()
        before, exchange.waits_for = exchange.waits_for, "total"
        try:
            with exchange.within(self.server.first_byte):
                self.response = await self._answered()
                await self._begin(exchange)
        except TimeoutError:
            self.close()
            raise trouble.silent(self.server.name, self.server.first_byte) from None
        except BaseException:
            self.close()
            raise
        finally:
            exchange.waits_for = before
            took = perf_counter() - began
            exchange.upstream_seconds += took
            exchange.touch()
        return took

    async def _answered(self) -> aiohttp.ClientResponse:
        """Post until the upstream takes it, or refuses for good."""
        server, passed = self.server, self.passed
        known: Lessons | None = None
        for lesson in range(_LESSONS + 1):
            body = passed.written(server, self.cap)
            content = body.written()
            if self.backward is not None:
                content = self.backward.written(content)
            response = await self._post(content)
            if response.status == 200:
                self.notices = passed.left_out(server)
                return response
            content = await self._read(response, _REFUSAL_BYTES)
            told = read_complaint(response.status, content, server.secret, response.headers)
            known = known or server.lessons.copy()
            if lesson == _LESSONS or not server.lessons.learn(told, body, server.model):
                server.lessons.unlearn(known)
                raise trouble.refused(told, server.name, content, response.headers, server.secret)
        raise AssertionError  # the last lesson raises

    async def _post(self, body: bytes) -> aiohttp.ClientResponse:
        """Post; once more where a connection that had been used before was closed unread.

        llama.cpp closes each connection after a stream, its Keep-Alive header notwithstanding: no
        byte of a reply came, so that nothing was answered.
        """
        server, passed = self.server, self.passed
        for is_last in (False, True):
            posted = Posted()
            try:
                return await server.post(passed.path, body, passed.asked.headers, posted)
            except trouble.NOBODY_THERE as error:
                if is_last:  # whoever hung up is gone, and may have been at work
                    why = "the server hung up, and is not there any more"
                    raise trouble.broke(server.name, why) from None
                raise trouble.unreachable(server.name, error, server.secret) from None
            except trouble.LOST as error:
                if is_last or posted.is_first or isinstance(error, trouble.TAKEN):
                    why = trouble.words(error, server.secret)
                    raise trouble.broke(server.name, why) from None
        raise AssertionError  # the last try raises or returns

    async def _read(self, response: aiohttp.ClientResponse, limit: int) -> bytes:
        parts: list[bytes] = []
        try:
            content = await at_most(response, limit, parts)
        except trouble.LOST as error:
            came, whole = sum(map(len, parts)), response.content_length
            why = trouble.words(error, self.server.secret, came, whole)
            raise trouble.broke(self.server.name, why) from None
        if len(content) > limit:
            response.close()
            if response.status == 200:
                raise trouble.broke(self.server.name, f"a reply of more than {limit} bytes")
        return content

    async def _begin(self, exchange: Exchange) -> None:
        response = self.response
        assert response is not None
        if response.content_type == "text/html":
            raise trouble.broke(self.server.name, "a web page came, not a completion")
        if self.passed.is_streamed and response.content_type != "application/json":
            await self._first_token()
            return
        self.is_unread = True  # until it is here
        self.whole = await self._read(response, exchange.limits.reply_bytes)
        self.is_unread = False
        if self.backward is not None:
            self.whole = self.backward.whole(self.whole)
        if self.passed.is_streamed and self.whole.lstrip().startswith(_EVENTS):
            self.whole, told = b"", self.whole
            self.ahead.append(self.events(told))
            await self._first_token()
        else:
            self._check_whole()

    def _check_whole(self) -> None:
        """See that a reply is one.

        Raises:
            Missed: it is an error, or no JSON.
        """
        if self.native is not None:
            self._check_native(self.native)
            return
        usual = decode_usual([self.whole])
        is_embedding = self.passed.form == "embedding"
        if usual is not None and not usual[0].error and (usual[0].choices or is_embedding):
            self.counts.take(usual)
            return
        try:
            value = msgspec.json.decode(self.whole)
            event = None if is_embedding else read_event(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError):
            self.is_unread = True
            raise trouble.broke(self.server.name, "what came is no completion") from None
        if is_complaint(value) or (event is not None and event.error):
            raise self._said(value)
        if event is not None:
            if not event.choices:
                raise trouble.broke(self.server.name, "a reply without a choice")
            self.counts.take([event])

    def _check_native(self, native: Native) -> None:
        """See that a reply in another dialect is one.

        Raises:
            Missed: it is an error, or none.
        """
        try:
            value = self.value = as_object(self.whole)
            status = value.get("status")
            if is_complaint(value) or (status == "failed" and value.get("error")):
                raise self._said(value)
            event = native.whole(value)
        except EngineProtocolError:
            self.is_unread = True
            raise trouble.broke(self.server.name, "what came is no reply") from None
        if self.passed.is_streamed:
            raise trouble.broke(self.server.name, "a whole reply came in the place of a stream")
        self.counts.take([event])

    def _native(self, native: Native, blocks: Blocks) -> bytes:
        """Count events of another dialect; return what of them goes to the client."""
        try:
            heard = native.hear(blocks)
        except EngineProtocolError as error:
            self.failure = trouble.broke(self.server.name, str(error))
            return b""
        if heard.events:
            self.counts.take(heard.events)
        if heard.error is not None:
            self.failure = self._said(heard.error)
        self.cutter.is_done |= heard.is_over
        return heard.written

    async def _first_token(self) -> None:
        """Read up to the first token, an end, or what shows that none will come."""
        while not self.counts.has_spoken and not self.cutter.is_done:
            received = await self.read()
            if out := self.events(received):
                self.ahead.append(out)
            if self.failure is not None:
                raise self.failure
            if not self.counts.has_spoken and (self.cutter.is_done or not received):
                raise trouble.broke(self.server.name, "the stream ended before its first token")

    async def read(self) -> bytes:
        """Return what came next of a stream; nothing is its end.

        Raises:
            Missed: the connection broke.
        """
        assert self.response is not None  # it has begun
        try:
            while received := await self.response.content.readany():
                self.came += len(received)
                if (out := self._heard(received)) or self.backward is None:
                    return out
            return b""
        except EngineProtocolError as error:
            raise trouble.broke(self.server.name, str(error)) from None
        except trouble.LOST as error:
            why = trouble.words(error, self.server.secret, self.came)
            raise trouble.broke(self.server.name, why) from None

    def _count_apart(self, received: bytes) -> None:
        """Count what is not handed on: how a reply stands is as its client has seen it."""
        shown = self.native
        if self._apart is None:
            self._apart = deepcopy(shown)
        self.native = self._apart
        try:
            self.events(received)
        finally:
            self.native = shown

    def _heard(self, received: bytes) -> bytes:
        """Return what came as a chat's, whatever dialect it came in."""
        return received if self.backward is None else self.backward.feed(received)

    async def catch_up(self) -> None:
        """Let what has come be read, before it is hung up."""
        for _ in range(_TURNS):
            if self.response is None or not unread(self.response):
                return
            self._take_unread()
            await asyncio.sleep(0)

    def _take_unread(self) -> None:
        """Count what the client library has read, and nobody here."""
        assert self.response is not None
        with suppress(*trouble.LOST, EngineProtocolError):
            if received := self.response.content.read_nowait():
                self.came += len(received)
                if told := self._heard(received):
                    self._count_apart(told)

    def events(self, received: bytes) -> bytes:
        """Count what came; return what goes to the client. What goes wrong is `failure`."""
        try:
            blocks = self.cutter.feed(received) if received else self.cutter.end()
        except EngineProtocolError as error:
            self.failure = trouble.broke(self.server.name, str(error))
            return b""
        contents = blocks.contents
        if not contents:
            return b""
        if self.native is not None:
            self._is_odd = True
            return self._native(self.native, blocks)
        if not self.first:
            self.first = contents[0]
        texts = [text_alone(content) for content in contents]
        if all(texts) and not blocks.is_error:
            plain = cast("list[str]", texts)
            self._pieces.append(plain)
            self.counts.take([plain])
            return blocks.raw or joined(contents)
        rest = [c for c, text in zip(contents, texts, strict=True) if text is None]
        events = None if blocks.is_error else decode_usual(rest)
        if events is None or any(event.error for event in events):
            return self._one_by_one(blocks)
        told = _in_order(texts, events)
        self.counts.take(told)
        odd = [*map(is_odd, events)]
        found = zip(rest, odd, strict=True)
        others = iter([self._for_client(c, parsed(c)) if one else joined([c]) for c, one in found])
        pieces = [one if isinstance(one, list) else next(others) for one in told]
        self._pieces += pieces
        return _joined(contents, pieces) if any(odd) else blocks.raw or joined(contents)

    def pieces(self) -> list[Piece] | None:
        """Return what the events that go to the client were read as, since the last time.

        None where nobody has read them so.
        """
        found = None if self._is_odd else self._pieces
        self._pieces, self._is_odd = [], False
        return found

    def _one_by_one(self, blocks: Blocks) -> bytes:
        """Take events of which one at least is not as most are, up to one that is an error."""
        self._is_odd = True
        found = []
        for content in blocks.contents:
            if blocks.is_error and content is blocks.contents[-1]:
                self.failure = self._said(content)
                break
            try:
                value = parsed(content)
                event = read_event(value)
            except (EngineProtocolError, TypeError) as error:
                self.failure = trouble.broke(self.server.name, f"malformed stream: {error}")
                break
            if event.error:
                self.failure = self._said(value)
                break
            self.counts.take([event])
            found.append(self._for_client(content, value))
        return b"".join(found)

    def _for_client(self, content: bytes, value: Any) -> bytes:
        """Write an event: as it came, unless it holds what breaks clients, or usage.

        Usage is kept for the end. A `delta` that is null breaks several clients.
        """
        if not isinstance(value, dict):
            return b"data: %b\n\n" % written(value)
        choices = [one for one in value.get("choices") or () if isinstance(one, dict)]
        holders = [value, *choices]
        found = [told for one in holders if isinstance(told := one.get("usage"), dict)]
        nulls = [one for one in choices if "delta" in one and one["delta"] is None]
        if not found and not nulls and b"\n" not in content:
            return b"data: %b\n\n" % content
        for one in nulls:
            one["delta"] = {}
        if found:
            self.usage = found[-1]
            for one in holders:
                one.pop("usage", None)
            if not choices:
                return b""
        return b"data: %b\n\n" % written(value)

    def _said(self, body: Any) -> trouble.Missed:
        """Return what the server said in the place of an answer."""
        told: Complaint = read_complaint(200, body, self.server.secret)
        missed = trouble.inside(told, self.server.name, body, self.server.secret)
        if self.counts.has_spoken:
            missed.failed.headers.update(NEVER_AGAIN)
        return missed

    def close(self) -> None:
        """Hang up, unless all was read: the server stops decoding. What has come is counted."""
        if self.response is None:
            return
        is_stream = self.passed.is_streamed and not self.whole and not self.is_unread
        if is_stream and self.response.status == 200 and self.failure is None:
            self._take_unread()
            self.unread = self.unread or unread(self.response)
        if not self.response.closed:
            self.response.close()

    @property
    def unread_tokens(self) -> int:
        """Tokens of what was hung up unread, by what those before it took."""
        seen = self.counts.seen
        return 0 if not self.unread else 1 + self.unread * seen // max(1, self.came)


def _in_order(texts: list[str | None], events: Sequence[Event]) -> list[Event | list[str]]:
    """Put runs of texts and the events among them, which have no text here, in one row."""
    others, told, run = iter(events), list[Event | list[str]](), list[str]()
    for text in texts:
        if text is not None:
            run.append(text)
            continue
        if run:
            told.append(run)
            run = []
        told.append(next(others))
    return [*told, run] if run else told


def _joined(contents: list[bytes], pieces: list[Piece]) -> bytes:
    """Write pieces: those of text by the contents that they were read of."""
    out, place = list[bytes](), 0
    for piece in pieces:
        if isinstance(piece, bytes):
            out.append(piece)
            place += 1
        else:
            out.append(joined(contents[place : place + len(piece)]))
            place += len(piece)
    return b"".join(out)


def is_odd(event: Event) -> bool:
    """Tell an event that is not passed on as it came: it holds usage, or what breaks clients."""
    if event.usage is not None:
        return True
    for choice in event.choices:
        if choice.usage is not None or (choice.delta is None and choice.text is None):
            return True
    return False
