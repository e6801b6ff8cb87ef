"""A run on recorded chains without an event loop: what session, account and engine come to.

Nothing is decoded in a replay, so most of its time would go into machinery that is there for live
models: tasks, streams, journals, reservations that are awaited. `DirectSession` gives a strategy
the same samples at the same price in the same order, on the turns and the account of `loop`.
Branches inside of branches, tools and limits beyond work and span are `NotDirect`: those go the
general way, `workspan.run` on a `ReplayEngine`. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from workspan.answers import compared, may_take_long, voting
from workspan.core.attempt import SLICE, Halt
from workspan.core.clock import Clock
from workspan.core.context import Verdicts
from workspan.core.engine import needs
from workspan.core.session import Session, Standing, Strategy
from workspan.data.budget import Budget
from workspan.data.types import (
    Answer,
    AnswerKind,
    Candidate,
    Chunk,
    Notice,
    Problem,
    Request,
    Sample,
    Usage,
)
from workspan.errors import BudgetExceeded, EngineError, GraderError, first_error
from workspan.lab.replay.loop import Account, Arrivals, Decoding, Fork, Loop, NotDirect, Task, wait
from workspan.recordings.engine import Place, ReplayEngine, mark, said_at

T = TypeVar("T")
R = TypeVar("R")

_MOST = 1000
"""Calls in flight that a replay serves."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run came to."""

    answer: Answer
    work: int
    span: int
    is_over: bool
    """It passed a limit."""


def is_direct(budget: Budget) -> bool:
    """Say whether a budget limits nothing but work and span."""
    return budget == Budget(work=budget.work, span=budget.span)


def run_directly(
    strategy: Strategy, problem: Problem, engine: ReplayEngine, budget: Budget, seed: int
) -> Ended:
    """Run a strategy that was checked; the same as `workspan.run`, less journal, trace and seconds.

    Raises:
        EngineError: it could not go on without a call that failed.
        NotDirect: it takes the general way.
    """
    if not is_direct(budget):
        raise NotDirect
    account, clock = Account(budget), Clock(limit=budget.span)
    loop = Loop()
    session = DirectSession(_Run(engine, seed, loop), account, clock)
    try:
        answer = loop.run(strategy(problem, session))
    except BudgetExceeded:
        best = session.standing.best
        answer = Answer(best, (best,) if best else ())
    if not isinstance(answer, Answer):
        raise NotDirect  # the general way says what is wrong with it
    passed = [(account.spent, budget.work), (clock.now, budget.span)]
    is_over = any(limit is not None and used > limit for used, limit in passed)
    return Ended(answer, account.spent, clock.now, is_over)


@dataclass(slots=True)
class _Run:
    """What all sessions of a run share."""

    engine: ReplayEngine
    seed: int
    loop: Loop
    observer: None = None
    verdicts: dict[str, Verdicts] = field(default_factory=dict)

    def notice(self, notice: Notice) -> None:
        """A replay shows none."""


class DirectSession(Session):
    """A session whose samples are recorded chains, without an event loop."""

    run: Any
    ledger: Any

    def __init__(
        self,
        run: _Run,
        ledger: Account,
        clock: Clock,
        key: str = "",
        standing: Standing | None = None,
    ) -> None:
        self.run, self.ledger, self.clock, self.key = run, ledger, clock, key
        self.standing = standing or Standing()
        self.drafts = ()
        self._crowd = 1
        self._calls = self._votes = 0
        self._alone = True
        """No other branch runs beside it."""

    def left(self) -> Budget:
        """Return the work and the span that are left here; None is unlimited."""
        self._calls += 1
        return Budget(work=self.ledger.work_left(), span=self.clock.room)

    async def sample(self, request: Request, halt: Halt | None = None) -> Sample:
        """Draw one sample, as `Session.sample`."""
        return await _draw(self.run, self.ledger, self.clock, self._next_key(), request, halt)

    async def map(self, fn: Callable[[Session, T], Awaitable[R]], items: Sequence[T]) -> list[R]:
        """Run `fn` over items at once, as `Session.map`."""
        base, n = self._next_key(), len(items)
        if not self._alone or n > _MOST:
            raise NotDirect
        if not items:
            return []
        children = [self._at(f"{base}.{i}", n) for i in range(n)]
        calls = [_guarded(fn, *both) for both in zip(children, items, strict=True)]
        fork = Fork(self.run.loop, calls)
        await wait(fork)
        for child in children:
            self.clock.join(child.clock)
        for one in fork.results:
            if isinstance(one, _Failed):
                if n > 1:  # the others would have been cancelled
                    raise NotDirect
                raise one.error
        return fork.results

    @asynccontextmanager
    async def as_completed(
        self, requests: Sequence[Request], halt: Halt | None = None
    ) -> AsyncIterator[Any]:
        """Give samples in order of arrival, as `Session.as_completed`."""
        base = self._next_key()
        if not self._alone or len(requests) > _MOST:
            raise NotDirect
        race = DirectRace(self, base, requests, halt)
        try:
            yield race
        finally:
            race.close()

    async def vote(
        self,
        candidates: Sequence[Candidate],
        kind: AnswerKind,
        weights: Sequence[float] | None = None,
    ) -> Answer:
        """Count votes, as `Session.vote`."""
        self._comparing([c.answer for c in candidates], kind)
        with _as_general():
            return voting.plurality(candidates, kind, weights)

    async def leader(self, candidates: Sequence[Candidate], kind: AnswerKind) -> Answer:
        """Take the candidate that scored highest, as `Session.leader`."""
        self._comparing([c.answer for c in candidates], kind)
        with _as_general():
            return voting.best(candidates, kind)

    def same(self, a: str, b: str, kind: AnswerKind) -> bool:
        """Compare two answers, as `Session.same`."""
        self._votes += 1
        with _as_general():
            return compared(a, b, kind) is True

    async def call(self, tool: Callable[[str], Awaitable[str]], argument: str) -> str:  # noqa: ARG002
        """Refuse: tools take the general way."""
        raise NotDirect

    def _comparing(self, answers: Sequence[str | None], kind: AnswerKind) -> None:
        """Refuse what is compared beside other branches in a thread of its own."""
        self._votes += 1
        if not self._alone and may_take_long({one for one in answers if one is not None}, kind):
            raise NotDirect

    def _next_key(self) -> str:
        self._calls += 1
        return f"{self.key}/{self._calls - 1}"

    def _at(self, key: str, width: int) -> Session:
        branch = DirectSession(self.run, self.ledger, self.clock.fork(), key, self.standing)
        branch._crowd = self._crowd * width
        branch._alone = self._alone and width == 1
        return branch

    def _child(self, budget: Budget, standing: Standing) -> Session:
        key = self._next_key()
        if not is_direct(budget):
            raise NotDirect
        account = Account(budget, self.ledger)
        child = DirectSession(self.run, account, self.clock.fork(budget.span), key, standing)
        child._crowd, child._alone = self._crowd, self._alone
        return child


@contextmanager
def _as_general() -> Iterator[None]:
    """Leave it to the general way where answers can't be compared at all."""
    try:
        yield
    except GraderError:
        raise NotDirect from None


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


async def _guarded(
    fn: Callable[[Session, T], Awaitable[R]], session: Session, item: T
) -> R | _Failed:
    """Run a branch; its error is its result, for the group to raise."""
    try:
        return await fn(session, item)
    except (BudgetExceeded, EngineError) as error:
        return _Failed(error)


class DirectRace:
    """Samples as they finish; who leaves cuts the rest."""

    def __init__(
        self, session: DirectSession, base: str, requests: Sequence[Request], halt: Halt | None
    ) -> None:
        self._session, self._loop = session, session.run.loop
        self._arrived: Arrivals[tuple[Clock, Sample] | None] = Arrivals(self._loop)
        self._errors: list[BudgetExceeded | EngineError] = []
        self._lanes = [
            Task(self._lane(f"{base}.{i}/0", request, halt), self._arrived.put)
            for i, request in enumerate(requests)
        ]

    async def __aiter__(self) -> AsyncGenerator[Sample, None]:
        """Give each sample as it finishes, as `core.race.Race`."""
        self._loop.ready.extend(self._lanes)
        is_given = False
        for _ in self._lanes:
            arrival = await self._arrived.take()
            if arrival is not None:
                is_given = True
                self._session.clock.join(arrival[0])
                yield arrival[1]
        if not is_given and self._errors:
            raise first_error(self._errors)

    async def _lane(
        self, key: str, request: Request, halt: Halt | None
    ) -> tuple[Clock, Sample] | None:
        clock = self._session.clock.fork()
        try:
            return clock, await _draw(
                self._session.run, self._session.ledger, clock, key, request, halt
            )
        except (BudgetExceeded, EngineError) as error:
            self._errors.append(error)
            return None

    def close(self) -> None:
        """Cut what still runs; it is charged as far as it came."""
        for lane in self._lanes:
            if not lane.is_dead:
                lane.is_dead = True
                lane.coroutine.close()


async def _draw(
    run: _Run, account: Account, clock: Clock, key: str, request: Request, halt: Halt | None
) -> Sample:
    """Draw one sample: reserved, decoded a slice a turn, cut where the account ends, settled.

    Raises:
        BudgetExceeded: not even a first token fits.
        EngineError: the recording has nothing for this request.
    """
    engine = run.engine
    if request.engine or not needs(request) <= engine.info.capabilities:
        raise NotDirect
    while True:
        cap, is_capped = _cap(request, account, clock)
        leased = min(cap, SLICE)
        refusing = account.refusing(leased)
        if refusing is None:
            break
        if not refusing.held:
            raise BudgetExceeded("a call does not fit the budget", limit="work")
        await wait(refusing)
    account.hold(leased)
    decoding = Decoding(account, cap, leased, 0, is_over=halt() if halt else None)
    try:
        is_asked = request.prefix.endswith(engine.asks)
        place = engine.find(request, is_asked=is_asked)
        whole, said = said_at(engine.chain(request, place), place.depth, is_asked=is_asked)
        decoding.tokens = min(whole, cap)
        if decoding.is_over is not None:
            decoding.chunk = _chunks(place, is_asked=is_asked)
        if decoding.tokens > 0:
            await wait(decoding)
    finally:
        account.settle(decoding.leased, decoding.decoded, run.loop.ready)
        clock.advance(decoding.decoded)
    text = (
        ""
        if is_asked or not decoding.decoded
        else mark(place.chain, place.depth + decoding.decoded)
    )
    if decoding.cut:
        finish = decoding.cut
    elif decoding.decoded == whole and said is not None:
        text, finish = text + said, "stop"
    else:
        finish = "budget" if is_capped else "length"
    usage = Usage(1, output_tokens=decoding.decoded, source="estimated")
    return Sample(text, finish, usage, key=key)  # type: ignore[arg-type]  # a finish of those


def _cap(request: Request, account: Account, clock: Clock) -> tuple[int, bool]:
    """Return the most tokens that may be decoded now, and whether the budget makes it so."""
    cap, is_capped = request.max_tokens, False
    for column, room in (("span", clock.room), ("work", account.work_left())):
        if room is not None and room < cap:
            if room < 1:
                raise BudgetExceeded(f"no {column} is left", limit=column)
            cap, is_capped = room, True
    return cap, is_capped


def _chunks(place: Place, *, is_asked: bool) -> Callable[[int], Chunk]:
    """Make what a rule that watches sees after so many tokens."""

    def chunk(decoded: int) -> Chunk:
        return Chunk("" if is_asked else mark(place.chain, place.depth + decoded))

    return chunk
