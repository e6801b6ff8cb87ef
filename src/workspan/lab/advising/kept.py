"""Shadowed requests in the store: what each arm came to, and what was said of the answers.

An answer is a number: those of one request that say the same share it, and it tells nothing else.
Texts are there only where the operator let them be kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Literal

from workspan.store.database import Database
from workspan.store.statement import LOCK, Rows, Statement, Work

MADE_BY = "workspan serve --store"
"""What keeps such requests."""
Verdict = Literal["right", "wrong", "unsure"]


@dataclass(frozen=True, slots=True)
class Arm:
    """What one setting made of one request."""

    strategy: str
    """As the operator wrote it; of the answer as it was given, what gave it."""
    is_now: bool
    """The client was given its answer."""
    answer: int | None
    """Which of the request's answers it is; None is no answer."""
    agreement: float | None
    """Share of its own votes that the answer has; None where nothing was voted on."""
    stop: str
    """"done", or the limit that ended it."""
    work: int
    span: int
    calls: int
    prefill: int
    cost: int | None
    """In 10^-12 USD; None is unknown."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Said:
    """One of the answers of a request."""

    number: int
    text: str | None = None
    """None where texts are not kept."""
    score: float | None = None
    """Of the operator's verifier, in [0, 1]; None where there is none."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of one answer."""

    number: int
    labeller: str
    verdict: Verdict
    at: float = 0.0
    """When, in seconds of UTC's epoch."""


@dataclass(frozen=True, slots=True)
class Shadowed:
    """One request that was answered, and run beside."""

    id: str
    """Random: the order of these is the order in which requests are labelled."""
    at: float
    """In seconds of UTC's epoch."""
    route: str
    model: str
    kind: str
    """Of turn, as the gateway tells them apart."""
    problem: str
    """Equal for equal prompts; tells nothing else without the store's salt."""
    arms: tuple[Arm, ...]
    answers: tuple[Said, ...]
    question: str | None = None
    """None where texts are not kept."""
    labels: tuple[Label, ...] = ()

    @property
    def now(self) -> Arm:
        """The answer as it was given."""
        return next(arm for arm in self.arms if arm.is_now)

    @property
    def beside(self) -> tuple[Arm, ...]:
        """What was run beside it."""
        return tuple(arm for arm in self.arms if not arm.is_now)


_ARM = tuple(item.name for item in fields(Arm))
_ARMS = ", ".join(_ARM)
_OWN = ("id", "at", "route", "model", "kind", "problem", "question")
_LARGEST = 2**63 - 1
"""That a column takes: an engine may bill anything."""
_AT_ONCE = 200
"""Requests that are read or dropped in one transaction."""
_SALT = "salt"
_DAYS = "days"
_DAY = 86_400.0


class ShadowStore:
    """Shadowed requests in a database that is open."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def salt(self) -> str:
        """Return what the hashes of this store's prompts are made with; made by the first."""
        made = secrets.token_hex(16)
        return await self._database.transact(lambda: _salt(made))

    async def keep(self, one: Shadowed) -> None:
        """Keep a request with its arms and answers: all or nothing, once."""
        await self._database.transact(lambda: _keep(one))

    async def since(self, at: float, most: int | None = None) -> list[Shadowed]:
        """Return the requests that came after a moment, in the order of their ids.

        With `most` the latest so many, or a few more of one moment. They are read some at a time:
        a gateway that uses the same store does not wait for all of them.
        """
        ids = await self._database.transact(lambda: _ids(at, most))
        found: list[Shadowed] = []
        for some in _shared_out(ids):
            found += await self._database.transact(partial(_read, some))
        return found

    async def label(self, id: str, label: Label) -> bool:
        """Keep what a person said of an answer; of two by one person the last stands.

        False where the request is gone: what is older than was stated is dropped at any time.
        """
        return await self._database.transact(lambda: _label(id, label))

    async def keep_for(self, days: int) -> None:
        """State for how many days requests are kept: it holds until another number is stated."""
        await self._database.transact(lambda: _state(_DAYS, str(days)))


def _salt(made: str) -> Work[str]:
    yield Statement(
        "INSERT INTO shadow_facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
        (_SALT, made),
    )
    [(value,)] = yield Statement("SELECT value FROM shadow_facts WHERE name = ?", (_SALT,))
    return str(value)


def _keep(one: Shadowed) -> Work[None]:
    marks = ", ".join("?" * len(_OWN))
    yield Statement(
        f"INSERT INTO shadowed ({', '.join(_OWN)}) VALUES ({marks})",
        tuple(getattr(one, name) for name in _OWN),
    )
    if one.answers:
        yield Statement(
            "INSERT INTO shadow_answers (shadowed, number, text, score) VALUES (?, ?, ?, ?)",
            [(one.id, said.number, said.text, said.score) for said in one.answers],
            is_many=True,
        )
    yield Statement(
        f"INSERT INTO shadow_arms (shadowed, {_ARMS}) VALUES (?, {', '.join('?' * len(_ARM))})",
        [(one.id, *(_column(getattr(arm, name)) for name in _ARM)) for arm in one.arms],
        is_many=True,
    )


def _column(value: Any) -> Any:
    """Return a truth as a whole number, and a count as a column takes it."""
    if isinstance(value, bool):
        return int(value)
    return min(value, _LARGEST) if isinstance(value, int) else value


def _ids(at: float, most: int | None) -> Work[list[str]]:
    if most is not None:
        latest = yield Statement(
            "SELECT at FROM shadowed WHERE at >= ? ORDER BY at DESC LIMIT 1 OFFSET ?",
            (at, most - 1),
        )
        at = latest[0][0] if latest else at
    rows = yield Statement("SELECT id FROM shadowed WHERE at >= ? ORDER BY id", (at,))
    return [id for (id,) in rows]


def _shared_out(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _read(ids: Sequence[str]) -> Work[list[Shadowed]]:
    rows = yield Statement(
        f"SELECT {', '.join(_OWN)} FROM shadowed WHERE id IN ({_marks(ids)}) ORDER BY id",
        tuple(ids),
    )
    arms = yield from _of(
        f"SELECT shadowed, {_ARMS} FROM shadow_arms", "is_now DESC, strategy", ids
    )
    said = yield from _of("SELECT shadowed, number, text, score FROM shadow_answers", "number", ids)
    told = yield from _of(
        "SELECT shadowed, number, labeller, verdict, at FROM shadow_labels", "number, labeller", ids
    )
    return [
        Shadowed(
            id,
            at,
            route,
            model,
            kind,
            problem,
            arms=tuple(_arm(one) for one in arms.get(id, ())),
            answers=tuple(Said(*one) for one in said.get(id, ())),
            question=question,
            labels=tuple(Label(*one) for one in told.get(id, ())),
        )
        for id, at, route, model, kind, problem, question in rows
    ]


def _of(text: str, order: str, ids: Sequence[str]) -> Work[dict[str, Rows]]:
    """Return what hangs on some requests, by their ids."""
    rows = yield Statement(
        f"{text} WHERE shadowed IN ({_marks(ids)}) ORDER BY shadowed, {order}", tuple(ids)
    )
    found: dict[str, Rows] = {}
    for id, *rest in rows:
        found.setdefault(id, []).append(tuple(rest))
    return found


def _marks(ids: Sequence[str]) -> str:
    return ", ".join("?" * len(ids))


def _arm(row: Sequence[Any]) -> Arm:
    strategy, is_now, *rest = row
    return Arm(strategy, bool(is_now), *rest)


def _label(id: str, label: Label) -> Work[bool]:
    there = yield Statement(
        f"SELECT 1 FROM shadow_answers WHERE shadowed = ? AND number = ?{LOCK}", (id, label.number)
    )
    if there:
        yield Statement(
            "INSERT INTO shadow_labels (shadowed, number, labeller, verdict, at) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (shadowed, number, labeller) "
            "DO UPDATE SET verdict = excluded.verdict, at = excluded.at",
            (id, label.number, label.labeller, label.verdict, label.at),
        )
    return bool(there)


def _state(name: str, value: str) -> Work[None]:
    yield Statement(
        "INSERT INTO shadow_facts (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def drop_old(now: float) -> Work[bool]:
    """Drop some requests that are older than was stated, labels included; say if more may be left.

    Whatever serves from the store does so, whether it runs anything beside or not.
    """
    stated = yield Statement("SELECT value FROM shadow_facts WHERE name = ?", (_DAYS,))
    if not stated:
        return False
    [(days,)] = stated
    rows = yield Statement(
        f"SELECT id FROM shadowed WHERE at < ? LIMIT {_AT_ONCE}", (now - int(days) * _DAY,)
    )
    if rows:
        yield from _drop([id for (id,) in rows])
    return len(rows) == _AT_ONCE


def _drop(ids: Sequence[str]) -> Work[None]:
    for table in ("shadow_labels", "shadow_arms", "shadow_answers"):
        yield Statement(f"DELETE FROM {table} WHERE shadowed IN ({_marks(ids)})", tuple(ids))
    yield Statement(f"DELETE FROM shadowed WHERE id IN ({_marks(ids)})", tuple(ids))
