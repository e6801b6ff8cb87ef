"""Keys of the gateway, what they may spend, and what they have spent."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from workspan.errors import InputError, MissingDependency
from workspan.secret import Secret
from workspan.serve.store.base import Store
from workspan.serve.store.sqlite import SqliteStore

_SCHEMES = ("postgresql", "postgres")
_EXAMPLE = "a store is a file, or an address such as postgresql://HOST/DATABASE"


def store_at(address: str) -> Store:
    """Return the store at a path or at ``postgresql://…``, not opened yet.

    Raises:
        InputError: it is neither.
        MissingDependency: PostgreSQL's driver is not installed.
    """
    scheme, mark, _ = address.partition("://")
    if not mark:
        if not address.strip() or "\0" in address:
            raise InputError(_EXAMPLE)
        return SqliteStore(Path(address))
    if scheme not in _SCHEMES:
        raise InputError(f"{_EXAMPLE}: {scheme[:20]}:// is neither")
    shown, secret = shown_address(address)
    try:
        from workspan.serve.store.postgres import PostgresStore
    except ImportError:
        raise MissingDependency("a store in PostgreSQL", "postgres") from None
    return PostgresStore(address, shown, secret)


def shown_address(address: str) -> tuple[str, Secret]:
    """Return an address of PostgreSQL as it may be shown, and the password that it holds.

    Raises:
        InputError: its parts can't be told.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InputError(f"{_EXAMPLE}: its host or port is none") from None
    if "@" in parts.path or parts.fragment:
        raise InputError(f"{_EXAMPLE}: write signs such as / and # in a password as %2F and %23")
    place = f"{host}:{port}" if port else host
    if parts.username:
        place = f"{parts.username}@{place}"
    # of the query, which may hold a password too, nothing is shown
    return urlunsplit((parts.scheme, place, parts.path, "", "")), Secret(
        unquote(parts.password or ""), tuple(parts.query.split("&"))
    )
