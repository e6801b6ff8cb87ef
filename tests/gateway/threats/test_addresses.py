"""Addresses in requests: none is fetched by the gateway, and none gets a key."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.rig import ASK, KEY, Scripted, gate, replies, run, upstream, whole


def turns(address: str) -> list[dict[str, Any]]:
    return [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it? Reply with a single number."},
                {"type": "image_url", "image_url": {"url": f"{address}/image.png"}},
                {
                    "type": "input_audio",
                    "input_audio": {"data": f"{address}/a.wav", "format": "wav"},
                },
                {
                    "type": "file",
                    "file": {"file_id": f"{address}/file", "file_data": "file:///etc/passwd"},
                },
            ],
        }
    ]


def fields(address: str) -> dict[str, Any]:
    return {
        "base_url": address,
        "api_base": address,
        "endpoint": address,
        "webhook": address,
        "provider": {"url": address, "only": [address]},
        "metadata": {"callback": address},
        "web_search_options": {"url": address},
        "tools": [
            {"type": "mcp", "server_url": address, "headers": {"Authorization": "x"}},
            {"type": "function", "function": {"name": "get", "parameters": {"$ref": address}}},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": {"$ref": f"{address}/schema.json"}},
        },
    }


@pytest.mark.parametrize("model", ["m", "m:self_consistency(n=2)", "auto"])
def test_nothing_in_a_body_is_fetched(model: str) -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole("7"))).serve() as up,
            Scripted(replies(whole("7"))).serve() as elsewhere,
            gate(upstream(up.url, media_tokens="1000")) as gw,
        ):
            address = elsewhere.url
            await gw.ask(model=model, messages=turns(address))
            for name, value in fields(address).items():
                await gw.ask(model=model, messages=turns(address), **{name: value})
            assert not elsewhere.seen
            assert all(seen.headers["host"].endswith(str(up.port)) for seen in up.seen)

    run(main)


@pytest.mark.parametrize(
    "name",
    ["model", "wish", "header"],
)
@pytest.mark.parametrize(
    "told",
    [
        "{0}",
        "m@{0}",
        "{0}:auto",
        "openai/{0}",
        "best_of_n(verifier='{0}')",
        "self_consistency(engine='{0}')",
    ],
)
def test_no_name_or_wish_is_an_address(name: str, told: str) -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole("7"))).serve() as up,
            Scripted(replies(whole("7"))).serve() as elsewhere,
            gate(up.url) as gw,
        ):
            text = told.format(elsewhere.url)
            if name == "model":
                got = await gw.ask(model=text)
            elif name == "wish":
                got = await gw.ask(workspan={"strategy": text})
            else:
                got = await gw.post(ASK, headers={"Workspan-Strategy": text})
            assert got.status in (400, 404)
            assert not elsewhere.seen
            assert not up.seen

    run(main)


def test_a_redirect_is_not_followed_and_takes_no_key_along() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as elsewhere:
            to = {"Location": f"{elsewhere.url}/chat/completions"}
            for status in (301, 302, 303, 307, 308):
                async with (
                    Scripted(replies(b"", status, headers=to)).serve() as up,
                    gate(up.url) as gw,
                ):
                    for model in ("m", "m:self_consistency(n=2)"):
                        got = await gw.ask(model=model)
                        assert got.status == 502
                        assert KEY.encode() not in got.body
            assert not elsewhere.seen

    run(main)


def test_only_its_own_upstream_gets_a_key() -> None:
    async def main() -> None:
        async with (
            Scripted(replies({"error": {"message": "down"}}, 503)).serve() as first,
            Scripted(replies(whole())).serve() as second,
        ):
            from workspan.engines.settings import Settings
            from workspan.serve.config import Upstream

            stated = (
                Upstream("a", first.url, "m", None, Settings({}, "sk-first-0123456789")),
                Upstream("b", second.url, "m", None, Settings({}, "sk-second-0123456789")),
            )
            async with gate(*stated, failover=True) as gw:
                assert (await gw.ask()).status == 200
            assert first.seen[0].headers["authorization"] == "Bearer sk-first-0123456789"
            assert second.seen[0].headers["authorization"] == "Bearer sk-second-0123456789"

    run(main)
