"""One request answered by a strategy, on the account of whoever asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from anyio import CapacityLimiter

from workspan.core.context import Event
from workspan.core.engine import Engine
from workspan.core.journal import Journal
from workspan.core.ledger import Ledger
from workspan.data.types import Sample
from workspan.errors import BudgetExceeded, InputError, nearest
from workspan.protocol.chat_reply import Head, Turn, write_reply
from workspan.runner import Result, engine_names, parts, run
from workspan.serve.asked import Asked
from workspan.serve.rules import Rules
from workspan.serve.scaled.choosing import chosen, samples, turn_of
from workspan.serve.scaled.plan import Plan, plan
from workspan.serve.scaled.telling import told
from workspan.serve.scaled.watching import Decided, Watch


class Account(Protocol):
    """What a request is charged to."""

    @property
    def ledger(self) -> Ledger:
        """A ledger within that of the key."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that is whole."""

    body: dict[str, Any]
    """JSON's values, with `workspan` among them."""
    workspan: dict[str, Any] = field(default_factory=dict)
    """How it was made: what was spent, and by which rule it was chosen."""
    status: int = 200


async def answer(
    asked: Asked,
    engines: Mapping[str, Engine],
    account: Account,
    on_event: Callable[[Event], None] | None = None,
    *,
    rules: Rules | None = None,
    limiter: CapacityLimiter | None = None,
    on_decided: Callable[[Decided], None] | None = None,
) -> Reply:
    """Answer a request and charge all its calls.

    Cancelled, it cuts what runs, and settles it.

    Args:
        asked: what, of whom, within which budget.
        engines: by name; `asked.upstream` answers, the others may judge.
        account: above the request's own budget.
        on_event: told what goes on.
        rules: the operator's.
        limiter: of calls in flight at the engine, shared by requests.
        on_decided: told the votes, before the reply.

    Raises:
        InputError: see `plan`; nothing was spent.
        UnsupportedCapability: the engine offers no such thing; nothing was spent.
        BudgetExceeded: the budget ended before anything was drawn.
        EngineError: every call failed.
    """
    work = Work.of(asked, engines, rules)
    finished = await work.run(account, Watch(on_event, decided=on_decided), limiter)
    turns, workspan = finished.turns, finished.workspan
    body = write_reply(work.head, turns, finished.result.usage)
    return Reply(body | {"workspan": workspan}, workspan)


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that is over, as a reply tells it."""

    result: Result
    turns: list[Turn]
    workspan: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """A request that is ready to be run."""

    asked: Asked
    plan: Plan
    engines: Mapping[str, Engine]
    head: Head

    @classmethod
    def of(cls, asked: Asked, engines: Mapping[str, Engine], rules: Rules | None) -> Work:
        """Plan a request.

        Raises:
            InputError: it can't be done.
        """
        if asked.upstream not in engines:
            hint = nearest(asked.upstream, engines)
            raise InputError(f"no engine is named {asked.upstream!r}: {hint}")
        info = engines[asked.upstream].info
        made = plan(asked, info, rules)
        is_old = "functions" in made.request.extra and not made.request.tools
        head = Head(f"chatcmpl-{asked.id or made.seed}", info.model, int(time.time()), is_old)
        return cls(asked, made, engines, head)

    async def run(
        self, account: Account, watch: Watch, limiter: CapacityLimiter | None = None
    ) -> Finished:
        """Run the strategy; see `answer`."""
        journal, own = Journal(), self.asked.upstream
        result = await run(
            self.plan.strategy,
            self.plan.problem,
            self.engines[own],
            budget=self.plan.budget,
            seed=self.plan.seed,
            journal=journal,
            account=account.ledger,
            limiter=limiter,
            observer=watch,
            engines={name: self.engines[name] for name in self._further()},
            asks_again=not self.plan.is_single,
        )
        drawn = samples(journal)
        taken = chosen(result, self.plan, drawn)
        turns = [turn_of(one, self.plan, drawn, watch) for one in taken]
        if watch.decided is not None:
            keys = tuple(one.key for one in taken)
            watch.decided(Decided(result, keys, self.plan.problem.kind, self.plan.rule))
        if not turns or (result.stop != "done" and not any(map(_says_something, turns))):
            raise BudgetExceeded(f"{_why(result)}; raise the budget", limit=_limit(result))
        return Finished(result, turns, self._told(result, turns, drawn))

    def _further(self) -> set[str]:
        """Name the engines that the strategy asks beside its own: no price of others is needed."""
        named = {name for part in parts(self.plan.strategy) for name in engine_names(part)}
        return named & self.engines.keys()

    def _told(
        self, result: Result, turns: list[Turn], drawn: Mapping[str, Sample]
    ) -> dict[str, Any]:
        said = told(
            self.plan, result, turns, drawn, self.asked.upstream, explains=self.asked.wish.explain
        )
        turn = self.asked.turn
        return said if turn is None else said | {"trajectory": turn.told(result.usage)}


def _says_something(turn: Turn) -> bool:
    said = turn.message
    return bool(said.text or said.tool_calls or said.reasoning or said.refusal)


def _why(result: Result) -> str:
    return result.unanswered or "nothing was drawn"


def _limit(result: Result) -> str:
    return result.stop if result.stop != "done" else "work"
