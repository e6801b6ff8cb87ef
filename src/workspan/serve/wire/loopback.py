"""Addresses and names of this machine."""

from __future__ import annotations

from ipaddress import ip_address

_NAMES = ("localhost", "ip6-localhost")


def is_loopback(text: str) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_loopback_name(name: str) -> bool:
    """Tell whether a host, without a port, is this machine: no other name is looked up."""
    return name.lower() in _NAMES or is_loopback(name)


def host_of(header: str) -> str:
    """Return the name in a Host header, without its port."""
    name = header.strip()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0] if name.count(":") == 1 else name
