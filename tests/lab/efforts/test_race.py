"""A race of settings: rounds, drops and a budget that is never passed."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path

import pytest

from workspan.app.which import Which
from workspan.core.engine import Bill, EngineInfo, Price
from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.data.entry import Header
from workspan.data.types import Amount, Chunk, Notice, Problem, Request, Usage
from workspan.errors import InputError
from workspan.lab.efforts.dropping import Standing, dropped
from workspan.lab.efforts.guard import Guard
from workspan.lab.efforts.race import (
    Entrant,
    Measured,
    Raced,
    Sampled,
    grade_by_task,
    race,
    standings,
)
from workspan.lab.efforts.records import records_of
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.strategies.adaptive.ladder import Ladder
from workspan.strategies.auto.fit.seen import Rung
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence, Ungraded
from workspan.testing.scripted import ScriptedEngine

pytestmark = pytest.mark.anyio
PRICE = Price(Decimal(1), Decimal(10))


class Model(ScriptedEngine):
    """Scripted: right with a chance, and after so many words, by effort."""

    @property
    def info(self) -> EngineInfo:
        told = super().info
        return EngineInfo(
            told.name,
            told.model,
            None,
            told.capabilities,
            PRICE,
            concurrency=4,
            has_effort_field=True,
        )


SKILLS = {"low": (0.2, 5), "medium": (0.9, 10), "high": (0.95, 40)}


def said(request: Request) -> str:
    chance, words = SKILLS[request.reasoning_effort or "medium"]
    rng = random.Random(f"{request.seed} {request.reasoning_effort}")
    right = rng.random() < chance
    return "hm " * words + f"Answer: {7 if right else rng.randint(20, 99)}"


def tasks(n: int, *, labelled: bool = True) -> list[Task]:
    grader = Equivalence() if labelled else Ungraded("has no right answer")
    return [Task(Problem.ask(f"{i}?", kind="number", id=f"p{i}"), "7", grader) for i in range(n)]


def entrants(*efforts: str, n: int = 3) -> list[Entrant]:
    return [Entrant(Rung(one), Ladder((one,), (n,), max_tokens=100)) for one in efforts]


async def raced(n: int, budget: str, *efforts: str, labelled: bool = True) -> Raced:
    return await race(
        entrants(*efforts),
        tasks(n, labelled=labelled),
        Model(said, price=PRICE),
        budget=Budget.parse(budget),
        grade=grade_by_task,
    )


async def test_every_setting_is_measured_and_the_bill_is_the_sum() -> None:
    found = await raced(12, "$5", "medium", "high")
    assert len(found.measured) == 24
    assert found.ended_by == "done"
    tokens = sum(s.usage.output_tokens for one in found.measured.values() for s in one.samples)
    assert found.spent.output_tokens == tokens


async def test_a_pilot_below_what_its_journal_has_spent_asks_nothing_and_says_so(
    tmp_path: Path,
) -> None:
    async def under(pilot: str) -> tuple[Raced, int]:
        engine = Model(said, price=PRICE)
        with JournalFile(tmp_path / "kept", Header("scripted", 0)) as journals:
            found = await race(
                entrants("medium", "high"),
                tasks(4),
                engine,
                budget=Budget.parse(pilot),
                grade=grade_by_task,
                journals=journals,
            )
        return found, len(engine.requests)

    whole, asked = await under("2k work")
    assert (asked, whole.passed) == (whole.spent.calls, [])
    again, asked = await under("2k work")
    assert (asked, again.passed, again.ended_by) == (0, [], "done")
    work = again.kept.work
    assert work == whole.spent.output_tokens
    less, asked = await under(f"{work - 1} work")
    assert (asked, less.spent) == (0, whole.spent)
    assert less.passed == [(Budget(work=work), Budget(work=work - 1))]
    done = Which([], less, {}, None)
    said_first = f"the journal held {work} work before this race began, more than the pilot of"
    assert done.caveats[0].startswith(said_first)
    assert "nothing was asked" in done.caveats[0]


async def test_what_can_not_pay_leaves_the_race() -> None:
    found = await raced(80, "$9", "low", "medium", "high")
    (low,) = [one for one in found.out if one.place == 0]
    assert low.is_cheaper  # cheaper, and hopelessly behind
    assert low.low > 0.1
    assert len(found.of(0)) < len(found.of(1)) == 80


@pytest.mark.parametrize("budget", ["$0.01", "$0.03", "900 work", "40 calls"])
async def test_a_pilot_is_never_passed(budget: str) -> None:
    found = await raced(60, budget, "medium", "high")
    limits, spent = Budget.parse(budget), found.spent
    assert spent.cost is not None
    assert spent.cost <= (limits.cost or 1)
    assert spent.calls <= (limits.calls or 10_000)
    assert spent.output_tokens <= (limits.work or 10**9)
    assert found.ended_by != "done"
    assert {place for place, _ in found.of(0)} <= {*range(found.whole)}


@pytest.mark.parametrize("budget", ["100 work", "$0.0013"])
async def test_a_cut_race_that_was_killed_at_any_line_goes_on_under_a_higher_pilot(
    budget: str, tmp_path: Path
) -> None:
    """Between a sample that was cut and the line that ends its run, too: it ended once more."""

    async def under(pilot: str, kept: Path) -> Raced:
        engine = Model(said, price=PRICE)
        with JournalFile(kept, Header("scripted", 0)) as journals:
            return await race(
                entrants("medium", "high"),
                tasks(4),
                engine,
                budget=Budget.parse(pilot),
                grade=grade_by_task,
                journals=journals,
            )

    first = await under(budget, tmp_path / "whole")
    assert first.cut
    whole = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    for lines in range(1, len(whole) + 1):
        kept = tmp_path / f"{lines}"
        kept.write_bytes(b"".join(whole[:lines]))
        found = await under("$9", kept)
        assert (found.ended_by, len(found.measured), found.cut) == ("done", 8, 0)


async def test_the_records_price_each_arm_and_the_policy() -> None:
    found = await raced(40, "$9", "medium", "high")
    records = records_of(found, PRICE)
    arms, ladders, policy = records[:6], records[6:-1], records[-1]
    assert [(one.effort, one.width) for one in arms] == [
        (effort, n) for effort in ("medium", "high") for n in (1, 2, 3)
    ]
    assert [one.arm for one in ladders] == [
        f"2 × {first}, then 1 × {then} if they disagree"
        for first, then in (("medium", "medium"), ("medium", "high"), ("high", "high"))
    ]
    assert policy.kind == "policy"
    assert policy.verdict == "use"
    for one in records:
        assert one.accuracy is not None
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.accuracy <= one.high
        assert one.cost_per_right == pytest.approx((one.cost or 0) / one.accuracy)
    single = arms[0]
    assert single.cost == pytest.approx(
        (single.prefill or 0) / 1e6 + 10 * single.work / 1e6, rel=0.01
    )
    assert policy.pilot_spent == pytest.approx(sum(one.pilot_spent or 0 for one in arms[::3]))


async def test_every_row_is_held_against_the_policy_and_what_was_drawn() -> None:
    found = await raced(40, "$9", "medium", "high")
    records = records_of(found, PRICE)
    policy = records[-1]
    assert policy.difference is None
    for one in records[:-1]:
        told = (one.accuracy, one.difference, policy.accuracy, one.random, one.coverage)
        accuracy, ahead, theirs, random, coverage = (value for value in told if value is not None)
        assert ahead == pytest.approx(accuracy - theirs)
        assert one.difference_low is not None
        assert one.difference_high is not None
        assert one.difference_low <= ahead <= one.difference_high
        assert max(accuracy, random) <= coverage
    ladder = records[7]
    assert (ladder.kind, ladder.effort, ladder.agreement) == ("ladder", "medium,high", None)
    run = parse_strategy(ladder.strategy)
    assert isinstance(run, Ladder)
    assert (run.efforts, run.n) == (("medium", "high"), (2, 1))
    assert ladder.cost == pytest.approx(ladder.work * 10 / 1e6, rel=0.1)  # prompts are short
    hull = [one for one in records if one.verdict == "on the hull"]
    costs = [(one.cost or 0, one.accuracy or 0) for one in hull]
    assert [right for _, right in sorted(costs)] == sorted(right for _, right in costs)


async def test_what_was_dropped_is_held_against_nothing_more() -> None:
    found = await raced(80, "$9", "low", "medium", "high")
    dropped = [one for one in records_of(found, PRICE) if one.verdict == "dropped"]
    assert {(one.effort, one.difference) for one in dropped} == {("low", None)}


async def test_without_right_answers_agreement_is_all_that_is_said() -> None:
    found = await raced(12, "$5", "medium", "high", labelled=False)
    records = records_of(found, PRICE)
    assert {one.verdict for one in records} == {"unlabelled"}
    assert all(one.accuracy is None and one.agreement is not None for one in records)
    assert not found.out


async def test_a_limit_that_runs_together_do_not_have_is_refused() -> None:
    for budget in ("10s", "5k span", "2 wide"):
        with pytest.raises(InputError, match="a pilot is limited in"):
            await raced(4, budget, "medium", "high")


class Deaf(Model):
    """Takes no word of how much to think, as some servers say."""

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        bill.notices.append(Notice("no_effort", "the server refuses `reasoning_effort`"))
        async for chunk in super().stream(request, bill):
            yield chunk


async def test_a_server_that_refuses_to_be_told_ends_the_race() -> None:
    engine = Deaf(said, price=PRICE)
    with pytest.raises(InputError, match="efforts can't be compared there"):
        await race(
            entrants("medium", "high"),
            tasks(40),
            engine,
            budget=Budget.parse("$9"),
            grade=grade_by_task,
        )
    assert len(engine.requests) <= 3 * 4  # what was under way, and no more


def standing(place: int, right: list[float], cost: float) -> Standing:
    return Standing(place, dict(enumerate(right)), cost)


def test_only_what_is_surely_behind_is_dropped() -> None:
    ahead, behind = [1.0] * 60, [1.0] * 40 + [0.0] * 20
    shuffled = [*behind]
    random.Random(0).shuffle(shuffled)
    dear = dropped([standing(0, ahead, 1), standing(1, shuffled, 2)], 2)
    assert [(one.place, one.by, one.is_cheaper) for one in dear] == [(1, 0, False)]
    few = dropped([standing(0, ahead[:6], 1), standing(1, shuffled[:6], 2)], 2)
    assert not few
    assert not dropped([standing(0, ahead, 1), standing(1, ahead, 2)], 2)


def test_a_race_seldom_drops_the_better_one() -> None:
    wrong = 0
    for seed in range(60):
        rng = random.Random(seed)
        draws = [[float(rng.random() < 0.7) for _ in range(40)] for _ in range(2)]
        looks = range(8, 41, 8)
        wrong += any(
            dropped([standing(0, draws[0][:n], 1), standing(1, draws[1][:n], 1)], 2) for n in looks
        )
    assert wrong <= 60 * 0.05 + 2


async def test_the_guard_lets_the_first_run_through_and_then_goes_by_the_longest() -> None:
    account = Ledger(Budget(work=100))
    guard = Guard(account, [Amount(1, 1000)])

    def ran(work: int) -> None:
        hold = account.take(Amount(1, work))
        assert hold is not None
        account.settle(hold, Usage(1, output_tokens=work))
        guard.note(0, Amount(1, work))
        guard.land(0)

    assert await guard.admit(0) == ""  # nothing is known, nothing else under way
    ran(40)
    assert await guard.admit(0) == ""
    ran(40)
    assert await guard.admit(0) == "work"


def measured(*money: Decimal | None, tokens: tuple[int, ...]) -> Raced:
    """One problem at some settings: what a sample of each cost, in money and in tokens."""
    found = Raced((*entrants(*"abc"[: len(money)], n=1),), (*tasks(1),), Budget())
    for place, (cost, n) in enumerate(zip(money, tokens, strict=True)):
        usage = Usage(1, 0, output_tokens=n, cost=cost)
        found.measured[place, 0] = Measured((Sampled("7", usage, 0.0, 1.0),), n, 0.0)
    return found


@pytest.mark.parametrize(
    ("money", "costs"),
    [
        ((Decimal("0.5"), Decimal("0.1")), [0.5, 0.1]),
        ((Decimal("0.5"), None), [10, 400]),  # one has no price: tokens tell them apart
        ((Decimal("0.5"), Decimal(0)), [0.5, 0.0]),  # one is free
        ((Decimal(0), Decimal(0)), [10, 400]),  # both are
        ((None, None), [10, 400]),
    ],
)
def test_settings_are_told_apart_in_one_unit(
    money: tuple[Decimal | None, ...], costs: list[float]
) -> None:
    assert [one.cost for one in standings(measured(*money, tokens=(10, 400)))] == costs


async def test_what_is_free_is_told_apart_by_its_work() -> None:
    free = ScriptedEngine(said)  # at no cost, and no setting of it is dropped by price
    held = [Entrant(Rung(""), Ladder(("",), (3,), max_tokens=100))]
    found = await race(held, tasks(16), free, budget=Budget(calls=99), grade=grade_by_task)
    arms = [one for one in records_of(found, free.info.price) if one.kind == "arm"]
    assert {one.cost for one in arms} == {0.0}
    assert arms[0].work < arms[1].work < arms[2].work
    assert arms[1].verdict == "below the hull"  # two votes are as right as one, for more work


async def test_where_all_is_wrong_no_policy_is_guessed() -> None:
    wrong = ScriptedEngine(lambda _: "hm Answer: 20")
    held = [Entrant(Rung(""), Ladder(("",), (3,), max_tokens=100))]
    found = await race(held, tasks(16), wrong, budget=Budget(calls=99), grade=grade_by_task)
    records = records_of(found, wrong.info.price)
    assert {one.kind for one in records} == {"arm"}
    assert {one.accuracy for one in records} == {0.0}
    assert {one.difference for one in records} == {None}
