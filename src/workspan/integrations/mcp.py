"""A server of the Model Context Protocol: questions answered within hard budgets.

Three tools. ``plan`` prices a run and asks nothing of a model; ``solve`` runs it under the budget
that the call names, and never past what is left of the server's own; ``account`` says what that is.
Engines are those that the server was started with, and strategies are named, never imported: what a
client sends runs no command and opens no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from workspan import __version__
from workspan.app.engines import Opened
from workspan.app.specs import DEFAULT_BUDGET, as_kind, as_problem
from workspan.core.context import Ended, Event
from workspan.core.ledger import Ledger
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.errors import WorkspanError, ungrouped
from workspan.lab.estimating import Range, estimate
from workspan.runner import Result, run
from workspan.serve.wishes import read_budget, safe_strategy, within

COLUMNS = ("work", "calls", "prefill", "cost")
"""Of the server's own budget: what adds up over calls."""
_LONGEST = 200_000
"""Characters of a question."""

Question = Annotated[str, Field(description="What is asked; the model sees nothing else.")]
StrategyText = Annotated[
    str, Field(description="Such as single, self_consistency(n=8) or auto; see Workspan's docs.")
]
BudgetText = Annotated[
    str,
    Field(description="Hard limits of this run: '8k work, 2k span, 16 calls, 30s, $0.05'."),
]
KindText = Annotated[
    str,
    Field(description="How answers are compared: text, number, math, choice, json, code, open."),
]


class Between(BaseModel):
    """From the least to the most that is to be expected."""

    low: float
    high: float


class Priced(BaseModel):
    """What a run would take; nothing was asked."""

    strategy: str
    budget: str
    """With the server's own limits."""
    calls: Between
    work: Between
    span: Between
    prefill: Between
    cost_usd: Between | None
    """None where no price is known."""
    is_affordable: bool
    """The server has room for the most of it."""
    left: str
    """Of the server's own budget."""


class Solved(BaseModel):
    """An answer, and what it cost."""

    answer: str | None
    """None where the run came to none: see `why`."""
    text: str | None
    """All that the winning draw said."""
    votes: dict[str, float]
    why: str
    """Why there is no answer; empty where there is one."""
    strategy: str
    budget: str
    stop: str
    """"done", or the limit that ended it."""
    calls: int
    work: int
    span: int
    prefill: int
    unseen: int
    """Tokens at most that cut calls may have decoded beside."""
    cost_usd: str | None
    source: str
    seconds: float
    notices: list[str]
    left: str


class Account(BaseModel):
    """What the server has spent since it was started, and what is left."""

    spent_calls: int
    spent_work: int
    charged_work: int
    """With what cut calls may have decoded unseen, at most."""
    spent_prefill: int
    spent_cost_usd: str | None
    held_work: int
    """By runs that go on."""
    left: str


@dataclass(frozen=True)
class Desk:
    """What the tools share: engines, the server's own account, and the most of one run."""

    opened: Opened
    account: Ledger
    most: Budget

    def limits(self, asked: str) -> Budget:
        """Return the budget of one run: what was asked, and never more than the server's own.

        Raises:
            SpecError: it is not understood.
        """
        return within(read_budget(asked), self.most)

    @property
    def left(self) -> str:
        """What the server may still spend, as a budget is written."""
        own = self.account.budget
        limited = [name for name in COLUMNS if getattr(own, name) is not None]
        left = {name: max(0, self.account.free(name) or 0) for name in limited}
        return str(Budget(**left)) if left else "unlimited"  # type: ignore[arg-type]

    def problem(self, question: str, kind: str, strategy: Strategy) -> Problem:
        """Make a problem of what a client sent.

        Raises:
            InputError: it is empty, or its kind is none.
        """
        return as_problem(question[:_LONGEST], as_kind(kind), strategy)

    async def plan(self, question: str, strategy: str, budget: str, kind: str) -> Priced:
        """Price a run on simulated models."""
        made, limits = safe_strategy(strategy), self.limits(budget)
        problem = self.problem(question, kind, made)
        engine, others = self.opened.engine, self.opened.engines
        (need,) = (await estimate([made], [problem], engine, budget=limits, engines=others)).needs
        return Priced(
            strategy=need.strategy,
            budget=str(limits),
            calls=_between(need.calls),
            work=_between(need.work),
            span=_between(need.span),
            prefill=_between(need.prefill),
            cost_usd=None if need.cost is None else _between(need.cost),
            is_affordable=self._has_room(need.calls, need.work, need.prefill, need.cost),
            left=self.left,
        )

    async def solve(
        self, question: str, strategy: str, budget: str, kind: str, seed: int, told: _Progress
    ) -> Solved:
        """Run it on the server's account."""
        made, limits = safe_strategy(strategy), self.limits(budget)
        result = await run(
            made,
            self.problem(question, kind, made),
            self.opened.engine,
            budget=limits,
            seed=seed,
            account=self.account,
            engines=self.opened.engines,
            observer=told.see,
        )
        return self._told(result, limits)

    def say(self) -> Account:
        """Say what was spent."""
        spent = self.account.spent
        return Account(
            spent_calls=spent.calls,
            spent_work=spent.output_tokens,
            charged_work=spent.amount.work,
            spent_prefill=spent.prefill,
            spent_cost_usd=None if spent.cost is None else str(spent.cost),
            held_work=self.account.held.work,
            left=self.left,
        )

    def _has_room(self, *needs: Range | None) -> bool:
        names = ("calls", "work", "prefill", "cost")
        room = {name: self.account.free(name) for name in names}
        pairs = zip(names, needs, strict=True)
        return all(
            need is None or room[name] is None or need.high <= float(room[name] or 0)
            for name, need in pairs
        )

    def _told(self, result: Result, limits: Budget) -> Solved:
        answer, usage = result.answer, result.usage
        return Solved(
            answer=answer.text,
            text=answer.best.text if answer.best else None,
            votes={vote.answer: vote.weight for vote in answer.votes},
            why=result.unanswered,
            strategy=result.strategy,
            budget=str(limits),
            stop=result.stop,
            calls=usage.calls,
            work=usage.output_tokens,
            span=result.span,
            prefill=usage.prefill,
            unseen=usage.unseen_tokens,
            cost_usd=None if usage.cost is None else str(usage.cost),
            source=usage.source,
            seconds=round(result.seconds, 3),
            notices=[notice.text for notice in result.notices],
            left=self.left,
        )


class _Progress:
    """Tells a client of calls that have ended, from beside the run."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.calls = 0
        self._news, self._told = anyio.create_memory_object_stream[int](64)

    def see(self, event: Event) -> None:
        """Take note of an event; news that nobody fetches in time is dropped."""
        if isinstance(event, Ended):
            self.calls += 1
            with suppress(anyio.WouldBlock):
                self._news.send_nowait(self.calls)

    async def tell(self) -> None:
        """Report until the run is over."""
        async with self._told:
            async for calls in self._told:
                await self.context.report_progress(calls, None, f"{calls} calls have ended")

    def end(self) -> None:
        """Say that no more will come."""
        self._news.close()


def _between(found: Range) -> Between:
    return Between(low=found.low, high=found.high)


@contextmanager
def _telling() -> Iterator[None]:
    """Turn our errors into those whose message a client sees."""
    try:
        yield
    except BaseExceptionGroup as group:  # of the task that reports progress
        raise _told(ungrouped(group)) from group
    except WorkspanError as error:
        raise _told(error) from error


def _told(error: BaseException) -> BaseException:
    return ToolError(str(error)) if isinstance(error, WorkspanError) else error


def server(opened: Opened, total: Budget, most: Budget) -> Any:
    """Make the server of open engines.

    Args:
        opened: what it asks; left open.
        total: of all runs together, until it ends: work, calls, prefill and cost.
        most: of each run.
    """
    own = Budget(**{name: getattr(total, name) for name in COLUMNS})
    desk = Desk(opened, Ledger(own), within(most, total))
    made = MCPServer(
        "workspan",
        version=__version__,
        instructions=(
            "Answers questions with a language model by strategies such as votes, under hard "
            "budgets. Call plan first: it prices a run and spends nothing. Then call solve."
        ),
    )

    @made.tool()  # type: ignore[untyped-decorator]  # as it is where types are checked
    async def plan(
        question: Question,
        strategy: StrategyText = "self_consistency(n=8)",
        budget: BudgetText = DEFAULT_BUDGET,
        kind: KindText = "text",
    ) -> Priced:
        """Say what a run would take, from the least to the most; no model is asked."""
        with _telling():
            return await desk.plan(question, strategy, budget, kind)

    @made.tool()  # type: ignore[untyped-decorator]
    async def solve(
        question: Question,
        budget: BudgetText,
        context: Context,
        strategy: StrategyText = "self_consistency(n=8)",
        kind: KindText = "text",
        seed: int = 0,
    ) -> Solved:
        """Answer a question within a hard budget, which must be named."""
        told = _Progress(context)
        with _telling():
            async with anyio.create_task_group() as group:
                group.start_soon(told.tell)
                try:
                    solved = await desk.solve(question, strategy, budget, kind, seed, told)
                finally:
                    told.end()
            return solved

    @made.tool()  # type: ignore[untyped-decorator]
    async def account() -> Account:
        """Say what this server has spent since it was started, and what is left."""
        return desk.say()

    return made
