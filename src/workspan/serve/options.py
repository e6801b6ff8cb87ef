"""From the options of a command line to what the gateway goes by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workspan.boundary.address import checked_url
from workspan.boundary.secret import key_in
from workspan.data.budget import Budget
from workspan.errors import InputError
from workspan.legible import quoted
from workspan.serve.config import Config, upstreams
from workspan.serve.pools import expanded
from workspan.serve.prices import NO_PRICES, read_prices
from workspan.serve.rules import Rules
from workspan.serve.seeing.access import Access
from workspan.serve.shadow.stated import read_shadow
from workspan.serve.trajectories.named import read_limits
from workspan.serve.trajectories.rules import TrajectoryRules
from workspan.serve.wire.origin import checked_origin
from workspan.serve.wishes import read_budget

if TYPE_CHECKING:
    from workspan.core.session import Verifier

_NAMED = re.compile(r"([A-Za-z][\w.-]{0,99})=(.+)", re.DOTALL)


def configured(
    engines: Sequence[str],
    models: Sequence[str] | None = None,
    prices: Sequence[str] | None = None,
    settings: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    *,
    speaks: Sequence[str] | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    strategy: str | None = None,
    names: Sequence[str] | None = None,
    budget: str | None = None,
    trajectory_budget: str | None = None,
    trajectories_by_prefix: bool = False,
    store: str | None = None,
    workers: int = 1,
    failover: bool = False,
    judge: str | None = None,
    verifier: str | None = None,
    progress: bool = False,
    admin_key_env: str | None = None,
    show_content: bool = False,
    keep_requests: int = 90,
    keep_responses: int = 0,
    shadow: str | None = None,
    otlp: str | None = None,
    origins: Sequence[str] | None = None,
    price_file: Path | None = None,
) -> Config:
    """Read and check options.

    Raises:
        InputError: one is wrong; says what would be right.
    """
    given = {"--host": host, "--strategy": strategy, "--store": store}
    _check_given({**given, "--judge": judge, "--verifier": verifier})
    told = upstreams(engines, models, prices, settings, keys, speaks)
    rows = NO_PRICES if price_file is None else read_prices(price_file)
    told = tuple(replace(one, price=one.price or rows.of(one.model)) for one in told)
    told, pools = expanded(told, rows)
    return Config(
        told,
        host,
        port,
        workers,
        failover,
        Budget() if budget is None else read_budget(budget),
        strategy or "",
        _named(names or ()),
        store or "",
        rules=Rules(
            judge=judge,
            verifier=None if verifier is None else _verifier(verifier),
            shows_progress=progress,
        ),
        trajectories=TrajectoryRules(
            Budget() if trajectory_budget is None else read_limits(trajectory_budget),
            trajectories_by_prefix,
        ),
        shadow=None if shadow is None else read_shadow(shadow),
        admin_key=_admin_key(admin_key_env),
        shows_content=show_content,
        keep_requests=keep_requests,
        keep_responses=keep_responses,
        otlp=_collector(otlp),
        origins=tuple(map(checked_origin, origins or ())),
        pools=pools,
    )


def _check_given(texts: Mapping[str, str | None]) -> None:
    """Refuse an option that says nothing: an unset variable would mean no store, and no keys.

    Raises:
        InputError: one does.
    """
    for option, text in texts.items():
        if text is not None and not text.strip():
            raise InputError(
                f"{option} is empty, as of a variable that is not set: leave it out for none"
            )


def _admin_key(variable: str | None) -> str:
    """Read the admin's key from the environment, where nobody sees it in a list of processes.

    Raises:
        InputError: the variable holds none, or one that is too short.
    """
    if variable is None:
        return ""
    try:
        found = key_in(variable)
    except InputError as error:
        raise InputError(f"--admin-key-env: {error}") from None
    Access(found)
    return found


def _collector(text: str | None) -> str:
    if text is None:
        return ""
    try:
        checked_url(text)
    except InputError as error:
        raise InputError(f"--otlp: {error}") from None
    return text


def _named(texts: Sequence[str]) -> dict[str, str]:
    """Read ``NAME=STRATEGY``, which may not take over the name of an `auto` that all know."""
    found: dict[str, str] = {}
    for text in texts:
        told = _NAMED.fullmatch(text)
        if told is None or told[1] in found:
            raise InputError(
                f"--name {quoted(text)}: write NAME=STRATEGY, each name once, such as "
                "careful='self_consistency(n=8)'"
            )
        found[told[1]] = told[2].strip()
    return found


def _verifier(text: str) -> Verifier:
    from workspan.spec import parse_verifier

    return parse_verifier(text, imports=True)
