"""Keys of the gateway: made, hashed, read and checked. The secret itself is kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from workspan.errors import InputError, KeyRefused
from workspan.legible import legible, quoted
from workspan.serve.store.limits import Limit, in_order

_FORM = re.compile(r"wsk-(?P<id>[a-z2-7]{12})-[A-Za-z0-9_-]{43}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_LONGEST_NAME = 100
_LATEST = 253_402_300_799
"""The end of the year 9999."""
_AGE = re.compile(r"(?P<number>[1-9][0-9]{0,4}) ?(?P<unit>h|d|w)")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_UNKNOWN = "the key is not known here: it is wrong, or of another gateway"


@dataclass(frozen=True, slots=True)
class Key:
    """Who may spend, on what, until when, and how much. Without its secret."""

    id: str
    """Public: lists, logs and metrics know the key by it."""
    name: str
    limits: tuple[Limit, ...] = ()
    """From the shortest window to the longest; none is no limit."""
    models: tuple[str, ...] = ()
    """Names, or patterns with ``*``, of the models that it may ask; empty is all."""
    created: int = 0
    """In seconds of UTC's epoch, as the next two."""
    expires: int | None = None
    revoked: int | None = None

    def limits_of(self, quantity: str) -> tuple[Limit, ...]:
        """Return what limits a quantity."""
        return tuple(limit for limit in self.limits if limit.quantity == quantity)

    def check(self, now: float, model: str | None = None) -> None:
        """Refuse a key that is out of time, or out of its scope.

        Raises:
            KeyRefused: so it is.
        """
        if self.revoked is not None and now >= self.revoked:
            raise KeyRefused(f"the key {self.id} was revoked", code="key_revoked")
        if self.expires is not None and now >= self.expires:
            raise KeyRefused(f"the key {self.id} has expired", code="key_expired")
        if model is not None and not self.may_ask(model):
            raise KeyRefused(
                f"the key {self.id} may not ask {quoted(model)}: it may ask "
                f"{', '.join(self.models)}",
                code="model_not_allowed",
            )

    def may_ask(self, model: str) -> bool:
        """Tell whether a model's name is within its scope."""
        return not self.models or any(fnmatchcase(model, one) for one in self.models)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key beside the hash that its secret is known by."""

    key: Key
    hash: str = field(repr=False)


def make_key(
    name: str,
    limits: Iterable[Limit] = (),
    *,
    models: Iterable[str] = (),
    expires: int | None = None,
    now: float,
) -> tuple[StoredKey, str]:
    """Return a new key for the store, and its text, which is shown once and never kept.

    Raises:
        InputError: the name is empty, too long or not legible, or the key would have expired.
    """
    if not 0 < len(name) <= _LONGEST_NAME or legible(name) != name or "\n" in name:
        raise InputError(f"a key's name is a legible line of 1 to {_LONGEST_NAME} characters")
    if expires is not None and not now < expires <= _LATEST:
        raise InputError("a key expires in the future, and before the year 10000")
    scope = tuple(models)
    for model in scope:
        if not model or legible(model) != model or len(model) > 200:
            raise InputError(
                f"a key's models are names or patterns such as qwen*, not {quoted(model)}"
            )
    id = "".join(secrets.choice(_LETTERS) for _ in range(12))
    text = f"wsk-{id}-{secrets.token_urlsafe(32)}"
    return StoredKey(Key(id, name, in_order(limits), scope, int(now), expires), hashed(text)), text


def hashed(text: str) -> str:
    """Hash a key. It holds 256 random bits: nothing is gained by a slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def id_of(text: str) -> str:
    """Return the id that a key's text names.

    Raises:
        KeyRefused: it is no key of any gateway.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise KeyRefused(_UNKNOWN, code="invalid_api_key")
    return found["id"]


def proved(text: str, stored: StoredKey | None) -> Key:
    """Return the key if the text is its own, in a time that tells nothing of it.

    Raises:
        KeyRefused: it is not, or no such key is stored.
    """
    known = stored.hash if stored is not None else hashed("")
    is_same = hmac.compare_digest(hashed(text), known)
    if stored is None or not is_same:
        raise KeyRefused(_UNKNOWN, code="invalid_api_key")
    return stored.key


def parse_expiry(text: str, now: float) -> int:
    """Read ``90d``, ``12h``, ``2w`` or a date such as ``2027-03-01`` (its start, by UTC).

    Raises:
        InputError: it is none of them.
    """
    if found := _AGE.fullmatch(text.strip()):
        return int(now + int(found["number"]) * _UNITS[found["unit"]].total_seconds())
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"--expires {quoted(text)}: write 90d, 12h, 2w or a date such as 2027-03-01"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
