"""One request run beside its answer: each strategy on the shadow's account, then what agreed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from anyio import CapacityLimiter
from msgspec import structs

from workspan.app.specs import DEFAULT_BUDGET
from workspan.core.engine import Capability, Engine
from workspan.core.journal import Journal
from workspan.core.session import Session, Strategy, Verifier
from workspan.data.budget import Budget
from workspan.data.types import Answer, Candidate, Problem, Usage
from workspan.errors import BudgetExceeded, InputError, Refused, StoreGone
from workspan.lab.advising.kept import Arm, Said, Shadowed
from workspan.runner import Result, engine_names, parts, run
from workspan.serve.accounts import Account, Accounts
from workspan.serve.asked import NO_WISH, Asked
from workspan.serve.leases import LeasedLedger
from workspan.serve.relay.asking import Passed
from workspan.serve.routing import housekeeping
from workspan.serve.rules import Rules
from workspan.serve.scaled.plan import Plan, plan
from workspan.serve.shadow.given import read_given
from workspan.serve.shadow.marks import kept_text, numbered, problem_of, question_of
from workspan.serve.store.keys import Key
from workspan.serve.store.limits import amount_of, units
from workspan.strategies.reading import candidate

ROUTE = "shadow"
"""Of the rows that shadow calls have among the requests."""
STRAIGHT = "straight"
"""What today's setting is called where requests are passed on."""
_USUAL = Budget.parse(DEFAULT_BUDGET)

Why = Literal["alike", "unread", "budget", "failed"]


class Skipped(Exception):
    """A request is not compared, and why: a word of ours, for the figures."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


@dataclass(frozen=True, slots=True)
class Given:
    """A request and the answer that its client was given."""

    passed: Passed
    at: float
    route: str
    upstream: str
    model: str
    strategy: str
    """Empty where it was passed on."""
    result: Result | None
    """Of the strategy; None where it was passed on."""
    said: bytes
    """The reply, where it was passed on."""
    stop: str
    usage: Usage
    span: int
    seconds: float


@dataclass(frozen=True, slots=True)
class World:
    """What shadow runs go by; the same for all of one worker."""

    strategies: Mapping[str, Strategy]
    accounts: Accounts
    key: Key
    rules: Rules
    salt: str
    keeps_texts: bool
    verifier: Verifier | None = None


@dataclass(frozen=True)
class Scored:
    """Lets the operator's verifier score answers that are there already."""

    given: tuple[Candidate, ...] = field(repr=False)
    verifier: Verifier = field(repr=False)
    requires: ClassVar[frozenset[Capability]] = frozenset()

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Score each."""
        return Answer(None, tuple(await session.score(self.verifier, problem, self.given)))


async def beside(
    given: Given, world: World, engines: Mapping[str, Engine], limiter: CapacityLimiter
) -> Shadowed:
    """Run each strategy beside an answer, and return what all of them came to.

    Raises:
        Skipped: there is nothing to compare, or the account ended it.
        EngineError: a call failed.
    """
    asked = _asked(given)
    plans = _plans(given, asked, world, engines)
    first = next(iter(plans.values()))
    found = [(_now(given), _given_candidate(given, first))]
    for name, made in plans.items():
        result = await _run(made, given, world, engines, limiter)
        found.append((_arm(name, result), result.answer.best))
    numbers, distinct = await asyncio.to_thread(
        numbered, [one for _, one in found], first.problem.kind
    )
    scores = await _scores(distinct, first, given, world, engines, limiter)
    return Shadowed(
        secrets.token_hex(16),
        given.at,
        given.route,
        given.model,
        first.kind.name,
        problem_of(asked, world.salt),
        tuple(replace(arm, answer=n) for (arm, _), n in zip(found, numbers, strict=True)),
        tuple(
            Said(n, kept_text(one.answer or "") if world.keeps_texts else None, score)
            for n, (one, score) in enumerate(zip(distinct, scores, strict=True))
        ),
        question_of(asked) if world.keeps_texts else None,
    )


def _asked(given: Given) -> Asked:
    """Return the request as a chat that nobody's key pays for.

    Raises:
        Skipped: it is none, or a client's housekeeping, or has several choices.
    """
    try:
        passed = given.passed.as_chat
        if passed.n > 1 or housekeeping(passed.body, passed.cap):
            raise Skipped("alike")
    except InputError:
        raise Skipped("unread") from None
    budget = passed.asked.budget
    if budget.work is None and budget.calls is None and budget.cost is None:
        budget = replace(budget, work=_USUAL.work)
    return structs.replace(
        passed.asked, wish=NO_WISH, key=None, budget=budget, upstream=given.upstream
    )


def _plans(
    given: Given, asked: Asked, world: World, engines: Mapping[str, Engine]
) -> dict[str, Plan]:
    """Plan each strategy that would do something else than was done.

    Raises:
        Skipped: none would.
    """
    found: dict[str, Plan] = {}
    for name, strategy in world.strategies.items():
        try:
            made = plan(
                structs.replace(asked, strategy=strategy), engines[given.upstream].info, world.rules
            )
        except InputError:
            continue  # it can't do such a turn
        is_same = made.name == given.strategy if given.strategy else made.is_single
        if not is_same:
            found[name] = made
    if not found:
        raise Skipped("alike")
    return found


def _given_candidate(given: Given, made: Plan) -> Candidate | None:
    """Return what the client was given, as the strategies' own drafts are read.

    Raises:
        Skipped: it can't be read.
    """
    if given.result is not None:
        return given.result.answer.best
    sample = read_given(given.said)
    if sample is None:
        raise Skipped("unread")
    return candidate(made.problem, sample)


async def _run(
    made: Plan,
    given: Given,
    world: World,
    engines: Mapping[str, Engine],
    limiter: CapacityLimiter,
) -> Result:
    """Run one strategy on the shadow's account.

    Raises:
        Skipped: the account ended it, or a call of it failed.
    """
    engine = engines[given.upstream]
    named = {name for part in parts(made.strategy) for name in engine_names(part)}
    opened = world.accounts.open(
        world.key,
        made.budget,
        route=ROUTE,
        model=engine.info.model,
        is_priced=engine.info.price is not None,
    )
    try:
        async with opened as account:
            result = await run(
                made.strategy,
                made.problem,
                engine,
                budget=made.budget,
                seed=made.seed,
                journal=Journal(),
                account=account.ledger,
                limiter=limiter,
                engines={name: engines[name] for name in named & engines.keys()},
                asks_again=False,
            )
            account.note(status=200, strategy=made.name, span=result.span, seconds=result.seconds)
            if _is_cut_by(account, made.budget, result.stop):
                raise Skipped("budget")
    except (Refused, BudgetExceeded, StoreGone):
        raise Skipped("budget") from None
    if result.failures:
        raise Skipped("failed")
    return result


def _is_cut_by(account: Account, budget: Budget, stop: str) -> bool:
    """Say whether the shadow's account ended a run, and not the request's own budget."""
    leases = [one.lease for one in account.ledger.path() if isinstance(one, LeasedLedger)]
    lefts = [
        amount_of(one.limit.quantity, one.remaining) for one in leases if one.limit.quantity == stop
    ]
    own = getattr(budget, stop, None) if lefts else None
    if not lefts or own is None:
        return bool(lefts)
    spent = getattr(account.ledger.spent.amount, stop)
    return bool(min(lefts) < own - spent)


def _now(given: Given) -> Arm:
    """Return the arm of the answer as it was given; which answer it is comes later."""
    votes = _agreement(given.result) if given.result is not None else None
    return _told(
        (given.strategy or STRAIGHT, True, votes, given.stop),
        given.usage,
        given.span,
        given.seconds,
    )


def _arm(name: str, result: Result) -> Arm:
    told = (name, False, _agreement(result), result.stop)
    return _told(told, result.usage, result.span, result.seconds)


def _told(
    told: tuple[str, bool, float | None, str], usage: Usage, span: int, seconds: float
) -> Arm:
    strategy, is_now, agreement, stop = told
    return Arm(
        strategy,
        is_now,
        None,
        agreement,
        stop,
        usage.amount.work,
        span,
        usage.calls,
        usage.prefill,
        None if usage.cost is None else units("cost", usage.cost),
        seconds,
    )


def _agreement(result: Result) -> float | None:
    votes = result.answer.votes
    total = sum(one.weight for one in votes)
    return votes[0].weight / total if total else None


async def _scores(
    distinct: Sequence[Candidate],
    made: Plan,
    given: Given,
    world: World,
    engines: Mapping[str, Engine],
    limiter: CapacityLimiter,
) -> list[float | None]:
    """Let the operator's verifier say which answers are right; None where there is no judgement."""
    if world.verifier is None or not distinct:
        return [None] * len(distinct)
    bare = tuple(replace(one, score=None) for one in distinct)
    judging = replace(made, strategy=Scored(bare, world.verifier), name="verifier")
    result = await _run(judging, given, world, engines, limiter)
    return [one.score for one in result.answer.candidates]
