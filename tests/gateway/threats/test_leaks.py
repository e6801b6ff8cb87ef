"""Keys, prompts and answers: in no log, figure, trace, feed or error, whatever goes wrong."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway.rig import KEY, Scripted, gate, piece, replies, run, streams, whole
from workspan.serve.store import store_at
from workspan.serve.store.keys import make_key

CLIENT, PROMPT, ANSWER = "sk-client-0123456789abcdef", "PROMPT-0123456789", "ANSWER-0123456789"
ANSWERS = {
    "well": replies(whole(ANSWER)),
    "a stream": streams(piece({"content": ANSWER}), piece({}, "stop")),
    "torn": streams(piece({"content": ANSWER}), ends=False),
    "refused": replies({"error": {"message": f"{KEY} {CLIENT} {PROMPT}"}}, 401),
    "failed": replies(f"<h1>{ANSWER} {KEY}</h1>".encode(), 500, kind="text/html"),
    "no JSON": replies(f"{ANSWER} {KEY}".encode()),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_seen_holds_no_secret(
    name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        headers = {"Authorization": f"Bearer {CLIENT}", "x-api-key": CLIENT, "Cookie": CLIENT}
        turns = [{"role": "user", "content": f"{PROMPT} Reply with a single number."}]
        async with Scripted(ANSWERS[name]).serve() as up, gate(up.url) as gw:
            for model in ("m", "m:self_consistency(n=2)"):
                for is_streamed in (False, True):
                    body = {"model": model, "messages": turns, "stream": is_streamed}
                    await gw.post(body, headers=headers)
            await gw.record(4)
            gateway = gw.serving.gateway
            seen = gateway.feed.snapshot() + gateway.metrics.written()
            seen += str([one.line for one in gw.log.records]).encode()
            seen += repr(gateway.config).encode() + caplog.text.encode()
            seen += "".join(capfd.readouterr()).encode()
            for secret in (KEY, CLIENT, PROMPT, ANSWER):
                assert secret.encode() not in seen, secret

    run(main)


def everything(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.iterdir())


def test_a_store_s_row_holds_none_either(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.sqlite"
        store = store_at(str(path))
        await store.open()
        stored, text = make_key("team", now=time.time())
        await store.add(stored)
        await store.aclose()
        async with (
            Scripted(replies(whole(ANSWER))).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            turns = [{"role": "user", "content": PROMPT}]
            headers = {"Authorization": f"Bearer {text}"}
            got = await gw.post({"model": "m", "messages": turns}, headers=headers)
            assert got.status == 200
        content = everything(tmp_path)
        for secret in (text, PROMPT, ANSWER, KEY):
            assert secret.encode() not in content

    run(main)
