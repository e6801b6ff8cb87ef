"""Keys: shown once, known by a hash, checked for time and scope."""

from __future__ import annotations

import hmac

import pytest

from store_rig import NOON
from workspan.errors import InputError, KeyRefused
from workspan.serve.store import keys
from workspan.serve.store.keys import hashed, id_of, make_key, parse_expiry, proved


def test_a_key_is_proved_by_its_text_alone() -> None:
    stored, text = make_key("me", now=NOON)
    assert id_of(text) == stored.key.id
    assert proved(text, stored) is stored.key
    other, _ = make_key("me", now=NOON)
    for wrong, held in ((text, other), (text, None), (text[:-1] + "~", stored), ("", None)):
        with pytest.raises(KeyRefused) as caught:
            proved(wrong, held)
        assert caught.value.code == "invalid_api_key"
    assert len(text) - text.rindex(stored.key.id) - 13 == 43  # 256 random bits


def test_nothing_of_a_key_is_kept_or_shown() -> None:
    stored, text = make_key("me", now=NOON)
    secret = text.partition(stored.key.id)[2]
    assert secret not in repr(stored)
    assert hashed(text) not in repr(stored)
    assert secret not in stored.hash


@pytest.mark.parametrize("text", ["", "sk-proj-abc", "wsk-short-x", "wsk-" + "a" * 56, "\0" * 60])
def test_what_is_no_key_is_refused_without_a_look_at_the_store(text: str) -> None:
    with pytest.raises(KeyRefused) as caught:
        id_of(text)
    assert caught.value.code == "invalid_api_key"
    assert text not in str(caught.value) or not text


def test_hashes_are_compared_in_constant_time_and_always(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    class Watched:
        @staticmethod
        def compare_digest(a: str, b: str) -> bool:
            compared.append((a, b))
            return hmac.compare_digest(a, b)

    monkeypatch.setattr(keys, "hmac", Watched)
    stored, text = make_key("me", now=NOON)
    proved(text, stored)
    with pytest.raises(KeyRefused):
        proved(text, None)
    assert len(compared) == 2
    assert all(len(a) == len(b) == 64 for a, b in compared)


def test_a_key_ends_and_has_a_scope() -> None:
    stored, _ = make_key("me", models=("qwen*", "gpt-5"), expires=int(NOON) + 10, now=NOON)
    stored.key.check(NOON, "qwen3:8b")
    stored.key.check(NOON, "gpt-5")
    for at, model, code in (
        (NOON, "gpt-5.1", "model_not_allowed"),
        (NOON, "Qwen3", "model_not_allowed"),
        (NOON + 10, "gpt-5", "key_expired"),
    ):
        with pytest.raises(KeyRefused) as caught:
            stored.key.check(at, model)
        assert caught.value.code == code


def test_what_can_be_no_key_is_refused() -> None:
    for name in ("", "x" * 101, "a\x1bb", "two\nlines"):
        with pytest.raises(InputError, match="name"):
            make_key(name, now=NOON)
    with pytest.raises(InputError, match="models"):
        make_key("me", models=("",), now=NOON)
    with pytest.raises(InputError, match="future"):
        make_key("me", expires=int(NOON), now=NOON)


def test_expiries_are_ages_or_dates() -> None:
    assert parse_expiry("12h", NOON) == NOON + 12 * 3600
    assert parse_expiry("90d", NOON) == NOON + 90 * 86400
    assert parse_expiry("2w", NOON) == NOON + 14 * 86400
    assert parse_expiry("2025-11-30", NOON) == NOON + 12 * 3600
    assert parse_expiry("2025-11-29T13:00:00+01:00", NOON) == NOON
    for text in ("", "soon", "0d", "5 minutes", "2025-13-01"):
        with pytest.raises(InputError, match="90d"):
            parse_expiry(text, NOON)
