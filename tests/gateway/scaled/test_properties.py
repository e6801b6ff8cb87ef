"""What holds for any drafts, budget and moment: no order, no loss, no overrun, one bill."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_requests import WEATHER, Bounded, asked, calls
from workspan import voting
from workspan.budget import Budget
from workspan.call import Event
from workspan.errors import WorkspanError
from workspan.serve.asked import Asked
from workspan.serve.scaled import answer, stream
from workspan.strategies.reading import candidate
from workspan.testing.scripted import Said, ScriptedEngine
from workspan.types import Amount, Candidate, Problem, Request, Sample, Usage

CITIES = st.sampled_from(["Oslo", "Rome", "Bern"])
DRAFTS = st.one_of(
    st.builds(calls, CITIES, st.integers(1, 2)),
    st.sampled_from(["I can't know", "Let me think about it", Said(refusal="no")]),
    st.builds(lambda city: calls(city, "wrong"), CITIES),
)
NUMBER = {"messages": [{"role": "user", "content": "Reply with a single number."}]}
TOOLS = {**NUMBER, "tools": [WEATHER]}
BODIES = st.sampled_from([NUMBER, TOOLS, {"messages": [{"role": "user", "content": "Write."}]}])
STRATEGIES = st.sampled_from(
    ["auto", "single", "self_consistency(n=4)", "esc(n=4, window=2)", "adaptive_consistency(n=3)"]
)


def drawn(said: str | Said) -> Sample:
    told = said if isinstance(said, Said) else Said(said)
    return Sample(told.text, "stop", Usage(), tool_calls=told.tool_calls, refusal=told.refusal)


@given(st.lists(DRAFTS, min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_a_vote_knows_no_order(drafts: list[str | Said], rng: Any) -> None:
    chat = asked(TOOLS).chat
    problem = Problem("p", chat.request.prompt, "open", request=chat.request)
    candidates = [candidate(problem, drawn(said)) for said in drafts]
    mixed = rng.sample(candidates, len(candidates))
    one, other = (voting.plurality(each, "open") for each in (candidates, mixed))
    assert sorted(one.votes) == sorted(other.votes)
    assert one.tied == other.tied
    if not one.tied:
        assert _answer(one.best) == _answer(other.best)
    assert len(one.candidates) == len(drafts)
    voters = sum(one.answer is not None for one in candidates)
    assert sum(vote.weight for vote in one.votes) == voters


def _answer(one: Candidate | None) -> str | None:
    return None if one is None else one.answer


@dataclass
class Cancelling:
    """Cancels a request at its n-th event."""

    at: int
    scope: anyio.CancelScope
    seen: int = 0

    def __call__(self, _: Event) -> None:
        self.seen += 1
        if self.seen == self.at:
            self.scope.cancel()


async def cancelled(request: Asked, engine: ScriptedEngine, account: Bounded, at: int) -> Any:
    with anyio.CancelScope() as scope:
        try:
            return await answer(request, {"main": engine}, account, Cancelling(at, scope))
        except WorkspanError as error:
            return error
    return None


async def closed(request: Asked, engine: ScriptedEngine, account: Bounded, at: int) -> Any:
    """Read so many chunks of a stream, and hang up."""
    chunks = stream(request, {"main": engine}, account)
    try:
        for _ in range(at):
            await anext(chunks)
    except (StopAsyncIteration, WorkspanError) as error:
        return error
    finally:
        await chunks.aclose()
    return None


async def dropped(request: Asked, engine: ScriptedEngine, account: Bounded, at: int) -> Any:
    """Read a stream until whoever reads it is cancelled, wherever it is then."""
    with anyio.CancelScope() as scope:
        chunks = stream(request, {"main": engine}, account, Cancelling(at, scope))
        try:
            async with aclosing(chunks):
                return [chunk async for chunk in chunks]
        except WorkspanError as error:
            return error
    return None


@settings(max_examples=150)
@given(
    st.lists(DRAFTS, min_size=1, max_size=5),
    BODIES,
    STRATEGIES,
    st.integers(1, 40),
    st.integers(1, 5),
    st.integers(0, 30),
    st.sampled_from([cancelled, closed, dropped]),
    st.booleans(),
)
def test_no_moment_of_hanging_up_passes_a_budget_or_loses_an_account(
    drafts: list[str | Said],
    body: dict[str, Any],
    strategy: str,
    work: int,
    most: int,
    at: int,
    hang_up: Callable[..., Any],
    is_warmed: bool,
) -> None:
    budget = f"{work} work, {most} calls"
    request = asked(body, strategy, budget)
    account = Bounded(Budget.parse(f"{work} work"))
    engine = Warm(drafts, latency=lambda r: r.seed % 3, caches=1 if is_warmed else None)
    anyio.run(hang_up, request, engine, account, at)
    spent = account.ledger.spent
    assert account.ledger.held == Amount()
    assert spent.output_tokens + spent.unseen_tokens <= work
    assert spent.calls <= most
    assert (spent.calls, spent.output_tokens, spent.input_tokens) == (
        engine.billed.calls,
        engine.billed.output_tokens,
        engine.billed.input_tokens,
    )
    assert engine.in_flight == 0


@settings(max_examples=40)
@given(st.lists(DRAFTS, min_size=1, max_size=5), st.integers(5, 120), STRATEGIES, st.integers(2, 8))
def test_requests_side_by_side_never_pass_the_account_that_they_share(
    drafts: list[str | Said], work: int, strategy: str, width: int
) -> None:
    account = Bounded(Budget(work=work))
    engine = ScriptedEngine(drafts, latency=lambda r: r.seed % 4)

    async def one(number: int) -> None:
        request = asked({**TOOLS, "seed": number}, strategy, "60 work")
        await cancelled(request, engine, account, 5 * number if number % 3 == 0 else 0)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(width):
                group.start_soon(one, number)

    anyio.run(main)
    assert account.ledger.held == Amount()
    assert engine.billed.output_tokens == account.ledger.spent.output_tokens <= work


class Warm(ScriptedEngine):
    """A script that caches prompts, or does not."""

    def __init__(
        self,
        script: list[str | Said],
        latency: Callable[[Request], int],
        caches: int | None,
    ) -> None:
        super().__init__(script, latency)
        self.caches = caches

    @property
    def info(self) -> Any:
        return replace(super().info, caches=self.caches)


@settings(max_examples=60)
@given(st.lists(DRAFTS, min_size=1, max_size=6), BODIES, STRATEGIES, st.integers(20, 200))
def test_a_reply_has_all_that_was_drawn_and_all_that_it_cost(
    drafts: list[str | Said], body: dict[str, Any], strategy: str, work: int
) -> None:
    request = asked(body, strategy, f"{work} work", explain=True)
    engine, account = ScriptedEngine(drafts), Bounded()
    reply = anyio.run(answer, request, {"main": engine}, account)
    usage, workspan = reply.body["usage"], reply.workspan
    assert usage["completion_tokens"] == engine.billed.output_tokens == workspan["work"]
    assert usage["prompt_tokens"] == engine.billed.input_tokens
    assert workspan["calls"] == len(engine.requests) == account.ledger.spent.calls
    assert len(workspan["candidates"]) == len(engine.requests)
    assert workspan["work"] <= work
    assert workspan["overrun"] == 0
