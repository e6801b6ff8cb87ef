"""The package's weights through sessions: strategies as on any engine, judged by the families."""

from __future__ import annotations

import anyio

from workspan.answers import extract
from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.data.types import Request
from workspan.runner import run
from workspan.spec import parse_strategy
from workspan.tasks import open_tasks
from workspan.testing.engine_suite import draw
from workspan_evidence.reasoner.engine import Reasoner


def accuracy(task: str, strategy: str, n: int, engine: Engine | None = None) -> float:
    async def main() -> float:
        used = engine or Reasoner.open("graphs")
        right = list[float]()

        async def one(i: int) -> None:
            asked = parse_strategy(strategy)
            result = await run(asked, tasks[i].problem, used, budget=Budget(work=400), seed=i)
            assert result.work <= 400
            grade = await tasks[i].grader(tasks[i], result.answer.text)
            right.append(grade.correct)

        async with anyio.create_task_group() as group:
            for i in range(n):
                group.start_soon(one, i)
        return sum(right) / n

    tasks = open_tasks(task).load(n, seed=5)
    return anyio.run(main)


def test_a_long_chain_solves_what_a_vote_of_short_ones_does_not() -> None:
    long = accuracy("deep(d=6)", "single(temperature=1)", 40)
    short = accuracy("deep(d=6)", "self_consistency(n=16, temperature=1, max_tokens=9)", 40)
    assert long > 0.85
    assert short < 0.55  # 1 - (1 - 2^-6)^16 = 0.22 when all chains are ideal


def test_below_a_paths_length_every_chain_abstains_or_is_cut() -> None:
    assert accuracy("path(d=8)", "self_consistency(n=16, temperature=1, max_tokens=8)", 20) == 0
    assert accuracy("path(d=8)", "single(temperature=1)", 20) > 0.8


def test_a_chain_that_is_made_to_answer_before_it_knows_abstains() -> None:
    async def main() -> None:
        engine = Reasoner.open("graphs")
        for task in open_tasks("deep(d=6)").load(20, seed=7):
            request = Request(task.problem.prompt, " =", max_tokens=2, temperature=1.0)
            text, _, _ = await draw(engine, request)
            assert text.startswith(" ?")
            assert extract("=" + text, task.problem.kind) is None

    anyio.run(main)


def test_a_strategy_that_probes_its_chains_does_so_in_the_grammar() -> None:
    probing = "parallel_probe(n=4, block=8, warmup=0, probe=' =', probe_tokens=4, temperature=1)"
    assert accuracy("deep(d=4)", probing, 20) > 0.8
