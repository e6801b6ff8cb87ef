"""What this process knows of trajectories: their accounts, their turns, where drafts differed.

Names are clients': they are hashed with their key, and nothing here, in figures or in the store is
called by them. What is kept is bounded; what no store keeps is let go of only where it lies idle,
and what it had spent is kept for longer.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from workspan.core.engine import Price
from workspan.data.budget import Budget
from workspan.data.money import exactly
from workspan.data.types import Message, Usage
from workspan.errors import InputError, Refused, StoreError
from workspan.serve.leases import LeasedLedger
from workspan.serve.store.base import Store
from workspan.serve.store.keys import Key
from workspan.serve.store.limits import Limit, amount_of, shown
from workspan.serve.store.trajectories import PREFIXES_KEPT_SECONDS, StoredTrajectory
from workspan.serve.trajectories.course import NOTHING, UNKNOWN_TURNS, Course, Seen, State
from workspan.serve.trajectories.endings import Ending
from workspan.serve.trajectories.kept import OwnLedger, Within
from workspan.serve.trajectories.named import Named, OtherBudget, id_of, limits_of
from workspan.serve.trajectories.rules import TrajectoryRules

_MOST = 10_000
"""Trajectories that a process knows, where no store keeps their accounts."""
_REMEMBERED = 1_000
"""So many that could be asked of the store again, or have no account, are remembered."""
_LOOKED_AT = 64
"""Of those that were asked for longest ago, where room is made."""
_MOST_PREFIXES = 20_000
_MOST_STATES = 256
_MOST_SCOPES = 1_000
_SHOWN = 12
"""Trajectories, on the page."""
_SHOWN_TURNS = 60
"""Of one trajectory, the last ones."""
_MOST_PAST = 50_000
"""Trajectories whose spending a process knows that has let go of them."""
_IDLE_SECONDS = 3600.0
"""After which one that no request is of may be let go of."""
_DEARER = Decimal("1.25")
"""Drafts to come are taken to cost so many times the last turn's: prompts grow."""

Ledgers = Sequence[LeasedLedger | OwnLedger]


@dataclass(frozen=True, slots=True)
class Past:
    """One turn that is over, as the page shows it."""

    number: int
    """Its place in the trajectory, from 1."""
    request: str
    calls: int
    work: int
    status: int

    def value(self) -> list[Any]:
        """Return it as the feed writes it."""
        return [self.number, self.request, self.calls, self.work, self.status]


@dataclass(frozen=True, slots=True)
class _Stood:
    """What is kept of a trajectory that was let go of, where there is no store."""

    limits: tuple[Limit, ...]
    spent: Usage
    turns: int


@dataclass(slots=True)
class Trajectory:
    """One of them, as far as this process has seen."""

    id: str
    key: str
    name: str
    since: float
    touched: float
    limits: tuple[Limit, ...] = ()
    ledger: OwnLedger | None = None
    """Its account, where no store keeps it."""
    open: int = 0
    """Turns that run."""
    turns: int = 0
    """That were begun, by all workers where a store counts them."""
    calls: int = 0
    spent: Usage = field(default_factory=Usage)
    stated: int | None = None
    """Turns that its client said there would be."""
    past: deque[Past] = field(default_factory=lambda: deque(maxlen=_SHOWN_TURNS))
    left: tuple[tuple[Limit, int], ...] = ()
    """Of each limit, when its last turn began or ended."""
    last: tuple[int, Usage] = (0, Usage())
    """Calls of the last turn that had any, and what they took."""
    first_size: int = 0
    """Bytes of its first prompt that a strategy answered, and the number of that turn."""
    first_turn: int = 0
    is_found: bool = False
    """Nobody named it."""

    @property
    def to_come(self) -> int:
        """Turns after the one that runs, as far as anybody knows."""
        if self.stated is not None:
            return max(0, self.stated - self.turns)
        return max(UNKNOWN_TURNS, self.turns)

    def is_spare(self, now: float) -> bool:
        """Say whether it may be forgotten between its turns: a store knows it, or it lies idle."""
        return self.ledger is None or now - self.touched > _IDLE_SECONDS

    def size_at_end(self, size: int) -> int:
        """Return the bytes that a prompt has after the turns to come, if it grows as it did."""
        if not self.first_turn:
            self.first_size, self.first_turn = size, self.turns
        grown = (size - self.first_size) // max(1, self.turns - self.first_turn)
        return size + max(0, grown) * self.to_come

    def value(self) -> dict[str, Any]:
        """Return it as the feed writes it."""
        cost = self.spent.cost
        return {
            "id": self.id,
            "name": self.name,
            "key": self.key,
            "since": round(self.since, 3),
            "open": self.open,
            "turns": self.turns,
            "stated": self.stated,
            "calls": self.calls,
            "work": self.spent.output_tokens + self.spent.unseen_tokens,
            "cost": None if cost is None else float(cost),
            "limits": [
                {
                    "limit": shown(limit.quantity, limit.most),
                    "most": float(amount_of(limit.quantity, limit.most)),
                    "left": float(amount_of(limit.quantity, max(0, left))),
                }
                for limit, left in self.left
            ],
            "past": [one.value() for one in self.past],
        }


@dataclass(slots=True)
class Turn:
    """One request's place in its trajectory."""

    trajectory: Trajectory
    number: int
    """From 1."""
    tells: bool
    book: Book
    scope: tuple[str, str]
    """Whose drafts are alike: a key's, of one model."""
    after: str = ""
    ledgers: Ledgers = ()
    """The trajectory's own accounts, as far as this turn draws on any."""
    is_over: bool = False

    @property
    def within(self) -> Within:
        """What its calls are charged to."""
        one = self.trajectory
        return Within(one.id, one.limits, one.ledger)

    def look(self) -> None:
        """See how the trajectory's own limits stand."""
        if self.ledgers:
            self.trajectory.left = tuple(one for node in self.ledgers for one in _left(node))

    @property
    def left(self) -> str:
        """What is left, in words; empty where there is no limit."""
        held = self.trajectory.left
        return ", ".join(shown(limit.quantity, max(0, left)) for limit, left in held)

    def told(self, used: Usage) -> dict[str, Any]:
        """Return what a reply says of it, once its calls have used so much."""
        left = {
            limit.quantity: float(amount_of(limit.quantity, max(0, left)))
            - float(getattr(used.amount, limit.quantity))
            for limit, left in self.trajectory.left
        }
        return {
            "id": self.trajectory.id,
            "turn": self.number,
            "left": {name: max(0.0, amount) for name, amount in left.items()},
        }

    def course(self, prompt: Sequence[Message], size: int, cap: int, price: Price | None) -> Course:
        """Return where the trajectory stands, for a strategy.

        Args:
            prompt: what is asked.
            size: its bytes, which bound its tokens.
            cap: tokens of one draft.
            price: of the model.
        """
        self.after = after(prompt)
        one = self.trajectory
        calls, took = one.last
        held = Usage(1, one.size_at_end(size), output_tokens=cap)
        held = replace(held, cost=price.of(held) if price is not None else Decimal(0))
        seen = dict(self.book.seen(self.scope))
        if not one.limits:
            return Course(self.after, None, True, one.to_come, seen)
        if not calls:
            return Course(self.after, None, False, one.to_come, seen)
        rooms = [_drafts(limit, left, calls, took, held) for limit, left in one.left]
        room = min((x for x in rooms if x is not None), default=None)
        return Course(self.after, room, True, one.to_come, seen)

    def learn(self, calls: tuple[str, ...], *, differs: bool | None) -> None:
        """Keep what was seen of this turn's state; None where no pair was drawn."""
        self.book.learn(self.scope, State(self.after, calls), differs=differs)

    def end(self, request: str, usage: Usage, status: int) -> None:
        """Close it with its bill; once."""
        if self.is_over:
            return
        self.is_over = True
        self.look()
        one = self.trajectory
        one.open -= 1
        one.calls += usage.calls
        one.spent += usage
        one.touched = self.book.now()
        if usage.calls:
            one.last = (usage.calls, usage)
        work = usage.output_tokens + usage.unseen_tokens
        one.past.append(Past(self.number, request, usage.calls, work, status))


def _left(node: LeasedLedger | OwnLedger) -> list[tuple[Limit, int]]:
    if isinstance(node, LeasedLedger):
        return [(node.lease.limit, node.lease.remaining)]
    return [(limit, node.remaining(limit)) for limit in node.limits_held]


def _drafts(limit: Limit, left: int, calls: int, took: Usage, held: Usage) -> float | None:
    """Return how many drafts one limit pays for, by what the last ones took.

    The last of them must find what a call holds before it is known what it takes.
    """
    used = Decimal(getattr(took.amount, limit.quantity))
    if used <= 0:
        return None
    with exactly():
        each = used / calls * (1 if limit.quantity == "calls" else _DEARER)
        last = Decimal(getattr(held.amount, limit.quantity))
        rest = Decimal(amount_of(limit.quantity, max(0, left))) - last
        return max(0.0, 1 + float(rest / each))


def after(prompt: Sequence[Message]) -> str:
    """Return the tool whose result a prompt ends with; empty where it ends otherwise."""
    if not prompt or prompt[-1].role not in ("tool", "function"):
        return ""
    last = prompt[-1]
    names = {call.id: call.name for turn in prompt for call in turn.tool_calls}
    return (names.get(last.tool_call_id) or last.name)[:64]


class Book:
    """The trajectories of one process."""

    def __init__(
        self,
        store: Store | None,
        rules: TrajectoryRules,
        now: Callable[[], float] = time.time,
        *,
        workers: int = 1,
    ) -> None:
        """Begin empty; what has a budget is kept in the store, where there is one.

        Without one, no budget is taken where several `workers` would each keep it.
        """
        self._workers = workers
        self.store, self.rules, self.now = store, rules, now
        self._known: OrderedDict[str, Trajectory] = OrderedDict()
        self._past: OrderedDict[str, _Stood] = OrderedDict()
        self._endings: OrderedDict[str, Ending] = OrderedDict()
        self._seen: OrderedDict[tuple[str, str], dict[State, Seen]] = OrderedDict()

    async def join(self, named: Named, key: Key | None, model: str, allowed: Budget) -> Turn:
        """Begin a turn.

        Args:
            named: the trajectory, by its name.
            key: whose it is.
            model: that is asked.
            allowed: the trajectory's budget, within the operator's.

        Raises:
            OtherBudget: the trajectory was begun with another.
            InputError: several workers have no store to keep one in.
            Refused: there are too many.
            StoreGone: the store can't be asked.
        """
        owner = key.id if key is not None else ""
        if self.store is None and self._workers > 1 and allowed != Budget():
            raise InputError(
                "workspan.trajectory_budget is not kept here: several workers need a store for "
                "that, which the operator names with --store"
            )
        one, number = await self._begun(owner, limits_of(allowed), named)
        one.turns = max(one.turns, number)
        one.open += 1
        one.stated = named.turns or one.stated
        one.touched = self.now()
        return Turn(one, number, named.tells, self, (owner, model))

    async def _begun(
        self, key: str, limits: tuple[Limit, ...], named: Named
    ) -> tuple[Trajectory, int]:
        """Return a turn's trajectory, and the turn's number."""
        id, now = id_of(key, named.name), self.now()
        is_stated = named.budget is not None
        held, number = limits, 0
        if self.store is not None:
            new = StoredTrajectory(id, key, named.name, limits, int(now), named.is_found)
            there = await self.store.begin(new, is_stated=is_stated)
            held, number = there.limits, there.turns
        one = self._known.get(id)
        if one is None:
            self._make_room(now)
            one = self._known[id] = Trajectory(id, key, named.name, now, now)
            one.is_found = named.is_found
            self._go_on(one)
        if held and held != one.limits and (self.store is not None or not one.limits):
            self._limit(one, held)
        self._known.move_to_end(id)
        if is_stated and one.limits != limits:
            began = ", ".join(shown(x.quantity, x.most) for x in one.limits) or "no limit"
            raise OtherBudget(
                f"workspan.trajectory_budget must stay what it was: this trajectory began with "
                f"{began}; name another to begin anew"
            )
        return one, number or one.turns + 1

    def _limit(self, one: Trajectory, limits: tuple[Limit, ...]) -> None:
        one.limits = limits
        one.ledger = OwnLedger(limits) if self.store is None else None
        one.left = tuple((limit, limit.most) for limit in limits)

    def _go_on(self, one: Trajectory) -> None:
        """Take up one that this process let go of: with what it had spent, where no store knows."""
        stood = self._past.pop(one.id, None)
        if stood is None:
            return
        one.turns = stood.turns
        self._limit(one, stood.limits)
        if one.ledger is not None:
            one.ledger.owe(stood.spent)
            one.ledger.charge(stood.spent)

    def _let_go(self, one: Trajectory) -> None:
        """Forget one but for what it has spent, where no store keeps that."""
        del self._known[one.id]
        if one.ledger is None:
            return
        self._past[one.id] = _Stood(one.limits, one.ledger.spent, one.turns)
        if len(self._past) > _MOST_PAST:
            self._past.popitem(last=False)

    def _make_room(self, now: float) -> None:
        """Forget what lies idle longest.

        Raises:
            Refused: all that is known is in use, and no store keeps it.
        """
        for id, oldest in [*islice(self._known.items(), _LOOKED_AT)]:
            if len(self._known) < _REMEMBERED:
                return
            if oldest.open:
                self._known.move_to_end(id)  # it is in use: those behind it are looked at
            elif oldest.is_spare(now):
                self._let_go(oldest)
        if len(self._known) < _MOST:
            return
        idle = [one for one in self._known.values() if not one.open]
        spare = [one for one in idle if one.is_spare(now)] or [one for one in idle if one.is_found]
        if not spare:
            said = f"{_MOST} trajectories are in use: keep them in a store, see --store"
            raise Refused(said, code="too_many_trajectories", retry_after=60.0)
        for one in spare[:_LOOKED_AT]:
            self._let_go(one)

    async def follow(self, prefixes: Sequence[str], *, in_pairs: bool = False) -> str | None:
        """Return the name of the trajectory that a prompt goes on from; None where none is known.

        Raises:
            StoreGone: the store can't be asked.
        """
        name = None if self.store is None else await self.store.follow(prefixes, in_pairs=in_pairs)
        if name is not None:
            return name
        before = self.now() - PREFIXES_KEPT_SECONDS
        for place, one in enumerate(prefixes):
            found = self._endings.get(one)
            if found is not None and (found.at >= before or self.store is None):
                name = found.take()  # a store forgets what older ones lead to
                other = self._endings.get(prefixes[place ^ 1]) if in_pairs else None
                if other is not None:
                    other.also(name)
                return name
        return None

    async def remember(self, prefixes: Sequence[str], name: str) -> None:
        """Keep what a turn left behind.

        Raises:
            StoreError: the store can't be asked; this process knows it all the same.
        """
        now = self.now()
        try:
            if self.store is not None:
                await self.store.remember(prefixes, name, now)
                return
        except StoreError:
            self._remember(prefixes, name, now)
            raise
        self._remember(prefixes, name, now)

    def _remember(self, prefixes: Sequence[str], name: str, now: float) -> None:
        for one in prefixes:
            self._endings.setdefault(one, Ending()).keep(name, now)
            self._endings.move_to_end(one)
        while len(self._endings) > _MOST_PREFIXES:
            self._endings.popitem(last=False)

    def seen(self, scope: tuple[str, str]) -> dict[State, Seen]:
        """Return where drafts of one key and model were seen to differ."""
        return self._seen.get(scope, {})

    def learn(self, scope: tuple[str, str], state: State, *, differs: bool | None) -> None:
        """Count one turn in a state."""
        known = self._seen.setdefault(scope, {})
        self._seen.move_to_end(scope)
        if len(self._seen) > _MOST_SCOPES:
            self._seen.popitem(last=False)
        if state in known or len(known) < _MOST_STATES:
            known[state] = known.get(state, NOTHING).and_one(differs=differs)

    def value(self) -> dict[str, dict[str, Any]]:
        """Return those that were asked for last, the latest first, by their ids."""
        latest = islice(reversed(self._known.values()), _SHOWN)
        return {one.id: one.value() for one in latest}
