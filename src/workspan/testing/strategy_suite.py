"""What every strategy must keep: exact accounts, hard limits, resumable runs.

Each check runs the strategy on a scripted engine that draws its texts and latencies from the seed
of each request, and raises AssertionError where the promise is broken.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio
import msgspec
from anyio.lowlevel import checkpoint

from workspan.core.clock import Call
from workspan.core.engine import Engine
from workspan.core.journal import Journal
from workspan.core.ledger import Ledger
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.entry import Entry
from workspan.data.types import Amount, Problem, Request, Usage
from workspan.registry.card import Card, Cost, carded, cost
from workspan.retrieval.base import Passage
from workspan.retrieval.tool import Found, Wanted
from workspan.runner import Result, run
from workspan.testing.scripted import ScriptedEngine

PROBLEM = Problem.ask("What is 2 + 2? End with 'Answer: <number>'.", kind="number")


def chatter(request: Request) -> str:
    """Think for 1 to 400 words and answer a number, as the request's seed says; rate or search."""
    rng = random.Random(f"{request.seed}|{request.prompt}|{request.prefix}")
    if "from 0 (certainly wrong)" in request.prompt[-1].text:
        return str(rng.randint(0, 10)) if rng.random() < 0.8 else "no idea"
    words = min(400, int(rng.lognormvariate(3, 1.5)) + 1)
    if any("</search>" in turn.text for turn in request.prompt) and rng.random() < 0.6:
        return " ".join(["think"] * words) + ' <search> ["one, two", "three"] </search>'
    return " ".join(["think"] * words) + f" Answer: {rng.randint(3, 5)}"


@carded(Card(example="scripted", source="this package"))
def scripted() -> ScriptedEngine:
    """Simulate: random words and numbers, no model, to try commands at no cost."""
    return ScriptedEngine(chatter)


async def search(argument: str) -> str:
    """Find one passage for each query, whatever is asked."""
    asked = msgspec.json.decode(argument, type=Wanted).queries
    found = tuple((Passage(query, "two", "The two of four."),) for query in asked)
    return msgspec.json.encode(Found(asked, found)).decode()


TOOLS = {"search": search}


@dataclass
class Outcome:
    """What a run under test left behind."""

    result: Result | None
    """None if it was cancelled."""
    account: Ledger
    engine: ScriptedEngine
    journal: Journal


def lavish(request: Request) -> str:
    """Use the whole cap, then answer, rate or choose, as it is asked."""
    asked = request.prompt[-1].text
    end = ["Answer:", "4"]
    if "Rating:" in asked:
        end = ["Rating:", "7"]
    elif "Choice:" in asked:
        end = ["Choice:", "1"]
    return " ".join([*["think"] * (request.max_tokens - len(end)), *end][: request.max_tokens])


def endless(request: Request) -> str:
    """Answer at once, and go on past any cap."""
    return " ".join(["Answer:", "4", *["think"] * (request.max_tokens + 1)])


def terse(request: Request) -> str:
    """Say as little as can be: one word, and not always."""
    return random.Random(request.seed).choice(["4", "no", "Answer: 4", ""])


SCRIPTS: tuple[Callable[[Request], str], ...] = (lavish, endless, terse, chatter)
"""Models that cost as much as they may, and less."""


def execute(
    strategy: Strategy,
    budget: Budget,
    *,
    problem: Problem = PROBLEM,
    engines: Mapping[str, Engine] | None = None,
    recorded: Sequence[Entry] = (),
    cancel_after: int | None = None,
    overshoot: int = 0,
    script: Callable[[Request], str] = chatter,
) -> Outcome:
    """Run once on a durable journal, cancelled after so many scheduling points if asked."""
    engine = ScriptedEngine(
        script, latency=lambda r: random.Random(r.seed).randint(0, 3), overshoot=overshoot
    )
    journal = Journal(recorded, sink=lambda _: None)
    account = Ledger(Budget())
    results: list[Result] = []

    async def go() -> None:
        results.append(
            await run(
                strategy,
                problem,
                engine,
                budget=budget,
                seed=7,
                journal=journal,
                account=account,
                engines=engines,
                tools=TOOLS,
            )
        )

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(go)
            if cancel_after is not None:
                for _ in range(cancel_after):
                    await checkpoint()
                group.cancel_scope.cancel()

    anyio.run(main)
    return Outcome(results[0] if results else None, account, engine, journal)


def check_account(
    strategy: Strategy, budget: Budget, cancel_after: int | None, overshoot: int
) -> None:
    """Spent = journal = the engine's own bill, nothing is held, no limit is passed."""
    outcome = execute(strategy, budget, cancel_after=cancel_after, overshoot=overshoot)
    spent, billed = outcome.account.spent, outcome.engine.billed
    assert spent == outcome.journal.usage()
    assert (spent.calls, spent.input_tokens) == (billed.calls, billed.input_tokens)
    unseen = billed.output_tokens - spent.output_tokens
    assert 0 <= unseen <= spent.unseen_tokens, "a bill beyond what was reserved for it"
    assert overshoot or spent.output_tokens == billed.output_tokens
    assert outcome.account.held == Amount()
    assert outcome.account.owed == Amount()
    _check_limits(budget, billed, outcome)


def check_work_and_span(strategy: Strategy, budget: Budget) -> None:
    """Work and span equal a brute-force computation over the trace."""
    result = execute(strategy, budget).result
    assert result is not None
    assert result.work == sum(call.usage.output_tokens for call in result.trace)
    assert result.span == longest_path(result.trace)
    assert result.span <= result.work


def check_resume(strategy: Strategy, budget: Budget) -> None:
    """From every prefix of its journal a run asks for nothing that the prefix holds."""
    whole = execute(strategy, budget)
    entries = whole.journal.entries
    replayed = execute(strategy, budget, recorded=entries)
    assert replayed.engine.billed == Usage(), "a finished run asked again"
    assert _essence(replayed.result) == _essence(whole.result)
    for length in range(len(entries)):
        before = Journal(entries[:length])
        resumed = execute(strategy, budget, recorded=entries[:length])
        spent = resumed.account.spent
        asked = spent.calls - before.usage().calls
        assert asked == resumed.engine.billed.calls, "a recorded call was asked again or lost"
        assert spent == resumed.journal.usage()
        assert resumed.account.owed == Amount()
        assert resumed.account.held == Amount()
        _check_limits(budget, spent, resumed)


def check_cost(strategy: Strategy, *, is_bound_alone: bool = False) -> None:
    """Its card's formulas bound what it costs, and where they say exactly, it comes to that.

    Where it has no formulas nothing is held. With `is_bound_alone` it need not come to that: some
    parameters make calls needless, such as a choice among one.
    """
    told = cost(strategy)
    if told is None:
        return
    found = []
    for script in SCRIPTS:
        result = execute(strategy, Budget(), script=script).result
        assert result is not None
        found.append(Cost(result.usage.calls, result.work, result.span))
        for what, spent, bound in zip(Cost._fields, found[-1], told, strict=True):
            assert spent <= bound, f"{what} of a {script.__name__} model: {spent}, said {bound}"
    most = Cost(*(max(values) for values in zip(*found, strict=True)))
    card: Card = strategy.card  # type: ignore[attr-defined]  # it has formulas
    is_free = card.is_most or is_bound_alone
    assert is_free or most == told, f"never came to what its card says: {most}, said {told}"


def check_kill_and_resume(strategy: Strategy, budget: Budget, cancel_after: int) -> None:
    """Cancel anywhere, resume, replay: the same account, and no call twice."""
    cut = execute(strategy, budget, cancel_after=cancel_after)
    resumed = execute(strategy, budget, recorded=cut.journal.entries)
    assert resumed.result is not None
    assert resumed.account.spent == cut.engine.billed + resumed.engine.billed
    _check_limits(budget, resumed.account.spent, resumed)
    again = execute(strategy, budget, recorded=resumed.journal.entries)
    assert again.engine.billed == Usage()
    assert _essence(again.result) == _essence(resumed.result)


def longest_path(trace: Sequence[Call]) -> int:
    """Compute span from the keys alone: steps add up, branches of a fork take the largest."""
    return _span([(_segments(call.key), call.usage.output_tokens) for call in trace if call.waited])


_Branch = tuple[list[tuple[str, int]], int]


def _segments(key: str) -> list[tuple[str, int]]:
    return [(kind, int(number)) for kind, number in re.findall(r"([/.])(\d+)", key)]


def _span(calls: Sequence[_Branch]) -> int:
    here = sum(tokens for path, tokens in calls if not path)
    below: dict[tuple[str, int], list[_Branch]] = {}
    for path, tokens in calls:
        if path:
            below.setdefault(path[0], []).append((path[1:], tokens))
    steps = sum(_span(part) for (kind, _), part in below.items() if kind == "/")
    forks = max((_span(part) for (kind, _), part in below.items() if kind == "."), default=0)
    return here + steps + forks


def _check_limits(budget: Budget, billed: Usage, outcome: Outcome) -> None:
    assert budget.work is None or billed.output_tokens <= budget.work
    assert budget.calls is None or billed.calls <= budget.calls
    assert budget.prefill is None or billed.prefill <= budget.prefill
    assert budget.width is None or outcome.engine.widest <= budget.width
    if outcome.result is not None:
        assert budget.span is None or outcome.result.span <= budget.span
        assert outcome.result.overrun == 0


def _essence(result: Result | None) -> tuple[object, ...]:
    assert result is not None
    return result.answer, result.usage, result.span, result.stop
