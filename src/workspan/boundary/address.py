"""Addresses of servers: what may be one, and by which way it is reached."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from workspan.errors import InputError

_LONGEST = 2_000
"""Characters."""
_EXAMPLE = "an endpoint's address looks like http://127.0.0.1:8080/v1"
_NO_PORT = "its port is no number from 1 to 65535"
_NO_HOST = "its host is none"
_VISIBLE = re.compile(r"[!-~\u00a1-\U0010ffff]+")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)


def checked_url(url: str) -> str:
    """Return the address without a last slash.

    Raises:
        InputError: it is no http address, its host or port can't be one, or it holds a password.
    """
    if len(url) > _LONGEST or not _VISIBLE.fullmatch(url) or not url.isprintable():
        raise InputError(f"{_EXAMPLE}: without spaces, at most {_LONGEST:,} characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        said = _NO_PORT if "ort" in str(error) else _NO_HOST
        raise InputError(f"{_EXAMPLE}: {said}") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise InputError(_EXAMPLE)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise InputError("an endpoint's address holds no key: use api_key or WORKSPAN_API_KEY")
    if port == 0 or parts.netloc.endswith(":"):
        raise InputError(f"{_EXAMPLE}: {_NO_PORT}")
    if not _is_host(host, in_brackets=parts.netloc.startswith("[")):
        raise InputError(f"{_EXAMPLE}: {_NO_HOST}")
    return url.rstrip("/")


def _is_host(host: str, *, in_brackets: bool) -> bool:
    """Tell whether a resolver could be asked for it: an IP address, or a name of sound labels."""
    if in_brackets:
        try:
            ipaddress.IPv6Address(host.partition("%")[0])
        except ValueError:
            return False
        return "%" not in host or re.fullmatch(r"[^%]*%(25)?[A-Za-z0-9_.-]{1,15}", host) is not None
    try:
        name = host.rstrip(".").encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        return False
    labels = name.removesuffix(".").split(".")
    if all(label.isdigit() for label in labels):  # an IPv4 address, or none
        try:
            ipaddress.IPv4Address(name)
        except ValueError:
            return False
        return True
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def proxy_for(url: str) -> str | None:
    """Return the environment's proxy for an https address outside this machine.

    A plain http address is never asked through a proxy, which would read the prompts.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get("https")
