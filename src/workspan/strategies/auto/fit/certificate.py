"""A certificate: the threshold of agreement from which answers hold a stated risk."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from workspan.boundary.inputs import read_whole
from workspan.boundary.outputs import replace_file
from workspan.errors import DataError, OutputError

FORMAT = 1
Calibrated = Literal["risk", "agreement"]
"""Modes that rest on other problems; "mode" rests on the votes of the problem itself."""
_BEGINS = re.compile(rb'\{"format":\d+,"certificate":\{"mode":')
_HEAD = 64


class Certificate(msgspec.Struct, frozen=True):
    """What a calibration has certified of one model on problems of one kind."""

    mode: Calibrated
    model: str
    alpha: float
    """Of the answers given, at most so many are wrong (or, in agreement, not the full vote's)."""
    delta: float
    """Probability that a calibration says so wrongly."""
    threshold: float | None
    """Of votes / (draws + 1), from which a problem is answered; None: no threshold holds."""
    n: int
    """Draws of a problem, at most."""
    hopeless: float
    problems: int
    """That it was calibrated on."""
    kinds: tuple[str, ...] = ()
    """Kinds of their answers; none where nobody knows."""


class _File(msgspec.Struct, frozen=True):
    format: int
    certificate: Certificate


class _Head(msgspec.Struct, frozen=True):
    format: int


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Write it, readable by its owner only where it is new.

    Raises:
        DataError: something else is there.
        OutputError: the file can't be written.
    """
    try:
        if path.is_file() and path.stat().st_size and not is_certificate(path):
            raise DataError("is no certificate, and is left as it is", path=str(path))
        replace_file(path, msgspec.json.encode(_File(FORMAT, certificate)) + b"\n")
    except OSError as error:
        raise OutputError(f"the certificate {path} can't be written: {error.strerror}") from error


def is_certificate(path: Path) -> bool:
    """Tell whether the file begins like a certificate, of this format or another.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return _BEGINS.match(file.read(_HEAD)) is not None


def read_certificate(path: Path) -> Certificate:
    """Read a certificate.

    Raises:
        DataError: not readable, not a certificate, of another format, or not sound in itself.
    """
    content = read_whole(path)
    try:
        head = msgspec.json.decode(content, type=_Head)
        if head.format != FORMAT:
            said = f"a certificate of format {head.format}, and this version reads {FORMAT}"
            raise DataError(f"{said}: certify again", path=str(path))
        found = msgspec.json.decode(content, type=_File).certificate
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"not a certificate: {error}", path=str(path)) from error
    shares = (found.alpha, found.delta, found.hopeless, found.threshold or 0.0)
    if not all(0 <= share <= 1 for share in shares) or found.n < 1:
        raise DataError("a certificate that can't be: values out of range", path=str(path))
    return found


def known_certificate(path: str) -> Certificate:
    """Read a certificate once for each version of its file.

    Raises:
        DataError: it can't be read.
    """
    place = Path(path)
    return _read(place, place.stat().st_mtime_ns if place.exists() else 0)


@lru_cache(maxsize=8)
def _read(path: Path, _stamp: int) -> Certificate:
    return read_certificate(path)
