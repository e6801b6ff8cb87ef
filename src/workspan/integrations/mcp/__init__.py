"""A server of the Model Context Protocol: questions answered within hard budgets.

Three tools. ``plan`` prices a run and asks nothing of a model; ``solve`` runs it under the budget
that the call names, and never past what is left of the server's own; ``account`` says what that is.
Engines are those that the server was started with, and strategies are named, never imported: what a
client sends runs no command and opens no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from workspan import __version__
from workspan.app.engines import Opened
from workspan.app.specs import DEFAULT_BUDGET
from workspan.core.context import Ended, Event
from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.errors import WorkspanError, ungrouped
from workspan.integrations.mcp.desk import COLUMNS, Desk
from workspan.integrations.mcp.forms import Account, Priced, Solved
from workspan.integrations.mcp.strict import StrictServer
from workspan.legible import counted
from workspan.serve.wishes import within

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


def server(opened: Opened, total: Budget, most: Budget) -> Any:
    """Make the server of open engines.

    Args:
        opened: what it asks; left open.
        total: of all runs together, until it ends: work, calls, prefill and cost.
        most: of each run.
    """
    own = Budget(**{name: getattr(total, name) for name in COLUMNS})
    desk = Desk(opened, Ledger(own), within(most, total))
    made = StrictServer(
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
                    solved = await desk.solve(question, strategy, budget, kind, seed, told.see)
                finally:
                    told.end()
            return solved

    @made.tool()  # type: ignore[untyped-decorator]
    async def account() -> Account:
        """Say what this server has spent since it was started, and what is left."""
        return desk.say()

    return made


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
                await self.context.report_progress(calls, None, f"{counted(calls, 'call')} ended")

    def end(self) -> None:
        """Say that no more will come."""
        self._news.close()


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
