"""Certificates on draws that a limit cut: what is missing is never taken for what is right."""

from __future__ import annotations

import random
from pathlib import Path

import anyio
import pytest

from workspan import sync
from workspan.batch.compare import compare
from workspan.data.budget import Budget
from workspan.data.entry import Header
from workspan.data.types import Request
from workspan.errors import BudgetExceeded
from workspan.lab.calibrating import calibrate
from workspan.lab.certifying.certify import Mode, Wish, certify
from workspan.lab.labelling.answers import Answered, Voted, choose
from workspan.lab.labelling.labels import Head, label, profile_of
from workspan.recordings.journals import read_journal
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.strategies.auto.fit.profile import Case, Profile, Record
from workspan.tasks import tasks_of_rows
from workspan.testing.scripted import ScriptedEngine

EASY, HARD = 36, 4
ROWS = [
    {"prompt": f"{i} {'is hard' if i < HARD else 'is easy'}", "answer": "1", "kind": "number"}
    for i in range(EASY + HARD)
]


def thinks(request: Request) -> str:
    """Be right in three words on what is easy, and wrong after forty on what is hard."""
    is_hard = "hard" in request.prompt[-1].text
    return "hm " * 38 + "Answer: 2" if is_hard else "so Answer: 1"


def cut(case: Case, draws: int) -> Case:
    return replace_case(case, case.chains[:draws])


def replace_case(case: Case, chains: tuple[Record, ...]) -> Case:
    return Case(chains, case.right, case.task, case.arms, case.prompt_features, cut=True)


def drawn(rng: random.Random, n: int, draws: int = 8) -> list[Case]:
    """Two kinds of problems; on the long ones the model agrees on what is wrong."""
    found = []
    for _ in range(n):
        is_long = rng.random() < 0.2
        tokens, group = (100, 1) if is_long else (10, 0)
        chains = tuple(Record((tokens,), (group,), ended=True) for _ in range(draws))
        case = Case(chains, (0,))
        found.append(cut(case, 2) if is_long else case)
    return found


@pytest.mark.parametrize("mode", ["risk", "agreement"])
def test_problems_that_a_limit_cut_count_against_the_promise(mode: Mode) -> None:
    # the true risk of every threshold is .2, all of it on what is cut
    for seed in range(40):
        cases = drawn(random.Random(seed), 60)
        lost = sum(case.cut for case in cases)
        found = certify(Profile("m", "tokens", tuple(cases)), Wish(mode, alpha=0.1))
        assert (found.cut, found.problems) == (lost, 60)
        assert found.certified is (lost <= 2)  # of 60 answers, as the binomial tail has it
        assert found.risk == pytest.approx(lost / 60)


def test_a_mode_of_its_own_is_not_given_where_draws_were_cut() -> None:
    cases = drawn(random.Random(1), 60)
    found = certify(Profile("m", "tokens", tuple(cases)), Wish("mode"))
    assert found.abstained == found.cut == sum(case.cut for case in cases)
    assert (found.hopeless, found.risk, found.certified) == (0, 0.0, True)


def test_where_all_were_cut_nothing_is_said_of_the_rest() -> None:
    cases = tuple(cut(case, 3) for case in drawn(random.Random(1), 30))
    with pytest.raises(BudgetExceeded, match=r"all 30 problems were cut.*raise the budget"):
        certify(Profile("m", "tokens", cases), Wish())


@pytest.mark.parametrize(
    ("budget", "lost", "certified"),
    [("600 work", 0, False), ("150 work", HARD, False), ("8 calls", 0, False)],
)
def test_a_small_budget_certifies_no_more_than_a_large_one(
    budget: str, lost: int, certified: bool
) -> None:
    found = sync.certify(ROWS, engine=ScriptedEngine(thinks), n=8, alpha=0.1, budget=budget)
    assert (found.problems, found.cut, found.certified) == (EASY + HARD, lost, certified)
    assert found.risk == pytest.approx(HARD / (EASY + HARD))


def test_a_budget_that_cuts_all_is_an_error() -> None:
    with pytest.raises(BudgetExceeded, match=r"all 40 problems were cut"):
        sync.certify(ROWS, engine=ScriptedEngine(thinks), n=8, budget="12 work")


def test_labels_remember_that_a_limit_ended_the_draws(tmp_path: Path) -> None:
    votes = (Voted("1", 3),)
    one = Answered("p", "1", "so", votes, "m", "self_consistency", 30, 4)
    for stop, was_cut in (("done", False), ("calls", False), ("work", True), ("seconds", True)):
        chosen = choose([replace_answer(one, stop)], 1)[0]
        made = label(chosen, "right", "anna")
        case = profile_of(Head(1, "", 1, 0), [made], tmp_path).problems[0]
        assert (made.cut, case.cut) == (was_cut, was_cut)


def replace_answer(one: Answered, stop: str) -> Answered:
    told = (one.problem, one.answer, one.text, one.votes, one.model, one.strategy, one.work)
    return Answered(*told, one.calls, one.failures, stop)


@pytest.mark.parametrize(
    ("strategy", "budget", "lost"),
    [
        ("self_consistency(n=4)", Budget(), 0),
        ("self_consistency(n=4)", Budget(calls=3), 0),
        ("self_consistency(n=4)", Budget(work=100), HARD),
        ("esc(n=4, window=2)", Budget(), EASY + HARD),  # ends where answers agree
    ],
)
def test_a_journal_tells_which_draws_were_cut(
    strategy: str, budget: Budget, lost: int, tmp_path: Path
) -> None:
    tasks = tasks_of_rows(enumerate(ROWS, 1), "the rows", "row")

    async def main(journals: JournalFile) -> None:
        plan, engine = parse_strategy(strategy), ScriptedEngine(thinks)
        await compare([plan], tasks, engine, budget=budget, journals=journals)

    with JournalFile(tmp_path / "kept", Header("scripted", 0)) as journals:
        anyio.run(main, journals)
    profile = calibrate([anyio.run(read_journal, tmp_path / "kept", tasks)])
    assert sum(case.cut for case in profile.problems) == lost


def test_what_has_no_right_answer_is_not_paid_for() -> None:
    engine = ScriptedEngine(thinks)
    rows = [*ROWS, *({**row, "prompt": f"more {row['prompt']}", "answer": ""} for row in ROWS)]
    found = sync.certify(rows, engine=engine, n=2, alpha=0.3)
    assert found.problems == found.labelled == len(ROWS)
    assert engine.billed.calls == 2 * len(ROWS)


def test_problems_that_ask_the_same_are_counted() -> None:
    rows = [{**ROWS[i % 5], "id": f"p{i}"} for i in range(30)]
    found = sync.certify(rows, engine=ScriptedEngine(thinks), n=2, alpha=0.3)
    assert (found.problems, found.repeated) == (30, 25)
    assert sync.certify(ROWS, engine=ScriptedEngine(thinks), n=2, alpha=0.3).repeated == 0
