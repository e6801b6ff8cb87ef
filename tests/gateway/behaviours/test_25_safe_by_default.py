"""25: a request brings no code, chooses no address, and sees no key."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from gateway.rig import ASK, KEY, Scripted, gate, line, replies, run, streams, whole
from workspan.serve.asked import NO_WISH
from workspan.serve.config import Config, Upstream

UNSAFE = (
    "os:system",
    "mine.py:Strategy",
    "best_of_n(verifier='sh:touch PWNED')",
    'best_of_n(verifier="sh:id")',
    "best_of_n(verifier=public_tests)",
    "auto(profile='/etc/passwd')",
    "auto(of='x', profile='y')",
    "then(single, auto(profile='/etc/passwd'))",
    "auto(arms=(auto(profile='x'),))",
    "__import__('os').system('id')",
    "best_of_n(verifier=__import__)",
    "(lambda: 0)()",
    "single.__class__",
    "[single]",
    "self_consistency(n=8, engine='http://169.254.169.254/')",
)


@pytest.mark.parametrize("text", UNSAFE)
def test_a_strategy_from_the_wire_runs_nothing(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("raise SystemExit('imported')")

    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            for got in (
                await gw.ask(workspan={"strategy": text}),
                await gw.ask(model=f"m:{text}"),
                await gw.post(ASK, headers={"Workspan-Strategy": text}),
            ):
                assert got.status in (400, 404), got
            assert not up.seen
            assert not (tmp_path / "PWNED").exists()

    run(main)


def test_the_operator_s_own_strategies_may_be_asked_for_by_name() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, strategies={"tested": "best_of_n(verifier=public_tests)"}) as gw,
        ):
            listed = (await gw.get("/v1/models")).value["data"]
            assert "m:tested" in [one["id"] for one in listed]
            assert gw.serving.gateway.routing.target("m:tested", NO_WISH).strategy is not None

    run(main)


def test_no_header_or_field_chooses_the_upstream() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            Scripted(replies(whole())).serve() as evil,
            gate(up.url) as gw,
        ):
            tries = {"base_url": evil.url, "api_base": evil.url, "url": evil.url}
            headers = {
                "Host": f"127.0.0.1:{evil.port}",
                "X-Forwarded-Host": f"127.0.0.1:{evil.port}",
                "X-Upstream": evil.url,
                "api-base": evil.url,
            }
            assert (await gw.post({**ASK, **tries}, headers=headers)).status == 200
            assert (len(up.seen), len(evil.seen)) == (1, 0)

    run(main)


def test_the_client_s_key_stays_here_and_the_gateway_s_goes_up() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            sent = {
                "Authorization": "Bearer sk-client-secret",
                "x-api-key": "sk-client-secret",
                "Cookie": "session=secret",
                "X-Stainless-Lang": "python",
                "OpenAI-Organization": "org",
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            }
            await gw.post(ASK, headers=sent)
            seen = up.seen[0]
            assert seen.headers["authorization"] == f"Bearer {KEY}"
            assert b"secret" not in b"".join(v.encode() for v in seen.headers.values())
            assert "x-stainless-lang" not in seen.headers
            assert "openai-organization" not in seen.headers
            assert seen.headers["traceparent"] == sent["traceparent"]

    run(main)


def test_the_gateway_s_key_is_in_no_reply_whatever_the_upstream_says() -> None:
    async def main() -> None:
        said = {"error": {"message": f"Bad key Bearer {KEY}", "code": KEY, "type": KEY}}
        for answer in (
            replies(said, 400),
            replies(said, 500),
            replies(said, 200),
            streams(line(said)),
            replies(b"not json " + KEY.encode(), 422, headers={"X-Leak": KEY}),
        ):
            async with Scripted(answer).serve() as up, gate(up.url) as gw:
                for is_streamed in (True, False):
                    got = await gw.ask(stream=is_streamed)
                    everything = got.body + json.dumps(dict(got.headers)).encode()
                    assert KEY.encode() not in everything
                for record in gw.log.records:
                    assert KEY not in str(record.line)

    run(main)


def test_it_listens_on_this_machine_alone_unless_told() -> None:
    config = Config((Upstream("up", "http://127.0.0.1:9/v1", "m"),))
    assert config.host == "127.0.0.1"
    assert socket.inet_aton(config.host) == b"\x7f\x00\x00\x01"
