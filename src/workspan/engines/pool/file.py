"""A pool as its operator writes it, in TOML: a table for each member; keys stay in the environment.

[[member]]
name = "near"
engine = "http://10.0.0.5:8000/v1"
model = "qwen3-8b"
weight = 3
key_env = "NEAR_KEY"
price = "0.05/0.20"
requests_per_minute = 600
tokens_per_minute = 200_000
set = { overshoot = 64, "retries.seconds" = 5 }
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workspan.boundary.secret import key_in
from workspan.engines.pool.members import Member, Members
from workspan.engines.pool.rates import Rates
from workspan.engines.settings import Settings
from workspan.errors import DataError, InputError, nearest
from workspan.legible import quoted

_EXAMPLE = 'a member is [[member]] with a line each for name = "a" and engine = "http://HOST/v1"'
_POOL = re.compile(r"pool\s*([:(]|$)")
"""A pool as an engine is written; one in another could hold itself."""
_MOST = 64
"""Members."""
_LARGEST = 1 << 20
"""Bytes of a file."""
_ONCE = {"retries__attempts": "1"}
"""How often a member is asked, unless its settings say more: the pool goes on to the next one."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One member, as it was written."""

    name: str
    engine: str
    model: str = ""
    price: str = ""
    weight: float = 1.0
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    settings: Settings = field(default_factory=Settings)

    def member(self, *, places: int, workers: int = 1) -> Member:
        """Return it as calls are shared out by it; of several processes each keeps its share."""
        rates = Rates(
            _share(self.requests_per_minute, workers), _share(self.tokens_per_minute, workers)
        )
        return Member(self.name, self.weight, rates, places)


@dataclass(frozen=True, slots=True)
class PoolFile:
    """A pool, as it was written."""

    stated: tuple[Stated, ...]
    model: str = ""
    """What all serve, where they call it by different names."""
    sticky: bool | None = None
    in_turn: bool = False
    """The first that can is asked; the others stand by."""

    @classmethod
    def in_order(cls, names: Iterable[str]) -> PoolFile:
        """Return one of which nothing is stated: each member stands by for those before it."""
        return cls(tuple(Stated(name, "") for name in names), in_turn=True)

    def members(self, places: Mapping[str, int], workers: int = 1) -> Members:
        """Return its members by how many calls each serves at a time."""
        told = [one.member(places=places[one.name], workers=workers) for one in self.stated]
        return Members(told, in_turn=self.in_turn)


def read_pool(path: Path) -> PoolFile:
    """Read a file.

    Raises:
        DataError: it can't be read, or holds something else; it says what would be right.
        InputError: a variable that is to hold a key does not.
    """
    shown = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        held = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", path=shown) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"no TOML: {error}", path=shown) from None
    tables = held.pop("member", None)
    if not isinstance(tables, list) or not 0 < len(tables) <= _MOST:
        raise DataError(f"holds 1 to {_MOST} [[member]] tables: {_EXAMPLE}", path=shown)
    if len(content) > _LARGEST:
        raise DataError(f"is larger than {_LARGEST} bytes", path=shown)
    whole = _Table(shown, "the pool", held)
    found = PoolFile(
        tuple(_member(_Table(shown, f"member {at}", one)) for at, one in enumerate(tables, 1)),
        whole.text("model"),
        whole.truth("sticky"),
        whole.truth("in_turn") or False,
    )
    whole.end()
    try:
        found.members({one.name: 1 for one in found.stated})  # whose names and weights are checked
    except InputError as error:
        raise DataError(str(error), path=shown) from None
    return found


def _member(table: _Table) -> Stated:
    name, engine = table.text("name", is_needed=True), table.text("engine", is_needed=True)
    table.where += f" ({quoted(name)})"
    if _POOL.match(engine):
        raise table.wrong("is a pool itself: write that one's members here")
    found = Stated(
        name,
        engine,
        table.text("model"),
        table.text("price"),
        table.number("weight", 1.0),
        table.count("requests_per_minute"),
        table.count("tokens_per_minute"),
        _settings(table),
    )
    table.end()
    return found


def _settings(table: _Table) -> Settings:
    """Read what is stated about a member; its key is that of its variable, or none."""
    variable = table.text("key_env")
    try:
        key = key_in(variable) if variable else ""
    except InputError as error:
        raise InputError(f"{table.where}: key_env: {error}") from None
    stated = table.settings()
    is_server = "http://" in table.engine or "https://" in table.engine
    if not is_server:
        return Settings(stated, key or None)
    return Settings(stated, key).with_defaults(**_ONCE)


class _Table:
    """One table, whose fields are taken one by one; what is left is unknown."""

    def __init__(self, path: str, where: str, held: object) -> None:
        self.path, self.where = path, where
        if not isinstance(held, dict):
            raise self.wrong(f"is no table: {_EXAMPLE}")
        self._rest: dict[str, Any] = dict(held)
        self._known: list[str] = []
        self.engine = str(held.get("engine", ""))

    def text(self, name: str, *, is_needed: bool = False) -> str:
        value = self._take(name)
        if value is None and not is_needed:
            return ""
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"needs {name}, a text: {_EXAMPLE}")
        return value.strip()

    def truth(self, name: str) -> bool | None:
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(f"{name} is true or false, not {quoted(value)}")
        return value

    def number(self, name: str, otherwise: float) -> float:
        value = self._take(name)
        if value is None:
            return otherwise
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(f"{name} is a number, not {quoted(value)}")
        return float(value)

    def count(self, name: str) -> int | None:
        value = self._take(name)
        if value is not None and (type(value) is not int or value < 1):
            raise self.wrong(f"{name} is a whole number, 1 or more, not {quoted(value)}")
        return value

    def settings(self) -> dict[str, str]:
        value = self._take("set") or {}
        if not isinstance(value, dict):
            raise self.wrong("set is a table, such as set = { overshoot = 64 }")
        return {name: _written(one) for name, one in value.items()}

    def end(self) -> None:
        if self._rest:
            name = next(iter(self._rest))
            raise self.wrong(f"has an unknown field {quoted(name)}: {nearest(name, self._known)}")

    def _take(self, name: str) -> Any:
        self._known.append(name)
        return self._rest.pop(name, None)

    def wrong(self, why: str) -> DataError:
        return DataError(f"{self.where} {why}", path=self.path)


def _written(value: object) -> str:
    """Write a value as it is typed on a command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _share(most: int | None, workers: int) -> int | None:
    if most is not None and most < workers:
        said = f"{most} a minute can't be shared by {workers} processes: start fewer --workers"
        raise InputError(f"a member's limit of {said}")
    return None if most is None else most // workers
