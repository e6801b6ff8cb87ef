"""Questions of known shape, searched with one query a round and with several."""

from __future__ import annotations

from contextlib import aclosing
from functools import lru_cache
from typing import Literal, TypeAlias

import anyio
import numpy as np

from workspan.batch.compare import side_by_side
from workspan.claims.base import Setting
from workspan.claims.measures import Floats
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.lab.retrieval import RetrievalMetrics, retrieval_metrics
from workspan.retrieval import search_tool
from workspan.retrieval.bm25 import Bm25
from workspan.runner import run
from workspan.strategies.retrieval.retrieve import Retrieve
from workspan.tasks.base import Task
from workspan.tasks.hops import Hops

Mode: TypeAlias = Literal["sequential", "parallel"]

MODES: tuple[Mode, Mode] = ("sequential", "parallel")
"""One query a round, and several."""
SEARCHER = "simulated_searcher(mode={mode!r}, k={k})"
"""Of workspan-evidence: no model, where none is stated."""
QUERIES = 3
"""A round, at most."""
ROUNDS = 40
BUDGET = Budget(work=16_384)
"""Of a question; the simulated searcher takes less than a tenth of it."""
ON = (
    "real strategy, BM25 and accounts; the searcher is a simulated policy, no model, or the model "
    "of --engine"
)


@lru_cache
def searched(hops: int, ways: int, mode: Mode, setting: Setting) -> tuple[RetrievalMetrics, ...]:
    """Run the strategy `retrieve` in one of its modes on questions of one shape."""
    return anyio.run(_searched, Hops(hops, ways), mode, setting)


async def _searched(shape: Hops, mode: Mode, setting: Setting) -> tuple[RetrievalMetrics, ...]:
    problems, seed = setting.size(100, 400), setting.seed
    tool = search_tool(Bm25.build(shape.passages(problems, seed)))
    strategy = Retrieve(mode=mode, k=QUERIES, rounds=ROUNDS)
    found: dict[str, RetrievalMetrics] = {}
    opened = await setting.open(SEARCHER.format(mode=mode, k=QUERIES))

    async def ask(task: Task) -> None:
        problem, journal = task.problem, Journal()
        tools = {"search": tool}
        result = await run(
            strategy, problem, opened, budget=BUDGET, seed=seed, journal=journal, tools=tools
        )
        found[problem.id] = retrieval_metrics(task, result, journal)

    tasks = shape.load(problems, seed)
    async with aclosing(opened):
        await side_by_side(ask, tasks, opened.info.concurrency)
    return tuple(found[task.problem.id] for task in tasks)


def column(found: tuple[RetrievalMetrics, ...], name: str) -> Floats:
    """Return one measure of every problem."""
    return np.array([getattr(one, name) for one in found], dtype=np.float64)


def times(one: Floats, other: Floats) -> Floats:
    """Return how many times the other each is; what was never asked for counts as 1."""
    ratio: Floats = np.maximum(one, 1.0) / np.maximum(other, 1.0)
    return ratio
