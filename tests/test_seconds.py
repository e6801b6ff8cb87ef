"""`seconds` is the run's wall clock: what is on it, what is not, and what a cut leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio
import anyio.lowlevel
import pytest

from workspan import runner
from workspan.answers import voting
from workspan.batch.trials import Trial, TrialRunner
from workspan.core import timed_vote
from workspan.core.clock import Clock
from workspan.core.context import Context
from workspan.core.engine import Bill
from workspan.core.journal import Journal
from workspan.core.ledger import Ledger
from workspan.core.session import Session, Strategy
from workspan.core.stopwatch import Limit
from workspan.data.budget import Budget
from workspan.data.types import Answer, AnswerKind, Candidate, Chunk, Problem, Request, Tally
from workspan.errors import EngineUnavailable, GraderError
from workspan.runner import Result, run
from workspan.strategies.adaptive.esc import EarlyStoppingConsistency
from workspan.strategies.auto.auto import Auto
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.strategies.sequential.single import Single
from workspan.tasks.base import Grade, Task
from workspan.tasks.graders.equivalence import Equivalence
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.turned import TurnedTime

MATH = Problem.ask("What is it?", kind="math")
WORDS = Problem.ask("What is it?", kind="number")


def formula(i: int) -> str:
    """Return a formula that math-verify thinks about for longer than anyone waits."""
    return rf"\int_0^1 \sin(x^{{{2 + i}}}) e^{{x}} dx"


def boxed(*answers: str) -> list[str]:
    return [rf"\boxed{{{answer}}}" for answer in answers]


@dataclass
class Comparisons:
    """Stands where answers are compared: each comparison turns the clock by what it costs."""

    time: TurnedTime
    cost: float
    given: list[float] = field(default_factory=list)

    def plurality(
        self,
        candidates: Sequence[Candidate],
        kind: AnswerKind,
        weights: Sequence[float] | None = None,
        limit: Limit | None = None,
    ) -> Answer:
        """Compare each answer with the one before; they are all different."""
        assert limit is not None, "the vote does not know when the run ends"
        vote = voting.best(candidates, "text")
        vote = replace(vote, best=candidates[0], votes=tuple(Tally(c.text, 1) for c in candidates))
        verdicts = [self.compared("a", "b", kind, limit()) for _ in candidates[1:]]
        return replace(vote, uncompared=verdicts.count(None))

    def compared(
        self, a: str, b: str, kind: AnswerKind, seconds: float | None = None
    ) -> bool | None:
        assert seconds is not None, "the comparison does not know when the run ends"
        self.given.append(seconds)
        if seconds <= 0:
            return None
        self.time.turn(min(self.cost, seconds))
        return None if self.cost > seconds else a == b


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[TurnedTime, float], Comparisons]:
    def install(time: TurnedTime, cost: float) -> Comparisons:
        comparisons = Comparisons(time, cost)
        monkeypatch.setattr(voting, "plurality", comparisons.plurality)
        monkeypatch.setattr(timed_vote, "compared", comparisons.compared)
        monkeypatch.setattr(runner, "prepare", lambda kind: None)
        return comparisons

    return install


def solved(
    strategy: Strategy,
    engine: ScriptedEngine,
    time: TurnedTime,
    budget: Budget,
    journal: Journal | None = None,
    problem: Problem = MATH,
) -> Result:
    return anyio.run(
        lambda: run(strategy, problem, engine, budget=budget, journal=journal, time=time)
    )


@pytest.mark.parametrize(
    "strategy", [SelfConsistency(5), EarlyStoppingConsistency(5, 5), Auto(n=5)], ids=repr
)
def test_votes_stop_when_the_time_is_up_and_say_so(
    strategy: Strategy, counted: Callable[[TurnedTime, float], Comparisons]
) -> None:
    time = TurnedTime()
    comparisons = counted(time, 2.0)
    engine = ScriptedEngine(boxed(*map(formula, range(5))))
    result = solved(strategy, engine, time, Budget(seconds=5))
    assert result.answer.best is not None  # what had arrived is voted on
    assert time.now() == 5  # not a comparison went beyond
    assert sum(given > 0 for given in comparisons.given) == 3
    [notice] = result.notices
    assert notice.code == "comparison_cut"


def test_five_slow_formulas_are_cut_by_the_run_and_not_by_each_pair() -> None:
    """With math-verify itself; the clock is the wall's, and only counts are asserted."""
    engine = ScriptedEngine(boxed(*map(formula, range(5))))
    result = anyio.run(lambda: run(SelfConsistency(5), MATH, engine, budget=Budget(seconds=1)))
    assert len(result.answer.votes) == 5
    assert result.answer.uncompared > 0
    assert [notice.code for notice in result.notices] == ["comparison_cut"]


@pytest.mark.parametrize("strategy", [SelfConsistency(4), Auto(n=4)], ids=repr)
def test_a_resumed_run_goes_by_the_votes_that_it_counted(
    strategy: Strategy, counted: Callable[[TurnedTime, float], Comparisons]
) -> None:
    texts = boxed(*map(formula, range(1, 5)))
    whole = Journal()
    first = TurnedTime()
    counted(first, 1.0)
    before = solved(strategy, ScriptedEngine(texts), first, Budget(seconds=4), whole)
    for kept in range(len(whole.entries) + 1):
        later = TurnedTime()
        counted(later, 0.0)  # a faster machine, or one with less time left: it must not matter
        part = Journal(whole.entries[:kept])
        silent = ScriptedEngine(texts)
        again = solved(strategy, silent, later, Budget(seconds=4), part)
        if kept >= len(whole.entries) - 1:
            assert again.answer == before.answer
            assert again.notices == before.notices
            assert not silent.requests


def test_no_vote_is_lost_where_formulas_cannot_be_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = voting.plurality

    def broken(
        candidates: Sequence[Candidate],
        kind: AnswerKind,
        weights: Sequence[float] | None = None,
        limit: Limit | None = None,
    ) -> Answer:
        if limit is None or limit() > 0:
            raise GraderError("math-verify did not start")
        return replace(real(candidates, "text", weights), uncompared=1)

    monkeypatch.setattr(voting, "plurality", broken)
    engine = ScriptedEngine(boxed(formula(1), formula(2), formula(1)))
    result = solved(SelfConsistency(3), engine, TurnedTime(), Budget())
    assert result.answer.text == formula(1)
    assert [notice.code for notice in result.notices] == ["comparison_cut"]


def test_other_runs_go_on_while_one_counts_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        asked, release = anyio.Event(), anyio.Event()

        real = voting.plurality

        def slow(
            candidates: Sequence[Candidate],
            kind: AnswerKind,
            weights: Sequence[float] | None = None,
            limit: Limit | None = None,
        ) -> Answer:
            if kind == "math":
                anyio.from_thread.run_sync(asked.set)
                anyio.from_thread.run(release.wait)
            return real(candidates, "text", weights)

        monkeypatch.setattr(voting, "plurality", slow)
        engine = ScriptedEngine(boxed(formula(1), formula(2)))
        async with anyio.create_task_group() as group:
            group.start_soon(run, SelfConsistency(2), MATH, engine)
            await asked.wait()
            other = await run(Single(), WORDS, ScriptedEngine(["Answer: 4"]))
            assert other.answer.text == "4"
            release.set()

    anyio.run(main)


def test_a_grading_that_was_cut_is_neither_right_nor_wrong() -> None:
    task = Task(MATH, formula(1), Equivalence(seconds=0.2))
    with pytest.raises(GraderError, match="could not be compared"):
        anyio.run(task.grader, task, formula(2))


@pytest.mark.parametrize(("seconds", "allowed"), [(5.0, 5.0), (0.5, 2.0), (None, 60.0)])
def test_grading_has_the_seconds_of_its_run(seconds: float | None, allowed: float) -> None:
    time = TurnedTime()

    async def endless(task: Task, answer: str | None) -> Grade:
        time.turn(allowed - 0.1)
        await anyio.lowlevel.checkpoint()
        time.turn(0.2)
        await anyio.sleep_forever()
        raise AssertionError("nobody waits for this")

    async def main() -> Trial:
        engine = ScriptedEngine(["Answer: 4"])
        runner = TrialRunner(
            engine, Budget(seconds=seconds), 0, None, anyio.CapacityLimiter(1), 1, time=time
        )
        return await runner.attempt(Single(), Task(WORDS, "4", endless))

    trial = anyio.run(main)
    assert trial.grade is None
    assert f"not graded within {allowed:g} seconds" in trial.error


@dataclass
class Slow(ScriptedEngine):
    """Loads for a minute; counts how often."""

    time: TurnedTime = field(default_factory=TurnedTime)
    loads: int = 0
    fault: bool = False

    async def ready(self) -> None:
        self.loads += 1
        self.time.turn(60)
        if self.fault:
            raise EngineUnavailable("there is not the memory for it")


@pytest.mark.parametrize("is_further", [False, True])
def test_loading_is_not_on_the_clock(is_further: bool) -> None:
    time = TurnedTime()
    slow = Slow(["Answer: 4"], time=time)
    own = ScriptedEngine(["Answer: 4"]) if is_further else slow
    result = anyio.run(
        lambda: run(
            Single(),
            WORDS,
            own,
            budget=Budget(seconds=5),
            engines={"strong": slow} if is_further else {},
            time=time,
        )
    )
    assert (result.answer.text, result.stop, result.seconds, slow.loads) == ("4", "done", 0, 1)


def test_a_run_that_its_journal_holds_loads_nothing() -> None:
    time, journal = TurnedTime(), Journal()
    engine = Slow(["Answer: 4"], time=time)
    for _ in range(2):
        result = solved(Single(), engine, time, Budget(seconds=5), journal, WORDS)
        assert result.answer.text == "4"
    assert engine.loads == 1


def test_an_engine_that_cannot_be_loaded_fails_its_calls_and_not_the_others() -> None:
    time = TurnedTime()
    result = anyio.run(
        lambda: run(
            Single(),
            WORDS,
            ScriptedEngine(["Answer: 4"]),
            engines={"strong": Slow([], time=time, fault=True)},
            time=time,
        )
    )
    assert result.answer.text == "4"


def test_time_in_line_is_told_from_time_of_the_call() -> None:
    """Two calls, one place: the second stands in line for as long as the first takes."""
    time = TurnedTime()

    @dataclass
    class Ticking(ScriptedEngine):
        async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
            async for chunk in super().stream(request, bill):
                time.turn(0 if chunk.finish else 1)
                yield chunk

    journal = Journal()
    engine = Ticking(["a b Answer: 4"], latency=lambda request: 1)
    result = solved(SelfConsistency(2), engine, time, Budget(width=1), journal, WORDS)
    assert [(c.asked, c.began, c.ended, c.queued) for c in result.trace] == [
        (0, 0, 4, 0),
        (0, 4, 8, 4),
    ]
    assert (result.call_seconds, result.queue_seconds, result.seconds) == (8, 4, 8)
    replayed = solved(SelfConsistency(2), engine, time, Budget(width=1), journal, WORDS)
    assert replayed.trace == result.trace


@pytest.mark.parametrize(
    ("text", "budget", "said"),
    [
        ("Answer: 4", Budget(seconds=0), "no call was made: the time was up"),
        ("Answer: 4", Budget(work=0), "no call was made: the limit on work holds none"),
        ("Answer: 4", Budget(calls=0), "no call was made: the limit on calls holds none"),
        ("Answer: 4", Budget(prefill=1), "no call was made: the limit on prefill holds none"),
        ("well well well", Budget(work=2), "no sample held one; the limit on work ended the run"),
        ("well", Budget(), "no sample held one"),
        ("Answer: 4", Budget(), ""),
    ],
)
def test_it_says_truly_why_there_is_no_answer(text: str, budget: Budget, said: str) -> None:
    result = solved(Single(), ScriptedEngine([text]), TurnedTime(), budget, problem=WORDS)
    assert result.unanswered == said


def test_a_strategy_that_abstains_is_told_from_one_that_found_nothing() -> None:
    @dataclass(frozen=True)
    class Unsure:
        requires: frozenset[str] = frozenset()

        async def __call__(self, problem: Problem, session: Session) -> Answer:
            vote = await SelfConsistency(2)(problem, session)
            return Answer(None, vote.candidates)

    engine = ScriptedEngine(["Answer: 4"])
    result = solved(Unsure(), engine, TurnedTime(), Budget(), problem=WORDS)  # type: ignore[arg-type]
    assert result.unanswered == "the strategy abstained: none of the answers was sure enough"


def test_turned_time_ends_blocks_in_their_order() -> None:
    async def main() -> None:
        time = TurnedTime()
        with time.move_on_after(5) as outer:
            with time.move_on_after(2) as inner:
                time.turn(3)
                await anyio.lowlevel.checkpoint()
            assert inner.cancelled_caught
            await anyio.lowlevel.checkpoint()
            time.turn(2)
            await anyio.lowlevel.checkpoint()
        assert outer.cancelled_caught

    anyio.run(main)


def test_votes_have_keys_apart_from_calls() -> None:
    """A vote moves no call's key, and with it no call's seed."""
    context = Context(ScriptedEngine([]), Journal(), 0, anyio.CapacityLimiter(1), 0.0)
    session = Session(context, Ledger(Budget()), Clock())
    session.same("x", "1 + x", "number")
    assert session._next_key() == "/0"
    assert not context.journal.entries  # numbers take no time: nothing to keep
    assert timed_vote.same(context, "k", "4", "4.0", "number")


class Asking:
    """Asks a tool, then a model."""

    requires: frozenset[str] = frozenset()
    tools = frozenset({"search"})

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        sample = await session.sample(Request(problem.prompt))
        session.best(Candidate(sample.text, "4"))
        await session.use("search", "x")
        return await Single()(problem, session)


@pytest.mark.parametrize("takes", [1, 9, 10, 99])
def test_tools_stop_when_the_time_is_up(takes: float) -> None:
    time, asked = TurnedTime(), list[str]()

    async def search(query: str) -> str:
        asked.append(query)
        for _ in range(int(takes)):
            time.turn(1)
            await anyio.lowlevel.checkpoint()
        return "found"

    def search_run(journal: Journal) -> Result:
        engine = ScriptedEngine(["Answer: 4"])
        return anyio.run(
            lambda: run(
                Asking(),  # type: ignore[arg-type]
                WORDS,
                engine,
                budget=Budget(seconds=10),
                journal=journal,
                tools={"search": search},
                time=time,
            )
        )

    journal = Journal()
    result = search_run(journal)
    assert result.seconds == min(takes, 10)
    assert result.stop == ("done" if takes < 10 else "seconds")
    assert result.answer.text == "4"
    again = search_run(journal)
    assert (again.answer.text, again.stop, asked) == ("4", result.stop, ["x"])
