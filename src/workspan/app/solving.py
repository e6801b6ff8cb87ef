"""One question, or many under one budget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from workspan.app.answers import Answers, trial_record
from workspan.app.clustering import HERE, CommandFactory, check_where, workers_on
from workspan.app.engines import DEFAULT_ENGINE, EngineLike, Opened, opened
from workspan.app.searching import Corpus, open_search
from workspan.app.specs import (
    BudgetLike,
    StrategyLike,
    as_budget,
    as_problem,
    as_strategy,
    check_count,
    check_seed,
)
from workspan.core.journal import digest
from workspan.data.types import Problem
from workspan.errors import InputError
from workspan.runner import Result, check, run

if TYPE_CHECKING:
    from workspan.app.problems import ProblemsLike
    from workspan.batch.compare import Comparison
    from workspan.batch.trials import Tool, Trial
    from workspan.cluster.told import EngineFactory
    from workspan.core.context import Event
    from workspan.core.engine import Engine
    from workspan.store.journals import JournalFile

ALONE = "self_consistency(n=8)"
SEARCHING = "retrieve"
"""The strategy unless one is named; the second with a corpus."""


async def solve(
    question: Problem | str,
    *,
    strategy: StrategyLike | None = None,
    engine: EngineLike = DEFAULT_ENGINE,
    budget: BudgetLike = None,
    kind: str = "text",
    raw: bool = False,
    seed: int = 0,
    engines: Mapping[str, Engine | str] | None = None,
    tools: Mapping[str, Tool] | None = None,
    corpus: str | None = None,
    stream: Callable[[Event], None] | None = None,
) -> Result:
    """Answer one question under a budget.

    Args:
        question: a text, or a problem, which is asked as it is.
        strategy: or its written form; `self_consistency(n=8)`, or `retrieve` with a corpus.
        engine: open, or its written form, such as 'http://localhost:8000/v1'.
        budget: or its written form; '8k work' where None, no limit where 'unlimited'.
        kind: how the answer is read, such as "number"; of a text.
        raw: ask the text as it is, without asking for a mark of the answer.
        seed: root of all randomness.
        engines: further ones that the strategy names.
        tools: what the strategy may use, such as "search".
        corpus: what strategies that search are given: a folder, or a retriever's address.
        stream: called with each event of the run as it comes, such as a piece of a chain.

    Raises:
        WorkspanError: what is wrong, before anything is spent; or a call that failed.

    Example:
        >>> import anyio, workspan as ws
        >>> async def main():
        ...     return await ws.solve("2 + 2?", kind="number", engine="scripted", budget="2k work")
        >>> anyio.run(main).answer.text in {"3", "4", "5"}
        True
    """
    plan = as_strategy(strategy or (SEARCHING if corpus else ALONE))
    limits, problem = as_budget(budget), as_problem(question, kind, plan, raw=raw)
    check_seed(seed)
    found = {**(await open_search(corpus)).tools, **(tools or {})}
    async with opened(engine, engines, found) as rig:
        return await run(
            plan,
            problem,
            rig.engine,
            budget=limits,
            seed=seed,
            observer=stream,
            engines=rig.engines,
            tools=rig.tools,
        )


async def solve_many(
    problems: ProblemsLike,
    *,
    strategy: StrategyLike | None = None,
    engine: EngineLike = DEFAULT_ENGINE,
    budget: BudgetLike = None,
    pooled: bool = False,
    kind: str = "text",
    limit: int | None = None,
    parallel: int | None = None,
    seed: int = 0,
    journal: JournalFile | Path | str | None = None,
    engines: Mapping[str, Engine | str] | None = None,
    tools: Mapping[str, Tool] | None = None,
    corpus: str | Corpus | None = None,
    on: str = HERE,
    workers: int | None = None,
    factory: EngineFactory | None = None,
    on_answer: Callable[[Trial, Mapping[str, object]], None] | None = None,
) -> Answers:
    """Answer many problems side by side, each under a budget, or all under one.

    Args:
        problems: a file's path, a task set's name, questions, problems, rows, or a data frame.
        strategy: as `solve`.
        engine: as `solve`.
        budget: of each problem; of all together where `pooled`.
        pooled: what the easy ones leave is for the hard ones; for the strategy `auto`.
        kind: of plain questions.
        limit: the first so many.
        parallel: runs at a time; as many as the engine serves well where None.
        seed: root of all randomness.
        journal: a file in which every call is kept; the same call with it resumes.
        engines: as `solve`.
        tools: as `solve`.
        corpus: as `solve`, or one that is open.
        on: what runs them: "here", "ray", or the address of a cluster of Ray; without tools.
        workers: on Ray, as many; as many as it has processors where None.
        factory: how a worker opens engines that are open here already.
        on_answer: called with each run and its record as it is finished.

    Raises:
        WorkspanError: what is wrong, before anything is spent; or the engine is gone: what was
            finished is in the journal.

    Example:
        >>> import anyio, workspan as ws
        >>> ask = lambda: ws.solve_many(["1 + 1?", "2 + 2?"], engine="scripted", strategy="single")
        >>> len(anyio.run(ask))
        2
    """
    from workspan.app.problems import as_tasks  # what one question alone does not need
    from workspan.app.state import opened_journal
    from workspan.batch.compare import compare

    plan = as_strategy(strategy or (SEARCHING if corpus else ALONE))
    limits = as_budget(budget)
    check_count("parallel", parallel)
    if pooled and parallel is not None:
        raise InputError("parallel is not for a pooled budget: its problems run in waves")
    check_where(on, workers)
    if on != HERE and (pooled or corpus or tools):
        raise InputError("on workers a run has no tools, no corpus and no share of a pooled budget")
    tasks = as_tasks(problems, kind=kind, limit=limit, seed=seed, strategy=plan)
    search = corpus if isinstance(corpus, Corpus) else await open_search(corpus)
    async with opened(engine, engines, {**search.tools, **(tools or {})}) as rig:
        check(plan, rig.engine, limits, rig.engines, rig.tools)
        records: dict[str, Mapping[str, object]] = {}

        def finished(trial: Trial) -> None:
            record = trial_record(trial, str(limits), rig)
            records[digest(trial.task.problem)] = record
            if on_answer is not None:
                on_answer(trial, record)

        run_all: Callable[..., Awaitable[Comparison]] = compare
        if pooled:
            from workspan.batch.pooling import pool as run_all  # it brings `auto`
        width: dict[str, object] = {} if pooled else {"parallel": parallel}
        async with AsyncExitStack() as stack:
            if on != HERE:
                found = factory or _factory(engine, engines, rig)
                width = await _away(on, found, rig, workers, parallel, stack)
            kept = opened_journal(journal, rig.header(seed, search.identity))
            journals = stack.enter_context(kept)
            done = await run_all(
                [plan],
                tasks,
                rig.engine,
                budget=limits,
                seed=seed,
                journals=journals,
                on_progress=finished,
                engines=rig.engines,
                tools=rig.tools,
                **width,
            )
    return Answers(done, [records[digest(trial.task.problem)] for trial in done.trials])


def _factory(
    engine: EngineLike, engines: Mapping[str, Engine | str] | None, rig: Opened
) -> EngineFactory:
    """Say how a worker opens what texts name.

    Raises:
        InputError: an engine is open here, and can't be sent.
    """
    further = {name: one for name, one in (engines or {}).items() if isinstance(one, str)}
    if not isinstance(engine, str) or len(further) < len(engines or {}):
        raise InputError("workers open engines by their texts: give a text, such as 'http://…'")
    texts = (engine, *(f"{name}={text}" for name, text in further.items()))
    return CommandFactory(texts, None, None, None, None, rig.identity)


async def _away(
    on: str,
    factory: EngineFactory,
    rig: Opened,
    workers: int | None,
    parallel: int | None,
    stack: AsyncExitStack,
) -> dict[str, object]:
    """Start workers, and return how a comparison is run by them."""
    from workspan.batch.compare import PARALLEL

    places = min(PARALLEL, rig.engine.info.concurrency)
    pool = await stack.enter_async_context(workers_on(on, {_LANE: factory}, workers, places))
    return {"parallel": parallel or pool.workers * places, "away": pool.away(_LANE)}


_LANE = ("",)
