"""Paths, queries and headers: none reaches a file, none becomes a header, none is said back raw."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from gateway.rig import ASK, Scripted, gate, piece, replies, run, streams, upstream, whole
from gateway.wires import head, send
from gateway.wires import whole as request
from workspan.errors import InputError
from workspan.serve.config import Config, Limits, Upstream

PATHS = (
    *("/../../etc/passwd", "/_/../../../pyproject.toml", "/_/%2e%2e/%2e%2e/config.py"),
    *("/_/page.js%00.html", "/_/page.js/../../routes.py", "//_/page.js", "/_//page.js"),
    *("/_/..%2froutes.py", "/_/..\\routes.py", "/_/PAGE.JS", "/_/index.html", "/_/", "/_"),
    *("/v1/models/../../etc/passwd", "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
    *("/v1/models/' OR 1=1 --", "/v1/models/<script>alert(1)</script>", "/v1//models"),
    *("/v1/models/%0d%0aX-Evil:%201", "/metrics/../v1/models", "/;/metrics", "/.git/config"),
)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_one_of_a_table_or_none(path: str) -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            got = await send(gw, head(path, method="GET"))
            assert got.status in (0, 400, 404), got.data
            assert b"root:" not in got.data
            assert b"import " not in got.data
            top = got.data.partition(b"\r\n\r\n")[0].lower()
            assert b"x-evil" not in top
            if got.status:
                assert b"content-type: application/json" in top
            if got.status == 404:
                assert b"x-content-type-options: nosniff" in top
            assert not up.seen

    run(main)


def test_a_query_changes_nothing_and_is_told_to_nobody() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            query = "?model=other&key=SECRET&workspan=x&url=http://127.0.0.1:9/#fragment"
            assert (await gw.post(ASK, path=f"/chat/completions{query}")).status == 200
            assert up.seen[0].path == "/v1/chat/completions"
            assert "SECRET" not in str((await gw.record()).line)
            got = await send(gw, head("http://evil.example/v1/models", method="GET"))
            assert got.status in (200, 400, 404)  # an absolute address is ours, not a proxy's
            got = await send(gw, head("evil.example:443", method="CONNECT"))
            assert got.status in (0, 400, 404, 405)

    run(main)


def test_names_from_an_upstream_are_no_headers() -> None:
    evil = "m\r\nX-Evil: 1\r\n\r\n<script>"

    async def main() -> None:
        told = whole()
        told |= {"id": evil, "model": evil, "system_fingerprint": evil}
        for answer in (
            replies(told, headers={"X-Request-Id": "up-1", "Set-Cookie": "a=b", "X-Up": "1"}),
            replies({"error": {"message": evil, "code": evil, "type": evil, "param": evil}}, 400),
            replies({"error": {"message": evil}}, 429, headers={"Retry-After": "1;x" * 40}),
            streams(piece({"content": "4"}, model=evil) + piece({}, "stop")),
        ):
            async with Scripted(answer).serve() as up, gate(up.url) as gw:
                for body in (b"", b',"stream":true'):
                    got = await send(
                        gw,
                        request(
                            b'{"model":"m","messages":[{"role":"user",'
                            b'"content":"hi"}]' + body + b"}"
                        ),
                    )
                    top = got.data.partition(b"\r\n\r\n")[0].lower()
                    assert b"x-evil" not in top
                    assert b"set-cookie" not in top
                    assert b"x-up" not in top
                    assert b"text/html" not in top
                    assert len(got.statuses) == 1

    run(main)


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1", "a\nb", "a b", "a\x00", "", "é", "a" * 200])
def test_an_engine_s_name_can_not_hold_a_header(name: str) -> None:
    with pytest.raises(InputError, match="an engine is named"):
        Config((Upstream(name, "http://127.0.0.1:9/v1", "m"),))


@pytest.mark.parametrize("value", ["a\x01b", "a\x7fb", "a\tb", "é", "a\x80b", "00-" + "a" * 600])
def test_a_strange_header_of_a_client_breaks_nothing(value: str) -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            for name in ("traceparent", "Idempotency-Key", "X-Title", "Workspan-Budget"):
                body = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
                got = await send(gw, request(body, f"{name}: {value}"))
                assert got.status in (0, 200, 400), (name, got.data)

    run(main)


def bomb() -> bytes:
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(64)]
    return b"".join(parts) + packer.flush()


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_compressed_reply_is_bounded_by_what_it_unpacks_to(is_stream: bool) -> None:
    packed = bomb()
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) == 64 << 20

    async def main() -> None:
        kind = "text/event-stream" if is_stream else "application/json"
        limits = Limits(reply_bytes=2 << 20, drain_seconds=1)
        told: dict[str, Any] = {"headers": {"Content-Encoding": "gzip"}, "kind": kind}
        async with (
            Scripted(replies(packed, **told)).serve() as up,
            gate(upstream(up.url), limits=limits) as gw,
        ):
            for model in ("m", "m:self_consistency(n=1)"):
                got = await gw.ask(model=model, stream=is_stream)
                is_told = got.status == 502 or b'"error"' in got.body
                assert is_told, got
                assert len(got.body) < 5_000
            assert up.seen[0].headers["accept-encoding"] == "identity"

    run(main)


FOREIGN = (
    "http://evil.example",
    "https://evil.example:8080",
    "null",
    "http://127.0.0.1.evil.example",
)
LOCAL = ("http://localhost:3000", "http://127.0.0.1:8080", "app://chat", "file://")


def test_a_site_s_form_can_not_spend_where_no_key_is_kept() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            for origin in FOREIGN:
                headers = {"Origin": origin, "Content-Type": "text/plain"}
                got = await gw.post(ASK, headers=headers)
                assert (got.status, got.error["code"]) == (403, "foreign_origin"), origin
            assert not up.seen
            for origin in LOCAL:
                assert (await gw.post(ASK, headers={"Origin": origin})).status == 200, origin
            got = await gw.post(ASK)
            assert "access-control-allow-origin" not in got.headers

    run(main)
