"""Who asks: keys are read anew each second, so that one that is revoked ends while serving."""

from __future__ import annotations

import pytest

from store_rig import rig, run
from workspan.errors import KeyRefused, StoreGone
from workspan.serve.keyring import Keyring
from workspan.serve.store.keys import make_key
from workspan.testing.turned import TurnedTime


async def code_of(ring: Keyring, text: str, model: str | None = None) -> str:
    with pytest.raises(KeyRefused) as caught:
        await ring.find(text, model)
    return caught.value.code


def test_a_revoked_key_ends_within_a_second(address: str) -> None:
    async def main() -> None:
        async with rig(address, "") as one:
            clock = TurnedTime()
            ring = Keyring(one.store, utc=one.utc, clock=clock)
            stored, text = make_key("me", models=("q*",), now=one.utc())
            await one.store.add(stored)
            assert await ring.find(text, "qwen") == stored.key
            assert await code_of(ring, text, "gpt") == "model_not_allowed"
            await one.store.revoke(stored.key.id, int(one.utc()))
            assert await ring.find(text) == stored.key  # as it was read a moment ago
            clock.turn(1)
            assert await code_of(ring, text) == "key_revoked"

    run(main)


def test_a_key_that_expires_ends_at_once(address: str) -> None:
    async def main() -> None:
        async with rig(address, "") as one:
            ring = Keyring(one.store, utc=one.utc, clock=TurnedTime())
            stored, text = make_key("me", expires=int(one.utc()) + 60, now=one.utc())
            await one.store.add(stored)
            await ring.find(text)
            one.utc.turn(60)
            assert await code_of(ring, text) == "key_expired"

    run(main)


def test_what_is_told_of_a_key_is_told_to_its_owner_alone(address: str) -> None:
    async def main() -> None:
        async with rig(address, "") as one:
            ring = Keyring(one.store, utc=one.utc, clock=TurnedTime())
            stored, text = make_key("me", models=("q",), now=one.utc())
            await one.store.add(stored)
            await one.store.revoke(stored.key.id, int(one.utc()))
            guess = text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB")
            for wrong in (guess, make_key("you", now=one.utc())[1], "sk-other", ""):
                assert await code_of(ring, wrong, "gpt") == "invalid_api_key"
            assert await code_of(ring, text, "gpt") == "key_revoked"

    run(main)


def test_without_the_store_nobody_is_let_in(address: str) -> None:
    async def main() -> None:
        async with rig(address, "") as one:
            clock = TurnedTime()
            ring = Keyring(one.store, utc=one.utc, clock=clock)
            stored, text = make_key("me", now=one.utc())
            await one.store.add(stored)
            await ring.find(text)
            await one.store.aclose()
            await ring.find(text)
            clock.turn(1)
            with pytest.raises(StoreGone):
                await ring.find(text)

    run(main)
