"""A strategy's only door to the world: samples, forks, tools and scores, all on account."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

import anyio
import msgspec

from workspan.answers import voting
from workspan.core import timed_vote
from workspan.core.attempt import Halt
from workspan.core.call import draw
from workspan.core.clock import Clock
from workspan.core.context import Best, Context, Verdicts
from workspan.core.engine import Capability, EngineInfo
from workspan.core.journal import seed_for
from workspan.core.ledger import Ledger
from workspan.core.race import Race
from workspan.data.budget import Budget
from workspan.data.entry import Entry
from workspan.data.types import (
    Answer,
    AnswerKind,
    Candidate,
    Notice,
    NoticeCode,
    Problem,
    Request,
    Sample,
)
from workspan.errors import BudgetExceeded, EngineError, VerifierError, first_error, ungrouped
from workspan.registry.table import written

NO_LIMITS = Budget()

_ORDINARY = 256
"""Branches that are begun whatever the budget: calls that fail or decode nothing take places."""
_FEWEST = 16
"""The same where branches are inside of branches."""
_MOST = 100_000
"""Branches at once: more would fill the memory of a machine before its first answer."""
_AT_ONCE = 4096
"""Tasks that run at once; the others of a wider round follow as these end."""

T = TypeVar("T")
R = TypeVar("R")


class Strategy(Protocol):
    """Turns a problem into an answer through a session; a frozen dataclass in practice."""

    requires: ClassVar[frozenset[Capability]]
    """What the engine must offer; checked before any spend, with what its parts require."""

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Spend what the session allows and return the answer, or an abstention."""
        ...


@runtime_checkable
class Fits(Protocol):
    """A strategy that asks more of an engine than capabilities."""

    def check(self, info: EngineInfo) -> None:
        """Refuse an engine that it can't work with, before any spend.

        Raises:
            SpecError: says what does not fit, and what would.
        """
        ...


@dataclass(frozen=True, slots=True)
class Score:
    """What a verifier says of one candidate."""

    value: float
    """In [0, 1], higher is better; 1 is a pass."""
    reason: str = ""
    """What is wrong and what would be better, where the verifier can tell."""


class Verifier(Protocol):
    """Judges a candidate without the reference answer; its own calls go through the session."""

    requires: ClassVar[frozenset[Capability]]

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Judge one candidate.

        Raises:
            VerifierError: there is no judgement, which says nothing about the candidate.
        """
        ...


@dataclass(slots=True)
class Standing:
    """The best candidate so far of one strategy, shared by its sessions."""

    best: Candidate | None = None


class Session:
    """A scoped account with an engine: every call through it is charged, journaled, replayable.

    Calls on one session are keyed by their order, so one session belongs to one task at a time;
    `map`, `samples`, `as_completed` and `child` hand out sessions of their own.
    """

    def __init__(
        self,
        run: Context,
        ledger: Ledger,
        clock: Clock,
        key: str = "",
        standing: Standing | None = None,
    ) -> None:
        self.run, self.ledger, self.clock, self.key = run, ledger, clock, key
        self.standing = standing or Standing()
        self.drafts: tuple[Candidate, ...] = ()
        """What there is to begin with, best first: see `attempt`."""
        self._crowd = 1
        """Sessions like this one, at most, in the rounds that it is part of."""
        self._calls = self._votes = 0
        self._guard = anyio.ResourceGuard("using this session")  # else replay has no order

    @cached_property
    def rng(self) -> random.Random:
        """The only randomness a strategy may use: derived from the run's seed and this place."""
        return random.Random(seed_for(self.run.seed, f"{self.key}:rng"))

    @property
    def engine(self) -> EngineInfo:
        """What the engine is and can do."""
        return self.run.engine.info

    def left(self) -> Budget:
        """Return the work and the span that are left here; None is unlimited.

        Where money is limited, no more work is left than it buys. Journaled, since what is left
        differs when the run is resumed, and plans must not.
        """
        key = self._next_key()
        attempts = self.run.journal.attempts(key, "")
        if attempts:
            work, span = msgspec.convert(attempts[-1][1].value, tuple[int | None, int | None])
            return Budget(work=work, span=span)
        work, span = self._work_left(), self.clock.room
        now = self.run.elapsed()
        entry = Entry(key, "value", value=[work, span], began=now, ended=now)
        self.run.journal.append(entry)
        return Budget(work=work, span=span)

    def _work_left(self) -> int | None:
        money, price = self.ledger.cost_left(), self.engine.price
        bought = None
        if money is not None and price is not None and price.output:
            bought = int(money * 1_000_000 / price.output)
        return min((x for x in (self.ledger.work_left(), bought) if x is not None), default=None)

    def room(self) -> int | None:
        """Return the most tokens that the next call could decode; None is unlimited."""
        left = self.left()
        return min((room for room in (left.work, left.span) if room is not None), default=None)

    def branches(self, n: int) -> int:
        """Return how many of `n` branches could ever get a token: ask for no more at once.

        That is as many as the budget has tokens or calls, and never less than is ordinary, so that
        a width in the billions begins no billion tasks. It hangs on the budget alone and not on
        what is left of it, since a resumed run must come to the same.
        """
        budgets = [account.budget for account in self.ledger.path()]
        limits = [x for one in budgets for x in (one.work, one.calls) if x is not None]
        fewest = max(_FEWEST, _ORDINARY // self._crowd)
        return min(n, max(fewest, min(limits, default=_MOST)), _MOST)

    async def sample(self, request: Request, halt: Halt | None = None) -> Sample:
        """Draw one sample; it may end early with `finish` "budget" or "deadline".

        `halt` makes a rule that sees the chunks as they come and cuts the sample, "halted", by
        returning True. A resumed run has the sample that was left, and does not ask the rule again.

        Raises:
            BudgetExceeded: not even a first token fits.
            EngineError: the call failed.
        """
        key = self._next_key()
        with self._guard:
            return await draw(self.run, self.ledger, self.clock, key, request, halt)

    async def samples(self, request: Request, n: int) -> list[Sample]:
        """Draw up to n samples at once, in draw order.

        Fewer come back when the budget ends first or calls fail.

        Raises:
            BudgetExceeded: not even one fits.
            EngineError: every call failed; `keys` names them all.
        """
        errors: list[BudgetExceeded | EngineError] = []

        async def one(session: Session, request: Request) -> Sample | None:
            try:
                return await session.sample(request)
            except (BudgetExceeded, EngineError) as error:
                errors.append(error)
                return None

        drawn = [s for s in await self.map(one, [request] * self.branches(n)) if s is not None]
        if not drawn:
            raise first_error(errors)
        return drawn

    async def map(self, fn: Callable[[Session, T], Awaitable[R]], items: Sequence[T]) -> list[R]:
        """Run `fn` over items at once, each in a session of its own; results in item order.

        An error in one cancels the others and is raised bare.
        """
        base = self._next_key()
        children = [self._at(f"{base}.{i}", len(items)) for i in range(len(items))]
        results: list[R | None] = [None] * len(items)
        places = iter(range(len(items)))

        async def some() -> None:
            for i in places:  # shared: each place is taken once, in order
                results[i] = await fn(children[i], items[i])
                if len(items) <= _AT_ONCE:
                    break

        with self._guard:
            try:
                async with anyio.create_task_group() as group:
                    for _ in range(min(len(items), _AT_ONCE)):
                        group.start_soon(some)
            except BaseExceptionGroup as errors:
                raise ungrouped(errors) from errors
        for child in children:
            self.clock.join(child.clock)
        return results  # type: ignore[return-value]  # each was set, or the group raised

    @asynccontextmanager
    async def as_completed(
        self, requests: Sequence[Request], halt: Halt | None = None
    ) -> AsyncIterator[Race]:
        """Give samples in order of arrival (recorded order on replay); leaving cancels the rest.

        Calls that fail or do not fit are left out. What was received moves this session's clock;
        what was cancelled stays in work and not in span.
        """
        base = self._next_key()
        race = Race(self.run, self.ledger, self.clock, base, requests, halt)
        with self._guard:
            async with race.open():
                yield race

    async def score(
        self, verifier: Verifier, problem: Problem, candidates: Sequence[Candidate]
    ) -> list[Candidate]:
        """Return the candidates with their scores, in order; None where there is no judgement.

        A verdict that the budget, a failed call or the verifier itself did not allow is none, as is
        a score beyond [0, 1]. The result's notices say how many are missing, and why the first is.
        """
        told = self.run.verdicts.setdefault(_named(verifier), Verdicts())

        async def one(session: Session, candidate: Candidate) -> Candidate:
            told.asked += 1
            try:
                score = await verifier(problem, candidate, session)
                if not 0 <= score.value <= 1:
                    raise VerifierError(f"scores lie in [0, 1], not {score.value}")  # noqa: TRY301
            except (VerifierError, BudgetExceeded, EngineError) as error:
                told.lost += 1
                told.first = told.first or str(error)
                return candidate
            return replace(candidate, score=score.value, feedback=score.reason)

        return await self.map(one, candidates)

    async def vote(
        self,
        candidates: Sequence[Candidate],
        kind: AnswerKind,
        weights: Sequence[float] | None = None,
    ) -> Answer:
        """Count votes: `voting.plurality`, in the time that is left, without holding others up.

        Answers that could not be compared in time count as different, and a notice says so.
        """
        count = partial(voting.plurality, candidates, kind, weights)
        return await timed_vote.counted(self.run, self._vote_key(), candidates, kind, count)

    async def leader(self, candidates: Sequence[Candidate], kind: AnswerKind) -> Answer:
        """Take the candidate that scored highest: `voting.best`, in the time that is left."""
        count = partial(voting.best, candidates, kind)
        return await timed_vote.counted(self.run, self._vote_key(), candidates, kind, count)

    def same(self, a: str, b: str, kind: AnswerKind) -> bool:
        """Compare two answers in the time that is left; a pair that was cut is different."""
        return timed_vote.same(self.run, self._vote_key(), a, b, kind)

    async def call(self, tool: Callable[[str], Awaitable[str]], argument: str) -> str:
        """Run a tool and journal its result, so that a resumed run does not run it again.

        Raises:
            BudgetExceeded: the time is up, before it or while it ran.
        """
        key = self._next_key()
        attempts = self.run.journal.attempts(key, "")
        if attempts and attempts[-1][1].outcome == "value":
            return str(attempts[-1][1].value)
        with self._guard:
            began = self.run.elapsed()
            with self.run.time_left():
                if not self.run.is_over:
                    value = await tool(argument)
                    now = self.run.elapsed()
                    entry = Entry(key, "value", value=value, began=began, ended=now)
                    self.run.journal.append(entry)
                    return value
            raise self.run.refuse("the time is up", "seconds")

    async def use(self, name: str, argument: str) -> str:
        """Run one of the run's tools by its name, journaled; `check` has seen that it is there."""
        return await self.call(self.run.tools[name], argument)

    @contextmanager
    def child(self, budget: Budget) -> Iterator[Session]:
        """Open an account within this one, for a part that may spend `budget` at most."""
        child = self._child(budget, self.standing)
        try:
            yield child
        finally:
            self.clock.join(child.clock)

    async def attempt(
        self,
        strategy: Strategy,
        problem: Problem,
        budget: Budget = NO_LIMITS,
        drafts: Sequence[Candidate] = (),
    ) -> Answer:
        """Run a strategy as a part of this one, on an account of its own within this one.

        `drafts` are candidates that the run has, best first: a strategy that revises or recombines
        begins with them in place of drafts of its own, others take no notice. When the budget ends
        it, the best candidate that it had is its answer.

        Raises:
            EngineError: it could not go on without a call that failed.
        """
        child = self._child(budget, Standing())
        child.drafts = tuple(drafts)
        try:
            return await strategy(problem, child)
        except BudgetExceeded:
            best = child.standing.best
            return Answer(best, (best,) if best else ())
        finally:
            self.clock.join(child.clock)

    def best(self, candidate: Candidate) -> None:
        """Say what the answer would be if the run ended now."""
        self.standing.best = candidate
        if self.run.observer is not None:
            self.run.observer(Best(candidate))

    def notice(self, code: NoticeCode, text: str) -> None:
        """Tell the run's owner what is odd; not journaled, as a resumed run says it again."""
        self.run.notice(Notice(code, text))

    def _next_key(self) -> str:
        with self._guard:
            self._calls += 1
        return f"{self.key}/{self._calls - 1}"

    def _vote_key(self) -> str:
        """Number votes apart from calls, whose keys make their seeds."""
        self._votes += 1
        return f"{self.key}:vote{self._votes - 1}"

    def _at(self, key: str, width: int) -> Session:
        branch = Session(self.run, self.ledger, self.clock.fork(), key, self.standing)
        branch._crowd = self._crowd * width
        return branch

    def _child(self, budget: Budget, standing: Standing) -> Session:
        key = self._next_key()
        ledger = Ledger(budget, self.ledger, self.run.journal.usage(key))
        child = Session(self.run, ledger, self.clock.fork(budget.span), key, standing)
        child._crowd = self._crowd
        return child


def _named(verifier: Verifier) -> str:
    """Name a verifier in a notice as it is written, or by its own name, where it has one."""
    return str(getattr(verifier, "name", None) or written(type(verifier)))
