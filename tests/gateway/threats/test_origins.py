"""Sites whose pages may ask: those that the operator names, and nobody reads his own pages."""

from __future__ import annotations

import pytest

from gateway.rig import ASK, Gate, Got, Scripted, gate, replies, run, whole
from workspan.errors import InputError
from workspan.serve.config import Config
from workspan.serve.options import configured
from workspan.serve.wire.origin import checked_origin

SITE, OTHER = "https://app.example", "https://evil.example"
WANTS = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
}


async def preflight(gw: Gate, origin: str, path: str = "/chat/completions") -> Got:
    headers = {"Origin": origin, **WANTS}
    async with gw.client.options(gw.url + path, headers=headers) as reply:
        return Got(reply.status, reply.headers, await reply.read())


def test_a_named_site_asks_and_reads() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, origins=(SITE,)) as gw,
        ):
            told = await preflight(gw, SITE)
            assert (told.status, told.body) == (200, b"")
            assert told.headers["access-control-allow-origin"] == SITE
            assert told.headers["access-control-allow-methods"] == "POST"
            assert (
                told.headers["access-control-allow-headers"]
                == WANTS["Access-Control-Request-Headers"]
            )
            got = await gw.post(ASK, headers={"Origin": SITE})
            assert (got.status, got.headers["access-control-allow-origin"]) == (200, SITE)
            assert got.headers["vary"] == "origin"
            wrong = await gw.post({"model": "none", "messages": []}, headers={"Origin": SITE})
            assert (wrong.status, wrong.headers["access-control-allow-origin"]) == (404, SITE)

    run(main)


def test_another_site_does_neither() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, origins=(SITE,)) as gw,
        ):
            for origin in (OTHER, f"{SITE}.evil.example", "null", f"{SITE}:8443"):
                told = await preflight(gw, origin)
                assert told.status == 405
                assert "access-control-allow-origin" not in told.headers
                got = await gw.post(ASK, headers={"Origin": origin})
                assert got.status == 403
                assert "access-control-allow-origin" not in got.headers
            assert not up.seen

    run(main)


def test_no_site_is_named_unless_the_operator_does() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            assert (await preflight(gw, SITE)).status == 405

    run(main)


def test_the_operator_s_own_pages_are_read_by_no_site() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url, origins=(SITE,)) as gw:
            for path in ("/", "/metrics"):
                async with gw.client.get(gw.root + path, headers={"Origin": SITE}) as reply:
                    assert reply.status == 200
                    assert "access-control-allow-origin" not in reply.headers

    run(main)


def test_hostile_headers_are_not_repeated() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url, origins=(SITE,)) as gw:
            headers = {"Origin": SITE, "Access-Control-Request-Headers": "x: y; <b>"}
            async with gw.client.options(f"{gw.url}/models", headers=headers) as reply:
                said = reply.headers["access-control-allow-headers"]
                assert said == "authorization, content-type"

    run(main)


@pytest.mark.parametrize(
    "text", ["app.example", "https://app.example/", "https://", "https://a b", "https://u@h", ""]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no origin"):
        checked_origin(text)


def test_all_sites_may_ask_where_keys_are_kept_alone(tmp_path: object) -> None:
    assert checked_origin("HTTPS://App.example:8443") == "https://app.example:8443"
    with pytest.raises(InputError, match="keep keys"):
        configured(["http://127.0.0.1:1/v1"], ["m"], origins=["*"])
    told = configured(["http://127.0.0.1:1/v1"], ["m"], origins=["*"], store=f"{tmp_path}/k.db")
    assert isinstance(told, Config)
