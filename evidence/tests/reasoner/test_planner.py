"""The reasoner as a planner: what of a conversation reaches the weights."""

from __future__ import annotations

import json
from functools import partial
from random import Random

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from workspan.cli.main import app
from workspan.core.engine import Bill
from workspan.data.budget import Budget
from workspan.data.types import Message, Problem, Request
from workspan.errors import EngineRejected, InputError
from workspan.runner import run
from workspan.strategies.evolutionary.mind_evolution import MindEvolution
from workspan.tasks import open_tasks
from workspan_evidence import grammar
from workspan_evidence.claims._timetables import STRATEGIES
from workspan_evidence.families.planning import Timetable, propose, read_problem, written
from workspan_evidence.reasoner.engine import Reasoner
from workspan_evidence.reasoner.planner import Planner, _role
from workspan_evidence.verifiers.timetable_check import TimetableCheck, judged

seeds = st.integers(0, 2**32)


def chain(instance: object, plan: tuple[int, ...]) -> str:
    return f"{grammar.decode(written(instance, plan))} = ok"  # type: ignore[arg-type]


@given(seed=seeds, size=st.sampled_from([(2, 1), (5, 6), (9, 20)]))
def test_a_problem_is_read_back_from_its_prompt(seed: int, size: tuple[int, int]) -> None:
    problem = Timetable(*size).problem(Random(seed))
    again = read_problem(problem.text)
    assert (again.prompt, again.items, again.slots) == (
        problem.prompt,
        problem.items,
        problem.slots,
    )
    assert sorted(again.clashes) == sorted(problem.clashes)


@given(seed=seeds, data=st.data())
def test_what_is_no_problem_is_refused(seed: int, data: st.DataObject) -> None:
    symbols = Timetable(4, 4).problem(Random(seed)).text.split()
    at = data.draw(st.integers(0, len(symbols) - 1))
    for broken in (symbols[:at], [*symbols[:at], "bad", *symbols[at + 1 :]], []):
        with pytest.raises(InputError):
            read_problem(" ".join(broken))


def test_plans_and_clashes_in_words_choose_the_role() -> None:
    rng = Random(3)
    problem = Timetable(6, 9).problem(rng)
    one = (problem.slots[0],) * 6
    other = propose(problem, rng)
    u, v = problem.clashes[0]
    named = f"clash n{problem.items[v]} n{problem.items[u]}"
    assert _role(problem, "Think well.", rng).role == "plan"
    mended = _role(problem, f"{chain(problem, one)}\nAn evaluator says: {named}", rng)
    assert (mended.role, mended.parents) == ("revise", (one,))
    assert mended.blamed in {(u, v), (v, u)}
    assert _role(problem, chain(problem, one), rng).parents == (one, one)
    mixed = _role(problem, f"{chain(problem, one)}\n{chain(problem, other)} {named}", rng)
    assert (mixed.role, set(mixed.parents)) == ("recombine", {one, other})
    stranger = Timetable(6, 9).problem(Random(9))
    assert _role(problem, chain(stranger, propose(stranger, rng)), rng).role == "plan"


def test_the_evaluator_names_what_is_violated_and_nothing_else() -> None:
    problem = Timetable(5, 6).problem(Random(1))
    asked = Problem("p", (Message("user", problem.text),), "open")
    same = judged(asked, chain(problem, (0,) * 5))
    assert same.value == 0
    assert same.reason.count("clash ") == 6
    assert judged(asked, "n1 n2 strange words").reason == "no whole plan can be read"
    rng, best = Random(2), judged(asked, "")
    while best.value < 1:
        best = judged(asked, chain(problem, propose(problem, rng)))
    assert "clash " not in best.reason


def test_a_prompt_without_a_problem_is_refused_before_anything_is_spent() -> None:
    engine, bill = Planner(Reasoner.open("planning")), Bill()

    async def main() -> None:
        async for _ in engine.stream(Request((Message("user", "Plan a trip."),)), bill):
            pass

    with pytest.raises(EngineRejected, match="timetable"):
        anyio.run(main)
    assert bill.usage.output_tokens == 0


def test_strategies_plan_on_the_learnt_proposer_within_their_budget() -> None:
    made = open_tasks("timetable(n=6, clashes=9)").load(4, seed=11)
    engine = Planner(Reasoner.open("planning"))
    evolution = MindEvolution(TimetableCheck(), islands=1, conversations=3, model_reset=False)
    for strategy in (*STRATEGIES.values(), evolution):
        for task in made:
            result = anyio.run(
                partial(run, strategy, task.problem, engine, budget=Budget(work=300))
            )
            best = result.answer.best
            assert 0 < result.work <= 300
            assert best is None or best.score == judged(task.problem, best.text).value


def test_a_person_compares_strategies_on_the_learnt_proposer() -> None:
    plans = "best_of_n(n=4, verifier=timetable_check, max_tokens=120, temperature=1.0)"
    revised = "sequential_revision(threads=1, verifier=timetable_check, max_tokens=120)"
    where = ("--engine", "reasoner:planning", "--task", "timetable(n=5, clashes=6)", "--limit", "8")
    done = CliRunner().invoke(
        app, ["compare", *where, "-s", f"{plans},{revised}", "-b", "200 work", "--json"]
    )
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert {row["strategy"].partition("(")[0] for row in rows} >= {"best_of_n"}
    assert max(row["accuracy"] for row in rows if "accuracy" in row) > 0.5
