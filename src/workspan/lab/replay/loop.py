"""The loop of runs on recorded chains: tasks that take turns, and the account they draw on.

A chain decodes a slice a turn and asks its account for each, as live ones do side by side. Where no
chain ends and no limit nears, turns are taken many at once.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from workspan.core.attempt import SLICE
from workspan.data.budget import Budget
from workspan.data.types import Chunk

T = TypeVar("T")


class NotDirect(Exception):
    """A run can't be made without an event loop."""


class Account:
    """Decoded tokens of one budget: spent and held never exceed its limit, here or above.

    The rules are those of `core.ledger.Ledger`, for work alone.
    """

    __slots__ = ("budget", "held", "limit", "parent", "spent", "waiting")

    def __init__(self, budget: Budget, parent: Account | None = None) -> None:
        self.budget, self.parent, self.limit = budget, parent, budget.work
        self.spent = self.held = 0
        self.waiting: list[Task] = []

    def path(self) -> Iterator[Account]:
        """This account, then each above it."""
        node: Account | None = self
        while node is not None:
            yield node
            node = node.parent

    def work_left(self) -> int | None:
        """Return what is not spent, here and above; None is unlimited."""
        left = [max(0, one.limit - one.spent) for one in self.path() if one.limit is not None]
        return min(left, default=None)

    def refusing(self, tokens: int) -> Account | None:
        """Return the first account in which so many more do not fit."""
        for one in self.path():
            if one.limit is not None and one.spent + one.held + tokens > one.limit:
                return one
        return None

    def hold(self, tokens: int) -> None:
        """Hold so many more."""
        for one in self.path():
            one.held += tokens

    def settle(self, held: int, used: int, ready: deque[Task]) -> None:
        """Free what was held, charge what was used, and let those go on who wait for it."""
        for one in self.path():
            one.held -= held
            one.spent += used
            ready.extend(one.waiting)
            one.waiting = []


@types.coroutine
def wait(command: object) -> Generator[object, Any, Any]:
    """Give a command to the loop, and wait until it lets this task go on."""
    return (yield command)


TURN = object()
"""Let all others that are ready have their turn first."""


@dataclass(slots=True, eq=False)
class Task:
    """A coroutine that takes turns, and the chain that it waits for."""

    coroutine: Coroutine[Any, Any, Any]
    done: Callable[[Any], None]
    decoding: Decoding | None = None
    is_dead: bool = False


@dataclass(slots=True)
class Decoding:
    """A chain, or an interim answer, that is being decoded."""

    account: Account
    cap: int
    leased: int
    tokens: int
    """That there will be, unless the account or a rule cuts it."""
    decoded: int = 0
    is_over: Callable[[Chunk], bool] | None = None
    chunk: Callable[[int], Chunk] | None = None
    cut: str = ""
    """What ended it before its end."""

    def step(self) -> bool:
        """Decode a slice; say whether that was the last."""
        self.decoded = min(self.tokens, self.decoded + SLICE)
        while self.decoded >= self.leased < self.cap:
            leased = min(self.cap, self.leased + SLICE)
            if self.account.refusing(leased - self.leased) is not None:
                self.cut = "budget"
                return True
            self.account.hold(leased - self.leased)
            self.leased = leased
        if self.is_over and self.chunk and self.is_over(self.chunk(self.decoded)):
            self.cut = "halted"
            return True
        return self.decoded >= self.tokens

    def turns(self) -> int:
        """Return how many turns it has before its last."""
        return 0 if self.is_over else -(-(self.tokens - self.decoded) // SLICE) - 1

    def after(self, turns: int) -> int:
        """Return what it will have leased after so many turns."""
        return min(self.cap, max(self.leased, self.decoded + (turns + 1) * SLICE))


class Loop:
    """Runs tasks in the order in which they became ready, as an event loop does."""

    def __init__(self) -> None:
        self.ready: deque[Task] = deque()
        self._turns = 0
        """Turns to take one by one before many are tried again."""

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run `main` and what it starts to the end of `main`.

        Raises:
            NotDirect: nothing can go on.
        """
        result: list[T] = []
        self.ready.append(Task(main, result.append))
        try:
            while not result:
                if not self.ready:
                    raise NotDirect
                self._step(self.ready.popleft())
        finally:
            for task in self.ready:  # after an error: none of them may run any more
                task.coroutine.close()
        return result[0]

    def _step(self, task: Task) -> None:
        if task.is_dead:
            return
        if task.decoding is not None:
            if not task.decoding.step():
                self.ready.append(task)
                self._take_many()
                return
            task.decoding = None
        try:
            command = task.coroutine.send(None)
        except StopIteration as end:
            task.is_dead = True
            task.done(end.value)
            return
        if isinstance(command, Decoding):
            task.decoding = command
            self._turns = 0
            self.ready.append(task)
        elif isinstance(command, Account):
            command.waiting.append(task)
        elif isinstance(command, Fork):
            command.parent = task
            self.ready.extend(command.tasks)
        elif isinstance(command, Arrivals):
            command.consumer = task
        elif command is TURN:
            self.ready.append(task)
        else:
            raise NotDirect

    def _take_many(self) -> None:
        """Take all turns at once up to where a chain ends or an account might refuse."""
        self._turns -= 1
        if self._turns > 0:
            return
        self._turns = len(self.ready)
        found = [task.decoding for task in self.ready if task.decoding and not task.is_dead]
        if len(found) < len(self.ready):
            return
        turns = min(one.turns() for one in found)
        if turns < 2:
            self._turns *= max(1, turns)
            return
        more: dict[int, list[Any]] = {}
        for one in found:
            for account in one.account.path():
                asked = more.setdefault(id(account), [account, 0])
                asked[1] += one.after(turns) - one.leased
        for account, asked in more.values():
            if account.limit is not None and account.spent + account.held + asked > account.limit:
                return
        for one in found:
            leased = one.after(turns)
            one.account.hold(leased - one.leased)
            one.leased, one.decoded = leased, one.decoded + turns * SLICE


class Fork:
    """Tasks that one waits for."""

    def __init__(self, loop: Loop, coroutines: Sequence[Coroutine[Any, Any, Any]]) -> None:
        self.loop, self.left = loop, len(coroutines)
        self.results: list[Any] = [None] * self.left
        self.parent: Task | None = None
        self.tasks = [Task(one, self._end(i)) for i, one in enumerate(coroutines)]

    def _end(self, place: int) -> Callable[[Any], None]:
        def done(value: Any) -> None:
            self.results[place] = value
            self.left -= 1
            if not self.left and self.parent is not None:
                self.loop.ready.append(self.parent)

        return done


class Arrivals(Generic[T]):
    """What tasks come to, in order, for one that takes it as it comes."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.consumer: Task | None = None
        self._come: deque[T] = deque()

    def put(self, arrival: T) -> None:
        """Add one, and let the consumer go on if it waits."""
        self._come.append(arrival)
        if self.consumer is not None:
            self.loop.ready.append(self.consumer)
            self.consumer = None

    async def take(self) -> T:
        """Wait for the next, after all others that are ready have had their turn."""
        await wait(TURN)
        if not self._come:
            await wait(self)
        return self._come.popleft()
