"""Who may see the page, its feed and the figures: this machine, or who bears the admin's key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from workspan.errors import InputError
from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange
from workspan.serve.wire.loopback import host_of, is_loopback, is_loopback_name

_SHORTEST = 16
"""Characters of an admin's key: what is shorter can be guessed."""
_LONGEST = 1_000
_PROXIED = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")
"""What a proxy adds: its own address says nothing of who asks."""
_ASKS = 'Basic realm="workspan", charset="UTF-8"'


class Access:
    """The door of what an operator sees.

    With an admin's key everybody needs it. Without, whoever sits at this machine is let in, and
    nobody else: not through a proxy on it, and not through a name that some site points at it.
    """

    def __init__(self, admin_key: str = "") -> None:
        """Take the key; empty is none.

        Raises:
            InputError: it is too short to be safe.
        """
        if admin_key and not _SHORTEST <= len(admin_key) <= _LONGEST:
            raise InputError(
                f"the admin's key has {len(admin_key)} characters: {_SHORTEST} to {_LONGEST} are "
                "needed, such as `openssl rand -hex 24` makes"
            )
        self._digest = _digest(admin_key) if admin_key else b""

    @property
    def has_key(self) -> bool:
        """Everybody needs the key."""
        return bool(self._digest)

    def check(self, exchange: Exchange) -> None:
        """Let whoever asks pass.

        Raises:
            Failed: he may not.
        """
        if self._digest:
            self._check_key(exchange)
        elif not _is_here(exchange):
            raise Failed(
                403,
                "this is shown to this machine alone: start with --admin-key-env NAME, and bring "
                "that key",
                code="admin_only",
            )

    def _check_key(self, exchange: Exchange) -> None:
        told = _presented(exchange.header(b"authorization"))
        if not hmac.compare_digest(_digest(told), self._digest):
            raise Failed(
                401,
                "the admin's key is needed, as a bearer's token or as the password of any user",
                code="admin_only",
                headers={"www-authenticate": _ASKS},
            )


def _digest(text: str) -> bytes:
    """Make texts of one length of all: how long a comparison takes tells nothing."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _presented(header: str) -> str:
    """Return the key that a header holds; a browser sends it as a password."""
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() != "basic" or len(rest) > 2 * _LONGEST:
        return ""
    try:
        told = base64.b64decode(rest, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return told.partition(":")[2]


def _is_here(exchange: Exchange) -> bool:
    """Tell whether a request comes from this machine, and was meant for it."""
    client = exchange.scope.get("client")
    if not client or not is_loopback(str(client[0])):
        return False
    headers = exchange.headers
    if any(name in headers for name in _PROXIED):
        return False
    return is_loopback_name(host_of(exchange.header(b"host")))
