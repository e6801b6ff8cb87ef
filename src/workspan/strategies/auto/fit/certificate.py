"""A certificate: the threshold of agreement from which answers hold a stated risk."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from workspan.boundary.inputs import read_whole
from workspan.errors import DataError
from workspan.strategies.auto.fit.form import Form

FORMAT = 1
Calibrated = Literal["risk", "agreement"]
"""Modes that rest on other problems; "mode" rests on the votes of the problem itself."""


class Certificate(msgspec.Struct, frozen=True):
    """What a calibration has certified of one model on problems of one kind."""

    mode: Calibrated
    model: str
    alpha: float
    """Of the answers given, at most so many are wrong (or, in agreement, not the full vote's)."""
    delta: float
    """Probability that a calibration says so wrongly."""
    threshold: float
    """Of votes / (draws + 1), from which a problem is answered."""
    n: int
    """Draws of a problem, at most."""
    hopeless: float
    problems: int
    """That it was calibrated on."""
    kinds: tuple[str, ...] = ()
    """Kinds of their answers; none where nobody knows."""
    temperature: float | None = None
    """Of its draws; None where nobody knows."""
    max_tokens: int | None = None
    """Of each draw, at most; None where nobody knows."""


class _None(msgspec.Struct, frozen=True):
    threshold: None


class _OfNone(msgspec.Struct, frozen=True):
    """What versions up to 0.1 wrote where no threshold held."""

    certificate: _None


_FORM = Form("certificate", "certificate", Certificate, FORMAT, "certify")
write_certificate, is_certificate = _FORM.write, _FORM.is_one


def read_certificate(path: Path) -> Certificate:
    """Read a certificate.

    Raises:
        DataError: not readable, not a certificate, of another format, or not sound in itself.
    """
    try:
        found = _FORM.read(path)
    except DataError as error:
        if _is_of_none(path):
            said = "holds no certificate: no threshold kept its risk; certify again, with more"
            raise DataError(f"{said} problems or a larger alpha", path=str(path)) from error
        raise
    shares = (found.alpha, found.delta, found.hopeless, found.threshold)
    if not all(0 <= share <= 1 for share in shares) or found.n < 1:
        raise DataError("a certificate that can't be: values out of range", path=str(path))
    return found


def _is_of_none(path: Path) -> bool:
    try:
        msgspec.json.decode(read_whole(path), type=_OfNone)
    except (DataError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


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
