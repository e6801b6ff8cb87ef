"""``workspan solve``: one question, or a file of them, under a budget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, get_args

import anyio
import typer
from rich.panel import Panel
from rich.text import Text

from workspan.answers import MARKED
from workspan.budget import Budget
from workspan.cli.answers import AnswersFile, is_answers
from workspan.cli.corpus import CorpusOption, EmbedderOption, cited, open_search, searches
from workspan.cli.drawing import journal_output, named_inputs
from workspan.cli.exits import Exit
from workspan.cli.explain import summary
from workspan.cli.grading import ReaderOption, say_references
from workspan.cli.opening import (
    EngineOption,
    ModelOption,
    Opened,
    PriceOption,
    open_engines,
    private_files,
)
from workspan.cli.screen import (
    Screen,
    account,
    json_line,
    noticed,
    record,
    say_json,
    watching,
)
from workspan.cli.settings import KeyOption, SettingOption
from workspan.entry import Header
from workspan.errors import InputError, SpecError, nearest
from workspan.lab.bench import Trial
from workspan.lab.compare import Comparison, compare
from workspan.lab.pooling import pool
from workspan.lab.records import records
from workspan.lab.remarks import over_budget
from workspan.legible import legible
from workspan.outputs import Output, check_outputs
from workspan.runner import Result, check, run
from workspan.session import Strategy
from workspan.spec import parse_strategy
from workspan.store import JournalFile
from workspan.tasks.base import Task
from workspan.tasks.files import read_tasks
from workspan.types import AnswerKind, Problem

BudgetOption = Annotated[
    str | None, typer.Option("--budget", "-b", help="Such as '8k work, 2k span, 30s, $0.05'.")
]

ALONE = "self_consistency(n=8)"
SEARCHING = "retrieve"
"""The strategies unless one is named."""


def solve(
    question: Annotated[str | None, typer.Argument(help="The question; or use --input.")] = None,
    *,
    engine: EngineOption = None,
    model: ModelOption = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", help=f"{ALONE}; {SEARCHING} with a corpus.")
    ] = None,
    corpus: CorpusOption = None,
    embedder: EmbedderOption = None,
    budget: BudgetOption = None,
    kind: Annotated[
        str, typer.Option(help="How the answer is read: text, math, number, choice, code, open.")
    ] = "text",
    input: Annotated[
        Path | None, typer.Option(help="Problems: JSONL, JSON, CSV or Parquet.")
    ] = None,
    reader: ReaderOption = None,
    output: Annotated[Path | None, typer.Option(help="Answers, JSONL; resumable.")] = None,
    price: PriceOption = None,
    setting: SettingOption = None,
    api_key_env: KeyOption = None,
    pooled: Annotated[
        bool, typer.Option("--pooled", help="The budget is of all problems together: auto only.")
    ] = False,
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
    plan = parse_strategy(
        (SEARCHING if corpus else ALONE) if strategy is None else strategy, imports=True
    )
    limits = Budget() if budget is None else Budget.parse(budget)
    tasks = read_tasks(input, reader) if input else []
    say_references(tasks, json=json)
    if output is not None:
        _check_output(output, tasks, named_inputs(input, corpus=corpus))
    text = question if raw or kind == "open" or searches(plan) else f"{question}\n\n{MARKED}"
    problem = Problem.ask(text or "", kind=_kind(kind))
    found = open_search(corpus, embedder)
    opened = replace(open_engines(engine, model, price, setting, api_key_env), tools=found.tools)
    check(plan, opened.engine, limits, opened.engines, opened.tools)
    if dry_run:
        from workspan.cli.dry import say_plan

        say_plan([plan], [task.problem for task in tasks] or [problem], opened, limits, json=json)
        raise typer.Exit(Exit.OK)
    with private_files():
        if output is None:
            code = _solve_one(opened, plan, problem, limits, seed, json=json)
        else:
            code = _solve_all(
                opened,
                plan,
                tasks,
                limits,
                seed,
                output,
                corpus=found.identity,
                pooled=pooled,
                json=json,
            )
    raise typer.Exit(code)


def _check_output(output: Path, tasks: Sequence[Task], inputs: Sequence[tuple[str, Path]]) -> None:
    """Refuse a place for answers where something else is, or where none can be written."""
    problems = {task.problem.id for task in tasks}
    answers = Output(
        "--output", output, "a file of answers", partial(is_answers, problems=problems)
    )
    journal = journal_output(_journal_of(output), "the journal of --output")
    check_outputs([answers, journal], inputs)


def _journal_of(output: Path) -> Path:
    return output.with_name(output.name + ".journal") if output.name else output


def _kind(text: str) -> AnswerKind:
    known: tuple[AnswerKind, ...] = get_args(AnswerKind)
    for kind in known:
        if kind == text:
            return kind
    raise SpecError(f"unknown kind {text!r}: {nearest(text, known)}")


def _one_of(question: str | None, source: Path | None, output: Path | None) -> None:
    """Check that there is a question, or a file with a place for its answers."""
    if (question is None) == (source is None):
        raise InputError("give a question, or a file of problems with --input, and not both")
    if (source is None) != (output is None):
        raise InputError("--input and --output go together; a question's answer is printed")
    if question is not None and not question.strip():
        raise InputError("the question is empty")


def _solve_one(
    opened: Opened,
    strategy: Strategy,
    problem: Problem,
    budget: Budget,
    seed: int,
    *,
    json: bool,
) -> Exit:
    async def main() -> Result:
        try:
            with watching(Screen(stderr=True)) as observe:
                return await run(
                    strategy,
                    problem,
                    opened.engine,
                    budget=budget,
                    seed=seed,
                    observer=observe,
                    engines=opened.engines,
                    tools=opened.tools,
                )
        finally:
            await opened.aclose()

    result = anyio.run(main)
    if json:
        say_json(record(result, str(budget), opened))
    else:
        _print(result, opened)
    return Exit.OK if result.answer.best else Exit.NO_ANSWER


def _print(result: Result, opened: Opened) -> None:
    console = Screen()
    answer = result.answer
    if answer.best is None:
        console.print(Text(f"no answer: {result.unanswered}", "yellow"))
    else:
        title = "answer (tied: the first drawn of equals)" if answer.tied else "answer"
        console.print(Panel(Text(legible(answer.text or "")), title=title, expand=False))
    if answer.best is not None and opened.tools:
        console.print(cited(answer.best.sources))
    if len(answer.votes) > 1:
        votes = ", ".join(f"{legible(vote.answer)} × {vote.weight:g}" for vote in answer.votes[:8])
        console.print(Text(f"votes: {votes}"))
    console.print(account(result, opened))
    for line in noticed(result):
        console.print(Text(f"note: {line}", "yellow"))
    if answer.why is not None:
        for line in summary(answer.why):
            console.print(Text(line, "dim"))


def _solve_all(
    opened: Opened,
    strategy: Strategy,
    tasks: Sequence[Task],
    budget: Budget,
    seed: int,
    output: Path,
    *,
    corpus: str,
    pooled: bool,
    json: bool,
) -> Exit:
    """Solve the problems side by side; answers are written as they come, then put in order."""
    searched = f", searching {corpus}" if corpus else ""  # else old findings would be replayed
    header = Header(opened.identity + searched, seed, opened.engine.info.model)
    journal = _journal_of(output)
    order = [task.problem.id for task in tasks]
    with JournalFile(journal, header) as journals, AnswersFile(output, order) as answers:

        def finished(trial: Trial) -> None:
            line = json_line(_answer(trial, str(budget), opened))
            answers.add(trial.task.problem.id, line.encode())
            if json:
                typer.echo(line)

        async def main() -> Comparison:
            run_all: Callable[..., Awaitable[Comparison]] = pool if pooled else compare
            try:
                return await run_all(
                    [strategy],
                    tasks,
                    opened.engine,
                    budget=budget,
                    seed=seed,
                    journals=journals,
                    on_progress=finished,
                    engines=opened.engines,
                    tools=opened.tools,
                )
            finally:
                await opened.aclose()

        done = anyio.run(main)
    return _summary(done, output)


def _summary(done: Comparison, output: Path) -> Exit:
    results = [trial.result for trial in done.trials if trial.result is not None]
    answered = sum(result.answer.best is not None for result in results)
    failed = len(done.trials) - len(results)
    Screen(stderr=True).print(
        f"{answered} answered, {len(results) - answered} without an answer, {failed} failed: "
        f"{output}" + (" (the same command asks the failed ones again)" if failed else ""),
    )
    for remark in over_budget(done, records(done)):
        Screen(stderr=True).print(remark)
    return Exit.ENGINE if failed else Exit.OK


def _answer(trial: Trial, budget: str, opened: Opened) -> dict[str, object]:
    if trial.result is not None:
        return record(trial.result, budget, opened)
    return {"problem": trial.task.problem.id, "answer": None, "error": trial.error}
