"""What the tools do: price, run and say, on the server's own account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workspan.app.engines import Opened
from workspan.app.specs import as_kind, as_problem
from workspan.core.context import Event
from workspan.core.ledger import Ledger
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.errors import InputError
from workspan.integrations.mcp.forms import Account, Between, Priced, Solved
from workspan.lab.estimating import Range, estimate
from workspan.runner import Result, run
from workspan.serve.wishes import read_budget, safe_strategy, within

COLUMNS = ("work", "calls", "prefill", "cost")
"""Of the server's own budget: what adds up over calls."""
_LONGEST = 200_000
"""Characters of a question."""


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
            InputError: it is empty or too long, or its kind is none.
        """
        if len(question) > _LONGEST:
            raise InputError(f"the question has {len(question)} characters: {_LONGEST} at most")
        return as_problem(question, as_kind(kind), strategy)

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
        self,
        question: str,
        strategy: str,
        budget: str,
        kind: str,
        seed: int,
        see: Callable[[Event], None],
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
            observer=see,
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


def _between(found: Range) -> Between:
    return Between(low=found.low, high=found.high)
