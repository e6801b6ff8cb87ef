"""Two servers that read one request differently: what can be read in two ways is refused."""

from __future__ import annotations

import pytest

from gateway.rig import Scripted, gate, replies, run
from gateway.rig import whole as told
from gateway.wires import BODY, head, send

CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
LENGTH = f"Content-Length: {len(BODY)}"
AMBIGUOUS = {
    "length and chunks": (LENGTH, "Transfer-Encoding: chunked"),
    "chunks and length": ("Transfer-Encoding: chunked", LENGTH),
    "two lengths": (LENGTH, f"Content-Length: {len(BODY) + 1}"),
    "a signed length": (f"Content-Length: +{len(BODY)}",),
    "a negative length": ("Content-Length: -1",),
    "a length in hexadecimal": ("Content-Length: 0x10",),
    "a list of lengths": (f"Content-Length: {len(BODY)}, {len(BODY)}",),
    "a length that overflows": ("Content-Length: 99999999999999999999999",),
    "chunks twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "chunks not last": ("Transfer-Encoding: chunked, identity",),
    "chunks by another name": ("Transfer-Encoding: xchunked",),
    "a space before the colon": ("Transfer-Encoding : chunked",),
    "a folded line": ("X-A: b", " Transfer-Encoding: chunked"),
    "a name with a control": ("Transfer-Encoding\x00: chunked",),
}


@pytest.mark.parametrize("lines", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused(lines: tuple[str, ...]) -> None:
    async def main() -> None:
        async with Scripted(replies(told())).serve() as up, gate(up.url) as gw:
            hidden = head("/v1/models", method="GET")
            got = await send(gw, head("/v1/chat/completions", *lines), CHUNKED, hidden)
            assert got.statuses[:1] in ([400], []), got.data
            assert len(got.statuses) <= 1, got.data  # the hidden request is not answered
            assert not up.seen

    run(main)


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n",
        b"-1\r\n",
        b"fffffffffffffffff\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
    ],
)
def test_chunks_are_as_they_should_be_or_nothing(chunks: bytes) -> None:
    async def main() -> None:
        async with Scripted(replies(told())).serve() as up, gate(up.url) as gw:
            got = await send(gw, head("/v1/chat/completions", "Transfer-Encoding: chunked"), chunks)
            assert got.status in (0, 400), got.data
            assert not up.seen

    run(main)


def test_chunks_alone_are_read() -> None:
    async def main() -> None:
        async with Scripted(replies(told())).serve() as up, gate(up.url) as gw:
            got = await send(
                gw, head("/v1/chat/completions", "Transfer-Encoding: chunked"), CHUNKED
            )
            assert got.status == 200
            assert up.seen[0].body.startswith(b'{"model"')

    run(main)


def test_a_refused_request_ends_its_connection() -> None:
    """What follows it could be a part of it."""

    async def main() -> None:
        async with Scripted(replies(told())).serve() as up, gate(up.url) as gw:
            twice = (
                head("/v1/chat/completions", "Content-Length: 5", "Content-Length: 6") + b"hello"
            )
            got = await send(gw, twice + head("/v1/models", method="GET"))
            assert got.statuses == [400]

    run(main)


def test_the_upstream_is_sent_one_length_of_our_own() -> None:
    async def main() -> None:
        async with Scripted(replies(told())).serve() as up, gate(up.url) as gw:
            headers = {"Connection": "close, X-Evil", "TE": "trailers", "X-Evil": "1"}
            await gw.post(BODY, headers=headers)
            seen = up.seen[0].headers
            assert seen["content-length"] == str(len(up.seen[0].body))
            assert "transfer-encoding" not in seen
            assert "x-evil" not in seen
            assert "te" not in seen

    run(main)
