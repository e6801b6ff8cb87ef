"""Which upstreams answer for one another: pools that were stated, and failover, which is one, too.

A pool is read from its file into upstreams of their own, so that each has its line, its key and its
price; what they share is whom a request goes to, and how each has answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from workspan.core.engine import Engine
from workspan.engines.pool import Members, Pool
from workspan.engines.pool.file import PoolFile, read_pool
from workspan.errors import InputError
from workspan.serve.config import UNNAMED, Config, Grouped, Upstream
from workspan.serve.prices import Prices
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.in_line import InLine
from workspan.serve.relay.turns import prefix
from workspan.serve.relay.upstream import Server

_FORM = "pool:"
_PATIENCE = 5.0
"""Seconds for which a strategy's call waits for a member: its client waits meanwhile."""


def expanded(
    told: Sequence[Upstream], rows: Prices
) -> tuple[tuple[Upstream, ...], tuple[Grouped, ...]]:
    """Read the pools among upstreams: their members stand in their place.

    Raises:
        DataError: a file is no pool.
        InputError: a member is no server, or something is stated of a pool that its file states.
    """
    found: list[Upstream] = []
    pools: list[Grouped] = []
    for one in told:
        if not one.engine.startswith(_FORM):
            found.append(one)
            continue
        if one.settings.stated or one.settings.key or one.model or one.price:
            raise InputError(
                f"{one.name} is a pool: its file says the model, key, price and settings of each"
            )
        if not (path := one.engine.removeprefix(_FORM).strip()):
            raise InputError("pool: names no file: write pool:FILE.toml")
        file = read_pool(Path(path))
        members = _members(one, file, rows)
        found += members.values()
        pools.append(Grouped(one.name, {each.name: at for at, each in members.items()}, file))
    names = [one.name for one in found]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise InputError(f"two engines are named {twice}: give the pool a name, -e NAME=pool:FILE")
    return tuple(found), tuple(pools)


def _members(pool: Upstream, file: PoolFile, rows: Prices) -> dict[str, Upstream]:
    """Return a pool's upstreams by their names in the file."""
    from workspan.spec.engines import parse_price

    found: dict[str, Upstream] = {}
    for one in file.stated:
        name = one.name if pool.name == UNNAMED else f"{pool.name}.{one.name}"
        price = parse_price(one.price) if one.price else rows.of(one.model)
        made = Upstream(name, one.engine, one.model, price, one.settings, pool.speaks)
        if not made.is_server:
            raise InputError(
                f"{name} is no server: a gateway's pool has http addresses, which requests are "
                "passed on to"
            )
        found[one.name] = made
    return found


@dataclass(frozen=True, slots=True)
class _Group:
    members: Members
    sticky: bool | None
    model: str


class Pools:
    """All groups of one process."""

    def __init__(self, config: Config, servers: Mapping[str, Server]) -> None:
        self._servers = servers
        self._of: dict[str, _Group] = {}
        """By the names of their members."""
        for pool in config.pools:
            stated = {one.name: one for one in pool.file.stated}
            told = [replace(stated[short], name=name) for name, short in pool.upstreams.items()]
            file = replace(pool.file, stated=tuple(told))
            self._add(file, config.workers)
        if config.failover:
            names = [name for name in servers if name not in self._of]
            self._add(PoolFile.in_order(names), config.workers)

    def _add(self, file: PoolFile, workers: int) -> None:
        places = {one.name: self._servers[one.name].engine.concurrency for one in file.stated}
        group = _Group(file.members(places, workers), file.sticky, file.model)
        for member in group.members:
            self._of[member.name] = group
            self._servers[member.name].standing = (group.members, member)

    def models(self, models: Mapping[str, str]) -> dict[str, str]:
        """Return upstreams' models as clients know them: a pool may give them one name."""
        named = {name: group.model for name, group in self._of.items() if group.model}
        return {**models, **named}

    def order(self, first: str, passed: Passed | None = None) -> list[Server]:
        """Return the servers that may answer, the one first that is to be asked first."""
        group = self._of.get(first)
        if group is None:
            return [self._servers[first]] if first in self._servers else []
        key = b"" if passed is None else prefix(passed, is_sticky=self._is_sticky(group, passed))
        return [self._servers[one.name] for one in group.members.order(key, first)]

    def _is_sticky(self, group: _Group, passed: Passed) -> bool:
        """Say whether a cache may hold a prompt: a token is at least a byte."""
        if group.sticky is not None:
            return group.sticky
        told = [self._servers[member.name].engine.caches for member in group.members]
        kept = [one for one in told if one is not None]
        return bool(kept) and len(passed.asked.body) >= min(kept)

    def engines(
        self,
        engines: Mapping[str, Engine],
        line: str,
        calling: Callable[[], AbstractContextManager[None]],
        *,
        client: str,
        is_behind: bool = False,
    ) -> dict[str, Engine]:
        """Return all engines as one client's strategies ask them: in line, and pools as one."""
        lined = {
            name: InLine(one, self._servers[name].places, line, calling, is_behind=is_behind)
            if name in self._servers
            else one
            for name, one in engines.items()
        }
        return {name: self._pooled(name, lined, client) for name in lined}

    def _pooled(self, name: str, lined: Mapping[str, Engine], client: str) -> Engine:
        group = self._of.get(name)
        if group is None:
            return lined[name]
        return Pool(
            lined,
            group.members,
            model=group.model or lined[name].info.model,
            sticky=group.sticky,
            first=name,
            patience=_PATIENCE,
            client=client,
        )
