"""Best of n over a coding agent: rollouts in copies of a folder, and one diff chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from anyio import to_thread

from workspan.app.engines import Opened
from workspan.app.solving import solve_many
from workspan.app.specs import BudgetLike, StrategyLike, as_budget, as_strategy
from workspan.app.state import opened_journal
from workspan.batch.trials import Trial
from workspan.core.engine import Engine
from workspan.core.session import Strategy
from workspan.data.types import Answer, Candidate, Problem
from workspan.engines.rollout.engine import Command, Rollouts
from workspan.engines.rollout.kept import Kept
from workspan.errors import EngineError, InputError
from workspan.lab.estimating import Estimate, estimate
from workspan.runner import Result, check
from workspan.sandbox import available
from workspan.spec import engines as engine_spec
from workspan.store.journals import JournalFile
from workspan.strategies.auto.auto import Auto
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.strategies.parallel.recursive_tournament import RecursiveTournament
from workspan.strategies.sequential.single import Single
from workspan.verifiers.patch_tests import PatchTests

JUDGE = "judge"
"""The engine that compares rollouts where there are no tests."""
DEFAULT_BUDGET = "1h"
"""Of all rollouts and tests together; n bounds the calls."""


@dataclass(frozen=True, slots=True)
class Tests:
    """What says whether a rollout did the task."""

    command: str
    show: tuple[str, ...] = ()
    seconds: float = 300.0
    memory_mb: int = 2048


@dataclass(frozen=True, slots=True)
class Rolled:
    """A finished run over rollouts."""

    result: Result
    record: Mapping[str, object]
    """What JSON says of it: `workspan solve --json`'s, and the diff."""

    diff: str
    """The chosen change, as `git apply` takes it; empty where nothing was, as where none passed."""
    is_unjudged: bool = False
    """Nobody judged it: the time or the budget ended before, and none that was judged passed."""


@dataclass(frozen=True, slots=True)
class Rolling:
    """An opened folder with a strategy over rollouts; close it with `aclose`."""

    opened: Opened
    strategy: Strategy
    problem: Problem

    async def plan(self, budget: BudgetLike = None) -> Estimate:
        """Say what it will take, at most; nothing is run.

        Raises:
            WorkspanError: it can't work.
        """
        limits = as_budget(budget or DEFAULT_BUDGET)
        engine, others = self.opened.engine, self.opened.engines
        return await estimate(
            [self.strategy], [self.problem], engine, budget=limits, engines=others
        )

    async def run(
        self,
        budget: BudgetLike = None,
        *,
        seed: int = 0,
        journal: JournalFile | Path | str | None = None,
        on_answer: Callable[[Trial, Mapping[str, object]], None] | None = None,
    ) -> Rolled:
        """Run it; with a journal the same call goes on with what was finished.

        Under another budget it is another run, which takes the rollouts that the journal holds.

        Raises:
            WorkspanError: it can't work, before anything is spent; or every rollout failed.
        """
        limits = as_budget(budget or DEFAULT_BUDGET)
        check(self.strategy, self.opened.engine, limits, self.opened.engines)
        with opened_journal(journal, self.opened.header(seed)) as kept:
            done = await solve_many(
                [self.problem],
                strategy=self.strategy,
                engine=self._with_kept(kept),
                budget=limits,
                seed=seed,
                journal=kept,
                on_answer=on_answer,
            )
        (trial,) = done
        if trial.result is None:
            spent = trial.usage
            raise EngineError(f"no rollout came to its end ({spent.calls} charged): {trial.error}")
        is_tested = hasattr(self.strategy, "verifier")
        found = chosen(trial.result.answer, is_judged=is_tested)
        diff = "" if found is None else found.text
        is_unjudged = found is not None and is_tested and not found.score
        if not is_tested and JUDGE in self.opened.engines:
            is_unjudged = bool(diff) and _is_undecided(trial.result)
        told = {"diff": diff or None, "unjudged": is_unjudged}
        return Rolled(trial.result, {**done.records[0], **told}, diff, is_unjudged)

    def _with_kept(self, journal: JournalFile | None) -> Opened:
        engine = self.opened.engine
        if journal is None or not isinstance(engine, Rollouts):
            return self.opened
        return replace(self.opened, engine=Kept(engine, journal.finished()))

    async def aclose(self) -> None:
        """Remove the copies and give the engines back."""
        await self.opened.aclose()


async def begin(
    task: str,
    command: Command,
    *,
    folder: Path | str = ".",
    carry: Sequence[str] = (),
    without: Sequence[Path] = (),
    n: int = 4,
    tests: Tests | None = None,
    strategy: StrategyLike | None = None,
    judge: Engine | str | None = None,
) -> Rolling:
    """Copy a folder as it stands, and choose how rollouts on it are chosen from.

    Args:
        task: what the command is told.
        command: does the task, and says what it may take.
        folder: the command works on copies of it; nothing is written there.
        carry: paths that git ignores and that the command needs.
        without: files that are no part of the folder, such as a journal that is kept in it: the
            same folder would be another one when it is gone on with.
        n: rollouts, at most.
        tests: choose the diff that passes, the first of several.
        strategy: over rollouts, in place of best of n by the tests, or of the tournament; "auto"
            stops at the first rollout that passes.
        judge: compares rollouts' summaries where there are no tests; the run's engine "judge".

    Raises:
        InputError: nothing says how to choose, or the folder can't be copied.
        SandboxUnavailable: tests can't be run safely on this machine.
        WorkspanError: see `open_engine`.
    """
    if not task.strip():
        raise InputError("the task is empty")
    if tests is not None:
        if not tests.command.strip():
            raise InputError("the test is empty: name the command that tests, such as 'make test'")
        await to_thread.run_sync(available)
    async with AsyncExitStack() as stack:
        made = await Rollouts.begin(command, Path(folder), tuple(carry), tuple(without))
        stack.push_async_callback(made.aclose)
        further: dict[str, Engine] = {}
        if isinstance(judge, str):
            further[JUDGE] = await engine_spec.open_engine(judge, imports=True)
            stack.push_async_callback(further[JUDGE].aclose)
        elif judge is not None:
            further[JUDGE] = judge
        verifier = None if tests is None else _verifier(tests, made, folder, tuple(carry))
        chosen = _strategy(strategy, n, verifier, has_judge=judge is not None)
        stack.pop_all()  # whoever asked closes them
    problem = Problem.ask(task, kind="open", id="task")
    return Rolling(Opened(made, further), chosen, problem)


def chosen(answer: Answer, *, is_judged: bool) -> Candidate | None:
    """Return the rollout to offer: the one that passed, else the first that nobody judged.

    One that was judged and failed is never offered, nor one that changed nothing.
    """
    best = answer.best
    if best is not None and best.text and (not is_judged or (best.score or 0) > 0):
        return best
    waiting = [one for one in answer.candidates if one.score is None and one.text]
    return waiting[0] if is_judged and waiting else None


def _is_undecided(result: Result) -> bool:
    """Say whether a tournament chose nothing: no choice could be read, or its budget ended it."""
    is_over = result.stop == "done" or bool(result.answer.votes)
    return not is_over or any(notice.code == "no_verdict" for notice in result.notices)


def _verifier(
    tests: Tests, made: Rollouts, folder: Path | str, carry: tuple[str, ...]
) -> PatchTests:
    return PatchTests(
        tests.command,
        str(folder),
        tests.show,
        carry,
        tests.seconds,
        tests.memory_mb,
        taken=made.snapshot,
    )


def _strategy(
    told: StrategyLike | None, n: int, verifier: PatchTests | None, *, has_judge: bool
) -> Strategy:
    """Choose how rollouts are chosen from.

    Raises:
        InputError: nothing says how.
    """
    if told is not None and told != "auto":
        return _with_tests(as_strategy(told), verifier)
    if told == "auto":
        if verifier is None:
            raise InputError("auto over rollouts needs tests: name the command that runs them")
        return Auto(n=n, verifier=verifier)
    if verifier is not None:
        return BestOfN(n, verifier)
    if has_judge:
        return RecursiveTournament(n, engine=JUDGE)
    if n > 1:
        raise InputError(
            f"of {n} rollouts one is chosen by tests or by a judge: name a command that tests "
            "(--test), a model that judges (--judge), or one rollout (-n 1)"
        )
    return Single()


def _with_tests(strategy: Strategy, verifier: PatchTests | None) -> Strategy:
    """Give a written strategy's own tests the snapshot of the rollouts."""
    own = getattr(strategy, "verifier", None)
    if isinstance(own, PatchTests) and verifier is not None:
        return replace(strategy, verifier=replace(own, taken=verifier.taken))  # type: ignore[type-var]
    return strategy


def money(text: str | None) -> Decimal | None:
    """Read USD, such as '0.50' or '$0.50'.

    Raises:
        InputError: it is none.
    """
    if text is None:
        return None
    limit = as_budget(f"${text.strip().removeprefix('$')}").cost
    assert limit is not None  # it would have been refused
    return limit
