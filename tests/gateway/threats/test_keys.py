"""Guessing keys: every wrong one is told the same, compared in the same way, and kept nowhere."""

from __future__ import annotations

import asyncio
import hmac
import time
from pathlib import Path

import pytest

from gateway.rig import ASK, Gate, Got, Scripted, gate, replies, run, whole
from workspan.serve.store import store_at
from workspan.serve.store.keys import make_key


async def a_key(path: Path, **said: object) -> tuple[str, str]:
    """Keep a key in a store; return its id and its text."""
    store = store_at(str(path))
    await store.open()
    try:
        stored, text = make_key("team", now=time.time(), **said)  # type: ignore[arg-type]
        await store.add(stored)
    finally:
        await store.aclose()
    return stored.key.id, text


def everything(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.iterdir())


async def asked(gw: Gate, key: str) -> Got:
    return await gw.post(ASK, headers={"Authorization": f"Bearer {key}"})


def test_a_key_s_name_of_a_request_is_no_other_key_s(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.sqlite"
        keys = [(await a_key(path))[1] for _ in "ab"]
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            for key in (*keys, keys[0]):
                headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "mine"}
                assert (await gw.post(ASK, headers=headers)).status == 200
            first, other, again = (seen.headers["idempotency-key"] for seen in up.seen)
            assert first == again != other
            assert "mine" not in (first, other)

    run(main)


def test_wrong_keys_can_not_be_told_from_one_another(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.sqlite"
        id, text = await a_key(path)
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            wrong = (
                f"wsk-{id}-" + "A" * 43,
                "wsk-aaaaaaaaaaaa-" + text[-43:],
                text[:-1] + ("a" if text[-1] != "a" else "b"),
                text[:-1],
                text + "a",
                text.upper(),
                "sk-something-else",
                f"wsk-{id}-' OR '1'='1" + "A" * 28,
                f"wsk-{id[:-1]}%-{text[-43:]}",
                f"wsk-{id[:-1]}_-{text[-43:]}",
                "x" * 10_000,
            )
            said = {(got := await asked(gw, key)).status: got.body for key in wrong}
            assert list(said) == [401]
            bodies = {(await asked(gw, key)).body for key in wrong}
            assert len(bodies) == 1
            assert not up.seen
            assert (await asked(gw, text)).status == 200
            assert (await gw.post(ASK)).status == 401
            assert (
                await gw.post(ASK, path=f"/chat/completions?key={text}&api_key={text}")
            ).status == 401
            assert (await gw.post(ASK, headers={"Cookie": f"key={text}"})).status == 401

    run(main)


def test_comparisons_see_hashes_of_one_length_known_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []
    real = hmac.compare_digest

    def noting(one: str, other: str) -> bool:
        seen.append((one, other))
        return real(one, other)

    monkeypatch.setattr("workspan.serve.store.keys.hmac.compare_digest", noting)

    async def main() -> None:
        path = tmp_path / "store.sqlite"
        id, text = await a_key(path)
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            for key in (text, f"wsk-{id}-" + "A" * 43, "wsk-aaaaaaaaaaaa-" + "A" * 43):
                await asked(gw, key)
        assert len(seen) == 3  # a key that is not known is compared, too
        assert {len(part) for pair in seen for part in pair} == {64}
        assert all(text not in part for pair in seen for part in pair)

    run(main)


def test_the_store_holds_no_key(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"

    async def main() -> None:
        _, text = await a_key(path)
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            assert (await asked(gw, text)).status == 200
        content = everything(tmp_path)
        assert text[-43:].encode() not in content

    run(main)


def test_an_id_alone_is_no_key_and_a_revoked_or_expired_one_is_none(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.sqlite"
        id, _ = await a_key(path)
        _, old = await a_key(path, expires=int(time.time()) + 1)
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            ring = gw.serving.gateway.keys._ring
            assert ring is not None
            ring._utc = lambda: time.time() + 3_600
            got = await asked(gw, old)
            assert (got.status, got.error["code"]) == (401, "key_expired")
            for key in (id, f"wsk-{id}", f"wsk-{id}-"):
                assert (await asked(gw, key)).status == 401
            assert not up.seen

    run(main)


def test_a_guess_is_refused_on_every_route(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.sqlite"
        await a_key(path)
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            for place in ("/chat/completions", "/completions", "/embeddings"):
                assert (await gw.post(ASK, path=place)).status == 401, place
            for place in ("/v1/models", "/v1/models/m", "/tokenizer_info", "/models"):
                assert (await gw.get(place)).status == 401, place
            assert not up.seen

    run(main)


def test_the_admin_s_key_is_compared_by_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def noting(one: bytes, other: bytes) -> bool:
        seen.append((one, other))
        return real(one, other)

    monkeypatch.setattr("workspan.serve.seeing.access.hmac.compare_digest", noting)

    async def main() -> None:
        key = "an-admin-key-of-32-characters-00"
        async with Scripted(replies(whole())).serve() as up, gate(up.url, admin_key=key) as gw:
            for told in ("", "x", key, key + "x", "é" * 50):
                headers = {"Authorization": f"Bearer {told}"}
                async with gw.client.get(f"{gw.root}/metrics", headers=headers) as reply:
                    assert (reply.status == 200) is (told == key)
        assert {len(part) for pair in seen for part in pair} == {32}

    asyncio.run(main())
