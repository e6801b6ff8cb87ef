"""The stated risks of `auto`: which rule keeps one, and whether a certificate is for this run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, get_args

from workspan.core.engine import EngineInfo
from workspan.core.session import Session, Strategy, Verifier
from workspan.data.types import Problem
from workspan.errors import SpecError
from workspan.search.mode_set import certifiable
from workspan.strategies.auto.fit.certificate import Certificate, known_certificate
from workspan.strategies.auto.policies.stated import Stated
from workspan.strategies.auto.profile import names_of

Floor = Literal["mode", "risk", "agreement"]
"""Promises that `floor` can name: see `workspan certify`."""
DELTA = 0.1
"""Chance of a false certificate of the mode, unless told otherwise."""
DRAWS = 64
"""Of a problem at most, unless told otherwise."""


def check_floor(
    floor: float | str,
    delta: float,
    n: int,
    path: str,
    arms: Sequence[Strategy],
    verifier: Verifier | None,
) -> None:
    """Refuse a promise that can't be kept, and what would break it.

    Raises:
        DataError: the certificate can't be read.
        ValueError: says what is missing or too much.
    """
    if delta != DELTA and floor != "mode":
        raise ValueError("delta is for floor='mode' alone: a certificate has its own")
    if not isinstance(floor, str):
        if path:
            raise ValueError("a certificate is for floor='risk' or floor='agreement'")
        return
    if floor not in get_args(Floor):
        raise ValueError(f"floor is {floor!r}: a number, or one of {', '.join(get_args(Floor))}")
    if arms or verifier is not None:
        raise ValueError(f"floor={floor!r} is of votes alone: without arms and verifier")
    (_check_mode if floor == "mode" else _check_calibrated)(floor, delta, n, path)


def _check_mode(floor: str, delta: float, n: int, path: str) -> None:
    if path:
        raise ValueError(f"floor={floor!r} rests on its own votes: without a certificate")
    if not 0 < delta < 1:
        raise ValueError(f"delta is {delta}: a chance between 0 and 1, such as 0.1")
    if not certifiable(n, delta):
        raise ValueError(f"n={n} votes can't certify a mode at delta={delta}, even all alike")


def _check_calibrated(floor: str, delta: float, n: int, path: str) -> None:  # noqa: ARG001
    if not path:
        raise ValueError(f"floor={floor!r} needs certificate=FILE, of workspan certify --to FILE")
    found = known_certificate(path)
    if found.mode != floor:
        raise ValueError(f"{path} certifies {found.mode}, and floor is {floor!r}")
    if n < min(found.n, DRAWS):
        raise ValueError(f"n={n}, and {path} is of a vote of up to {found.n} draws: leave n out")


def stated_rule(floor: str, delta: float, n: int, path: str, width: int) -> Stated:
    """Make the rule that keeps a promise."""
    if floor == "mode":
        return Stated(delta, n, width=width)
    found = known_certificate(path)
    return Stated(found.delta, found.n, found.threshold, width, found.hopeless)


def most_draws(path: str) -> int:
    """Return the draws of a problem that a certificate is for."""
    return known_certificate(path).n


class Dials(Protocol):
    """What of `auto` a certificate is about."""

    @property
    def certificate(self) -> str:
        """A file of `workspan certify`."""
        ...

    @property
    def of(self) -> str:
        """The model whose certificate this is, where it is another's."""
        ...

    @property
    def max_tokens(self) -> int:
        """Of one chain."""
        ...

    @property
    def temperature(self) -> float:
        """Of all chains."""
        ...


def check_certificate(auto: Dials, info: EngineInfo) -> None:
    """Refuse a certificate of draws at other settings, or of a model that the user did not name.

    Raises:
        SpecError: so it is.
    """
    path, of = auto.certificate, auto.of
    if not path:
        return
    found: Certificate = known_certificate(path)
    if found.model not in {*names_of(info), of}:
        raise SpecError(
            f"the certificate {path} is of {found.model!r}, and the engine serves {info.model!r}: "
            f"certify with it, or say that you want this: of={found.model!r}"
        )
    for name, held, ours in (
        ("temperature", found.temperature, auto.temperature),
        ("max_tokens", found.max_tokens, auto.max_tokens),
    ):
        if held is not None and held != ours:
            raise SpecError(
                f"the certificate {path} is of draws with {name}={held}, and this run has "
                f"{name}={ours}, of which it promises nothing: give auto {name}={held}, or "
                "certify anew"
            )


def say_uncertified(path: str, problem: Problem, session: Session) -> None:
    """Say what a certificate that is used all the same was not made for."""
    if not path:
        return
    found = known_certificate(path)
    if found.model not in names_of(session.engine):
        said = f"the certificate is of another model, {found.model}: it promises nothing of this"
        session.notice("other_library", said)
    if found.kinds and problem.kind not in found.kinds:
        kinds = ", ".join(found.kinds)
        said = f"the certificate is of answers of kind {kinds}: it promises nothing of others"
        session.notice("other_library", said)
