"""Who sees the page, its feed and the figures."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from gateway.rig import Scripted, gate, replies, run, whole
from workspan.errors import InputError
from workspan.serve.config import Config, Limits, Upstream
from workspan.serve.options import configured
from workspan.serve.seeing.access import Access
from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange

ADMIN = "an-admin-key-of-32-characters-00"
SEEN = ("/", "/_/page.js", "/_/page.css", "/_/drawing.js", "/_/icon.svg", "/_/events", "/metrics")


def exchange(client: Any, host: str = "127.0.0.1:8080", **headers: str) -> Exchange:
    told = {"host": host, **headers}
    scope: dict[str, Any] = {
        "type": "http",
        "path": "/",
        "method": "GET",
        "client": client,
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in told.items()],
    }

    async def none(*_: Any) -> None:
        return None

    return Exchange(scope, none, none, Limits(), "req-1")


async def passes(access: Access, one: Exchange) -> int:
    try:
        access.check(one)
    except Failed as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("client", "host", "headers", "status"),
    [
        (("127.0.0.1", 5), "127.0.0.1:8080", {}, 200),
        (("127.0.0.1", 5), "localhost:8080", {}, 200),
        (("127.9.9.9", 5), "LOCALHOST", {}, 200),
        (("::1", 5), "[::1]:8080", {}, 200),
        (("::ffff:127.0.0.1", 5), "127.0.0.1", {}, 200),
        (("10.0.0.7", 5), "127.0.0.1:8080", {}, 403),
        (("::ffff:10.0.0.7", 5), "localhost", {}, 403),
        (None, "localhost", {}, 403),
        (("", 0), "localhost", {}, 403),
        (("127.0.0.1", 5), "rebound.example:8080", {}, 403),
        (("127.0.0.1", 5), "127.0.0.1.example.org", {}, 403),
        (("127.0.0.1", 5), "localhost.example.org", {}, 403),
        (("127.0.0.1", 5), "", {}, 403),
        (("127.0.0.1", 5), "localhost", {"x_forwarded_for": "8.8.8.8"}, 403),
        (("127.0.0.1", 5), "localhost", {"x_forwarded_for": "127.0.0.1"}, 403),
        (("127.0.0.1", 5), "localhost", {"forwarded": "for=127.0.0.1"}, 403),
        (("127.0.0.1", 5), "localhost", {"via": "1.1 balancer"}, 403),
    ],
)
def test_without_a_key_this_machine_alone_sees_it(
    client: Any, host: str, headers: dict[str, str], status: int
) -> None:
    async def main() -> None:
        assert await passes(Access(), exchange(client, host, **headers)) == status

    asyncio.run(main())


def basic(password: str, user: str = "any") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (f"Bearer {ADMIN}", 200),
        (f"bearer  {ADMIN} ", 200),
        (basic(ADMIN), 200),
        (basic(ADMIN, ""), 200),
        ("", 401),
        (ADMIN, 401),
        (f"Bearer {ADMIN}x", 401),
        (f"Bearer {ADMIN[:-1]}", 401),
        ("Bearer ", 401),
        (basic(""), 401),
        (basic("x", ADMIN), 401),
        ("Basic %%%", 401),
        ("Basic " + "A" * 5_000, 401),
        ("Basic /////w==", 401),
        (f"Digest {ADMIN}", 401),
    ],
)
def test_with_a_key_everybody_needs_it_here_too(told: str, status: int) -> None:
    async def main() -> None:
        one = exchange(("127.0.0.1", 5), authorization=told)
        assert await passes(Access(ADMIN), one) == status
        far = exchange(("10.0.0.7", 5), "gateway.example", authorization=told)
        assert await passes(Access(ADMIN), far) == status

    asyncio.run(main())


def test_a_key_that_can_be_guessed_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InputError, match="16 to"):
        Access("short")
    monkeypatch.setenv("ADMIN", "short")
    engine = ["http://127.0.0.1:9/v1"]
    with pytest.raises(InputError, match="characters"):
        configured(engine, ["m"], admin_key_env="ADMIN")
    with pytest.raises(InputError, match="no ABSENT_VARIABLE"):
        configured(engine, ["m"], admin_key_env="ABSENT_VARIABLE")
    monkeypatch.setenv("ADMIN", ADMIN)
    config = configured(engine, ["m"], admin_key_env="ADMIN")
    assert config.admin_key == ADMIN
    assert ADMIN not in repr(config)


def test_page_feed_and_figures_refuse_others_and_clients_go_on() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, admin_key=ADMIN) as gw,
        ):
            for path in SEEN:
                got = await gw.get(path)
                assert (got.status, got.error["code"]) == (401, "admin_only"), path
                assert got.headers["www-authenticate"].startswith("Basic ")
                assert ADMIN.encode() not in got.body
                headers = {"Authorization": f"Bearer {ADMIN}"}
                async with gw.client.get(gw.root + path, headers=headers) as reply:
                    assert reply.status == 200, path
            assert (await gw.ask()).status == 200
            assert (await gw.get("/healthz")).status == 200
            assert (await gw.get("/readyz")).status == 200

    run(main)


def test_a_client_s_key_is_no_admin_s() -> None:
    config = Config((Upstream("up", "http://127.0.0.1:9/v1", "m"),), admin_key=ADMIN)
    access = Access(config.admin_key)

    async def main() -> None:
        one = exchange(("10.0.0.7", 5), authorization="Bearer wsk-abcdefghijkl-" + "x" * 43)
        assert await passes(access, one) == 401
        one = exchange(("10.0.0.7", 5), x_api_key=ADMIN)
        assert await passes(access, one) == 401

    asyncio.run(main())
