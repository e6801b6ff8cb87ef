"""``workspan solve``: one question, or a file of them, under a budget."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from workspan import tasks as task_sets
from workspan.app.answers import result_record
from workspan.app.clustering import HERE, CommandFactory, check_where
from workspan.app.engines import Opened, open_engines
from workspan.app.searching import Corpus, open_search
from workspan.app.solving import ALONE, SEARCHING, solve_many
from workspan.app.solving import solve as solve_one
from workspan.app.specs import DEFAULT_BUDGET, as_budget, as_kind, as_problem, as_strategy
from workspan.app.state import private_files
from workspan.boundary.outputs import Output, check_outputs
from workspan.cli.corpus import CorpusOption, EmbedderOption, cited
from workspan.cli.engine_options import (
    EngineOption,
    ModelOption,
    OnOption,
    PriceOption,
    WorkersOption,
)
from workspan.cli.exits import Exit
from workspan.cli.grading import ReaderOption, say_references
from workspan.cli.plain import json_line, say_json
from workspan.cli.settings import KeyOption, SettingOption
from workspan.cli.standard_input import problems_file, question_text
from workspan.errors import InputError
from workspan.legible import legible
from workspan.runner import check

if TYPE_CHECKING:
    from workspan.app.answers import Answers
    from workspan.batch.trials import Trial
    from workspan.core.context import Event
    from workspan.core.session import Strategy
    from workspan.data.budget import Budget
    from workspan.data.types import Problem
    from workspan.runner import Result
    from workspan.tasks.base import Task

_CERTIFIED = {True: "answer (certified)", False: "answer (not certified)"}

BudgetOption = Annotated[
    str,
    typer.Option("--budget", "-b", help="Such as '8k work, 2k span, 30s, $0.05', or unlimited."),
]


def solve(
    question: Annotated[
        str | None, typer.Argument(help="The question, - for standard input; or use --input.")
    ] = None,
    *,
    engine: EngineOption = None,
    model: ModelOption = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", help=f"{ALONE}; {SEARCHING} with a corpus.")
    ] = None,
    corpus: CorpusOption = None,
    embedder: EmbedderOption = None,
    budget: BudgetOption = DEFAULT_BUDGET,
    kind: Annotated[
        str | None,
        typer.Option(
            help="How answers are read: text, math, number, choice, code, json, open; text, or as "
            "the file says, unless told."
        ),
    ] = None,
    input: Annotated[
        Path | None, typer.Option(help="Problems: JSONL, JSON, CSV or Parquet; - reads JSONL.")
    ] = None,
    reader: ReaderOption = None,
    output: Annotated[Path | None, typer.Option(help="Answers, JSONL; resumable.")] = None,
    price: PriceOption = None,
    setting: SettingOption = None,
    api_key_env: KeyOption = None,
    pooled: Annotated[
        bool, typer.Option("--pooled", help="The budget is of all problems together: auto only.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, max=task_sets.MOST, help="The first problems of --input.")
    ] = None,
    parallel: Annotated[int | None, typer.Option(min=1, help="Problems at a time.")] = None,
    on: OnOption = HERE,
    workers: WorkersOption = None,
    seed: int = 0,
    raw: Annotated[
        bool, typer.Option("--raw", help="Ask the question as it is, without asking for a mark.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take, spend nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON record a line.")] = False,
) -> None:
    """Answer a question, or each problem of a file, and say how the budget was spent."""
    _one_of(question, input, output)
    if pooled and output is None:
        raise InputError("--pooled is for many problems: give --input and --output")
    if limit is not None and input is None:
        raise InputError("--limit is of many problems: give --input and --output")
    if on != HERE and input is None:
        raise InputError("--on is for many problems: give --input and --output")
    check_where(on, workers)
    plan = as_strategy((SEARCHING if corpus else ALONE) if strategy is None else strategy)
    limits, read_as = as_budget(budget), kind and as_kind(kind)
    with problems_file(input) as source:
        tasks = task_sets.read_tasks(source, reader, kind=read_as or None)[:limit] if source else []
    say_references(tasks, json=json)
    if output is not None:
        from workspan.cli.drawing import named_inputs

        _check_output(output, tasks, named_inputs(input, corpus=corpus))
    asked = [task.problem for task in tasks]
    if question is not None:
        asked = [as_problem(question_text(question), read_as or "text", plan, raw=raw)]

    async def main() -> Exit:
        found = await open_search(corpus, embedder)
        opened = await open_engines(engine, model, price, setting, api_key_env, is_dry=dry_run)
        opened = replace(opened, tools=found.tools)
        try:
            check(plan, opened.engine, limits, opened.engines, opened.tools)
            if dry_run:
                from workspan.cli.dry import say_plan

                await say_plan([plan], asked, opened, limits, json=json)
                return Exit.OK
            if output is None:
                return await _solve_one(opened, plan, asked[0], limits, seed, json=json)
            many = _Many(opened, plan, tasks, limits, seed, output, found, pooled, parallel)
            texts = (engine, model, price, setting, api_key_env)
            factory = CommandFactory(*texts, opened.identity)
            return await many.solve(_Place(on, workers, factory), json=json)
        finally:
            await opened.aclose()

    with private_files():
        raise typer.Exit(anyio.run(main))


def _check_output(output: Path, tasks: Sequence[Task], inputs: Sequence[tuple[str, Path]]) -> None:
    """Refuse a place for answers where something else is, or where none can be written."""
    from workspan.cli.answers import is_answers
    from workspan.cli.drawing import journal_output

    problems = {task.problem.id for task in tasks}
    answers = Output(
        "--output", output, "a file of answers", partial(is_answers, problems=problems)
    )
    journal = journal_output(_journal_of(output), "the journal of --output")
    check_outputs([answers, journal], inputs)


def _journal_of(output: Path) -> Path:
    return output.with_name(output.name + ".journal") if output.name else output


def _one_of(question: str | None, source: Path | None, output: Path | None) -> None:
    """Check that there is a question, or a file with a place for its answers."""
    if (question is None) == (source is None):
        raise InputError("give a question, or a file of problems with --input, and not both")
    if (source is None) != (output is None):
        raise InputError("--input and --output go together; a question's answer is printed")


async def _solve_one(
    opened: Opened, strategy: Strategy, problem: Problem, budget: Budget, seed: int, *, json: bool
) -> Exit:
    with _watched() as observe:
        result = await solve_one(
            problem, strategy=strategy, engine=opened, budget=budget, seed=seed, stream=observe
        )
    if json:
        say_json(result_record(result, str(budget), opened))
    else:
        _print(result, opened)
    is_given = result.answer.best is not None and result.answer.certified is not False
    return Exit.OK if is_given else Exit.NO_ANSWER


def _watched() -> AbstractContextManager[Callable[[Event], None] | None]:
    """Show the run as it goes; where nobody sees that, what draws it is not even loaded."""
    if not sys.stderr.isatty():
        return nullcontext()
    from workspan.cli.terminal import Terminal, watching

    return watching(Terminal(stderr=True))


def _print(result: Result, opened: Opened) -> None:
    from rich.panel import Panel
    from rich.text import Text

    from workspan.cli.terminal import Terminal, account, noticed

    console = Terminal()
    answer = result.answer
    if answer.best is None:
        console.print(Text(f"no answer: {result.unanswered}", "yellow"))
    else:
        title = "answer (tied: the first drawn of equals)" if answer.tied else "answer"
        title = title if answer.certified is None else _CERTIFIED[answer.certified]
        console.print(Panel(Text(legible(answer.text or "")), title=title, expand=False))
    if answer.best is not None and opened.tools:
        console.print(Text(cited(answer.best.sources)))
    if len(answer.votes) > 1:
        votes = ", ".join(f"{legible(vote.answer)} × {vote.weight:g}" for vote in answer.votes[:8])
        console.print(Text(f"votes: {votes}"))
    console.print(account(result, opened))
    for line in noticed(result):
        console.print(Text(f"note: {line}", "yellow"))
    if answer.why is not None:
        from workspan.cli.explain import summary

        for line in summary(answer.why):
            console.print(Text(line, "dim"))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where problems are solved."""

    on: str
    workers: int | None
    factory: CommandFactory


@dataclass(frozen=True, slots=True)
class _Many:
    """Problems that are ready to be solved."""

    opened: Opened
    strategy: Strategy
    tasks: Sequence[Task]
    budget: Budget
    seed: int
    output: Path
    corpus: Corpus
    pooled: bool
    parallel: int | None

    async def solve(self, place: _Place, *, json: bool) -> Exit:
        """Solve them side by side; answers are written as they come, then put in order."""
        from workspan.cli.answers import AnswersFile
        from workspan.store.journals import JournalFile

        order = [task.problem.id for task in self.tasks]
        header = self.opened.header(self.seed, self.corpus.identity)
        journal = JournalFile(_journal_of(self.output), header)
        with journal as journals, AnswersFile(self.output, order) as answers:

            def finished(trial: Trial, record: Mapping[str, object]) -> None:
                line = json_line(record)
                answers.add(trial.task.problem.id, line.encode())
                if json:
                    typer.echo(line)

            done = await solve_many(
                self.tasks,
                strategy=self.strategy,
                engine=self.opened,
                budget=self.budget,
                pooled=self.pooled,
                parallel=self.parallel,
                seed=self.seed,
                journal=journals,
                corpus=self.corpus if self.corpus.tools else None,
                on=place.on,
                workers=place.workers,
                factory=place.factory,
                on_answer=finished,
            )
        return _summary(done, self.output)


def _summary(done: Answers, output: Path) -> Exit:
    from workspan.cli.terminal import Terminal
    from workspan.lab.records import records
    from workspan.lab.report.caveats import over_budget

    answered = sum(text is not None for text in done.texts)
    stated = [one.result.answer.certified for one in done.done.trials if one.result]
    if any(one is not None for one in stated):
        said = f"{stated.count(True)} certified, {stated.count(False)} not"
        Terminal(stderr=True).print(said)
    Terminal(stderr=True).print(
        f"{answered} answered, {len(done) - done.failed - answered} without an answer, "
        f"{done.failed} failed: {output}"
        + (" (the same command asks the failed ones again)" if done.failed else ""),
    )
    for caveat in over_budget(done.done, records(done.done)):
        Terminal(stderr=True).print(caveat)
    return Exit.ENGINE if done.failed else Exit.OK
