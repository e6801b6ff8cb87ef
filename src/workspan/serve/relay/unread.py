"""What lies in a connection and nobody has read yet: a server decoded it before a hang-up."""

from __future__ import annotations

import struct
from contextlib import suppress

import aiohttp

try:
    import fcntl
    import termios
except ImportError:  # Windows: what a hang-up leaves unseen is bounded by the overshoot alone
    fcntl = None  # type: ignore[assignment]


def unread(response: aiohttp.ClientResponse) -> int:
    """Return the bytes that have come and were not read; encrypted ones count as they came."""
    connection = response.connection
    transport = connection.transport if connection is not None else None
    sock = transport.get_extra_info("socket") if transport is not None else None
    if fcntl is None or sock is None:
        return 0
    told = struct.pack("i", 0)
    with suppress(OSError, ValueError):  # it was closed meanwhile
        told = fcntl.ioctl(sock.fileno(), termios.FIONREAD, told)
    return int(struct.unpack("i", told)[0])
