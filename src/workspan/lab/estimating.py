"""What a comparison will take, before anything is spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import anyio

from workspan.batch.compare import PARALLEL
from workspan.batch.trials import Tool
from workspan.core.engine import FREE, Bill, Engine
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Message, Problem, Request
from workspan.errors import EngineRejected, InputError, UnsupportedCapability
from workspan.lab.replay.simulated import HABITS, Habit, SimulatedEngine
from workspan.runner import Result, check, run
from workspan.spec import write

SAMPLED = 8
"""Problems that an estimate tries each strategy on; the others are taken to be like them."""

MOST_CALLS = 400
"""Simulated calls for a strategy and a habit: one that makes many is tried on fewer problems."""

_PROBE = Request((Message("user", "Count from one to one hundred in words."),), max_tokens=32)


@dataclass(frozen=True, slots=True)
class Range:
    """From the least to the most that is to be expected."""

    low: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast an engine decodes, in tokens a second."""

    together: float
    """Of all chains side by side."""
    alone: float
    """Of each chain among them."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a strategy will take for all problems together."""

    strategy: str
    calls: Range
    work: Range
    """Decoded tokens."""
    span: Range
    """Decoded tokens on the longest chain of calls, added up over the problems."""
    prefill: Range
    cost: Range | None
    """USD; None where no price is known."""
    seconds: Range | None
    """Wall clock; None where the speed is not known and the budget does not limit seconds."""

    def __add__(self, other: Need) -> Need:
        cost = self.cost + other.cost if self.cost and other.cost else None
        seconds = self.seconds + other.seconds if self.seconds and other.seconds else None
        return Need(
            "all",
            self.calls + other.calls,
            self.work + other.work,
            self.span + other.span,
            self.prefill + other.prefill,
            cost,
            seconds,
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is to be expected of a comparison."""

    needs: tuple[Need, ...]
    problems: int
    budget: Budget
    speed: Speed | None = None
    """What the seconds rest on, where it was measured."""
    unsized_media: int = 0
    """Images, sounds and files in the prompts whose tokens nobody states: prefill and money leave
    them out."""

    @property
    def total(self) -> Need:
        """All strategies together."""
        first, *rest = self.needs
        return sum(rest, replace(first, strategy="all"))


async def estimate(
    strategies: Sequence[Strategy],
    problems: Sequence[Problem],
    engine: Engine,
    *,
    budget: Budget,
    speed: Speed | None = None,
    engines: Mapping[str, Engine] | None = None,
    tools: Mapping[str, Tool] | None = None,
    sampled: int = SAMPLED,
) -> Estimate:
    """Run each strategy under its budget on simulated models, from quick to slow, sure or unsure.

    Chains are of 32 tokens and up until they fill their caps, answers agree or never do; the range
    spans what the strategy took on any of them: to be expected, while the budget is what bounds it.
    The engines count prompts, and are asked nothing; the tools are used. At most `sampled` problems
    are tried, and the others are taken to be like them.

    Raises:
        InputError: no strategy or no problem.
        UnsupportedCapability: an engine lacks what a strategy needs.
        SpecError: a strategy names an engine or needs a tool that there is not.
        UnpricedModel: a money limit on a model without a price.
    """
    if not strategies or not problems:
        raise InputError("an estimate needs at least one strategy and one problem")
    step = max(1, len(problems) // sampled)
    chosen = problems[::step][:sampled]
    engines, tools = engines or {}, tools or {}

    async def rehearse(strategy: Strategy, problem: Problem, habit: Habit, seed: int) -> Result:
        return await run(
            strategy,
            problem,
            SimulatedEngine(engine, habit, problem.kind),
            budget=replace(budget, seconds=None),  # a simulation is done at once
            seed=seed,
            engines={n: SimulatedEngine(e, habit, problem.kind) for n, e in engines.items()},
            tools=tools,
        )

    needs = []
    for strategy in strategies:
        check(strategy, engine, budget, engines, tools)
        tried = []
        for habit in HABITS:
            first = await rehearse(strategy, chosen[0], habit, 0)
            few = chosen[1 : max(1, MOST_CALLS // max(1, first.usage.calls))]
            rest = [await rehearse(strategy, p, habit, i + 1) for i, p in enumerate(few)]
            tried.append([first, *rest])
        needs.append(_need(strategy, tried, len(problems), budget, speed))
    unsized = await _unsized(problems, (engine, *engines.values()))
    return Estimate(tuple(needs), len(problems), budget, speed, unsized)


async def _unsized(problems: Sequence[Problem], engines: Sequence[Engine]) -> int:
    """Count what is no text in prompts of which an engine can't bound the size."""
    found = 0
    for problem in problems:
        parts = sum(len(turn.media) for turn in problem.prompt)
        for engine in engines if parts else ():
            try:
                await engine.count(Request(problem.prompt))
            except UnsupportedCapability:
                found += parts
                break
    return found


async def slowest(engines: Iterable[Engine], problem: Problem | None = None) -> Speed | None:
    """Time each engine and give the lowest speeds; None where asking one may cost money.

    One that does not read ordinary text is asked the problem in its place.
    """
    speeds = [await measure_speed(engine, problem=problem) for engine in engines]
    known = [speed for speed in speeds if speed is not None]
    if len(known) < len(speeds):
        return None
    return Speed(min(s.together for s in known), min(s.alone for s in known))


async def measure_speed(
    engine: Engine, chains: int = 16, problem: Problem | None = None
) -> Speed | None:
    """Time `chains` short chains side by side; None where that may cost money, or nobody is there.

    Args:
        engine: left open.
        chains: side by side.
        problem: asked where the engine refuses an ordinary text, as one with a grammar does.
    """
    if engine.info.price != FREE or not engine.info.is_seen:
        return None
    chains, probe = min(chains, engine.info.concurrency), _PROBE
    try:
        await _decode(engine, replace(probe, max_tokens=1))  # a model loads at its first call
    except EngineRejected:
        if problem is None:
            raise
        probe = replace(probe, prompt=problem.prompt)
        await _decode(engine, replace(probe, max_tokens=1))
    decoded: list[int] = []

    async def one(seed: int) -> None:
        decoded.append(await _decode(engine, replace(probe, seed=seed)))

    began = anyio.current_time()
    async with anyio.create_task_group() as group:
        for seed in range(chains):
            group.start_soon(one, seed)
    together = sum(decoded) / max(anyio.current_time() - began, 1e-6)
    return Speed(together, together / chains)


async def _decode(engine: Engine, request: Request) -> int:
    bill = Bill()
    async for _ in engine.stream(request, bill):
        pass
    return bill.usage.output_tokens


def _need(
    strategy: Strategy,
    tried: Sequence[Sequence[Result]],
    problems: int,
    budget: Budget,
    speed: Speed | None,
) -> Need:
    """Span all that was tried, scaled up to all problems."""
    at_once = min(PARALLEL, problems)

    def over(measure: Callable[[Result], float]) -> Range:
        means = [fmean(measure(result) for result in results) for results in tried]
        return Range(min(means) * problems, max(means) * problems)

    def seconds(result: Result) -> float:
        if speed is None:
            return float("inf")
        return max(result.work / speed.together, result.span / speed.alone / at_once)

    limit = float("inf") if budget.seconds is None else budget.seconds
    clock = over(lambda result: min(limit, seconds(result)))
    priced = all(result.usage.cost is not None for results in tried for result in results)
    return Need(
        write(strategy),
        over(lambda result: result.usage.calls),
        over(lambda result: result.work),
        over(lambda result: result.span),
        over(lambda result: result.usage.prefill),
        over(lambda result: float(result.usage.cost or 0)) if priced else None,
        _known(clock, speed),
    )


def _known(clock: Range, speed: Speed | None) -> Range | None:
    """Say None for no end, and start at 0 where only the end is known."""
    if clock.high == float("inf"):
        return None
    return clock if speed is not None else Range(0.0, clock.high)
