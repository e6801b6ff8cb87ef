"""``workspan solve``: one question, or a file of them, under a budget."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from workspan.answers import MARKED
from workspan.budget import Budget
from workspan.cli.exits import Exit
from workspan.cli.opening import open_engine, parse_price, private_files
from workspan.cli.screen import account, record, safe, watching
from workspan.engines.base import Engine
from workspan.errors import InputError
from workspan.lab.batch import Job, Outcome, run_jobs
from workspan.runner import Result, check, run
from workspan.session import Strategy
from workspan.spec import parse_strategy, write
from workspan.store import Header, JournalFile
from workspan.types import AnswerKind, Problem


EngineOption = Annotated[
    str, typer.Option("--engine", "-e", help="embedded[:MODEL] or http://HOST/v1.")
]
ModelOption = Annotated[str | None, typer.Option(help="Model behind the endpoint.")]
PriceOption = Annotated[
    str | None, typer.Option(help="USD per million tokens, input/output: 0.15/0.60.")
]
BudgetOption = Annotated[
    str | None, typer.Option("--budget", "-b", help="Such as '8k work, 2k span, 30s, $0.05'.")
]


def solve(
    question: Annotated[str | None, typer.Argument(help="The question; or use --input.")] = None,
    *,
    engine: EngineOption = "embedded",
    model: ModelOption = None,
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="Such as 'self_consistency(n=8)'.")
    ] = "self_consistency(n=8)",
    budget: BudgetOption = None,
    kind: Annotated[
        str, typer.Option(help="How the answer is read: text, math, number, choice, code.")
    ] = "text",
    input: Annotated[Path | None, typer.Option(help="Problems, JSONL or Parquet.")] = None,
    output: Annotated[Path | None, typer.Option(help="Answers, JSONL; resumable.")] = None,
    price: PriceOption = None,
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
    plan = parse_strategy(strategy)
    limits = Budget.parse(budget) if budget else Budget()
    problems = _problems(question, input, output, _kind(kind), raw=raw)
    opened = open_engine(engine, model, parse_price(price) if price else None)
    check(plan, opened, limits)
    if dry_run:
        from workspan.cli.dry import say_plan

        say_plan(opened, [plan], len(problems), limits, json=json)
        raise typer.Exit(Exit.OK)
    with private_files():
        if output is None:
            code = anyio.run(_solve_one, opened, plan, problems[0], limits, seed, json)
        else:
            code = anyio.run(_solve_all, opened, plan, problems, limits, seed, output, json)
    raise typer.Exit(code)


def _kind(text: str) -> AnswerKind:
    from typing import get_args

    from workspan.errors import SpecError, nearest

    if text not in get_args(AnswerKind):
        raise SpecError(f"unknown kind {text!r}: {nearest(text, get_args(AnswerKind))}")
    return text  # type: ignore[return-value]  # one of the literals


def _problems(
    question: str | None, source: Path | None, output: Path | None, kind: AnswerKind, *, raw: bool
) -> Sequence[Problem]:
    """Read what is to be solved: exactly one of a question and a file with its output."""
    if (question is None) == (source is None):
        raise InputError("give a question, or a file of problems with --input, and not both")
    if source is not None:
        if output is None:
            raise InputError("--input needs --output: the file that takes the answers")
        from workspan.tasks.files import read_tasks

        return [task.problem for task in read_tasks(source)]
    if output is not None:
        raise InputError("--output goes with --input; the answer to a question is printed")
    text = (question or "").strip()
    if not text:
        raise InputError("the question is empty")
    return [Problem.ask(text if raw else f"{text}\n\n{MARKED}", kind=kind)]


async def _solve_one(
    engine: Engine, strategy: Strategy, problem: Problem, budget: Budget, seed: int, json: bool
) -> Exit:
    console = Console(stderr=True)
    try:
        with watching(console) as observe:
            result = await run(
                strategy, problem, engine, budget=budget, seed=seed, observer=observe
            )
    finally:
        await engine.aclose()
    if json:
        typer.echo(msgspec.json.encode(record(result, str(budget))).decode())
    else:
        _print(result)
    return Exit.OK if result.answer.best else Exit.NO_ANSWER


def _print(result: Result) -> None:
    console = Console()
    answer = result.answer
    if answer.best is None:
        console.print("no answer: no sample held one", style="yellow")
    else:
        title = "answer (tied: the first drawn of equals)" if answer.tied else "answer"
        console.print(Panel(Text(safe(answer.text or "")), title=title, expand=False))
    if len(answer.votes) > 1:
        votes = ", ".join(f"{safe(vote.answer)} × {vote.weight:g}" for vote in answer.votes[:8])
        console.print(Text(f"votes: {votes}"))
    console.print(account(result))


async def _solve_all(
    engine: Engine,
    strategy: Strategy,
    problems: Sequence[Problem],
    budget: Budget,
    seed: int,
    output: Path,
    json: bool,
) -> Exit:
    """Solve the problems side by side; answers are written as they come, then put in order."""
    info = engine.info
    header = Header(f"{info.name} {info.model}", seed)
    jobs = [Job(strategy, problem) for problem in problems]
    records: dict[str, dict[str, object]] = {}
    try:
        with (
            JournalFile(output.with_name(output.name + ".journal"), header) as journals,
            output.open("w", encoding="utf-8") as answers,
        ):

            def finished(outcome: Outcome) -> None:
                records[outcome.job.problem.id] = _answer_line(outcome, str(budget))
                line = msgspec.json.encode(records[outcome.job.problem.id]).decode()
                answers.write(line + "\n")
                answers.flush()
                if json:
                    typer.echo(line)

            outcomes = await run_jobs(
                jobs, engine, budget=budget, seed=seed, journals=journals, on_outcome=finished
            )
    finally:
        await engine.aclose()
    in_order = (records[problem.id] for problem in problems if problem.id in records)
    output.write_text("".join(msgspec.json.encode(r).decode() + "\n" for r in in_order))
    failed = sum(outcome.error is not None for outcome in outcomes)
    solved = sum(bool(o.result and o.result.answer.best) for o in outcomes)
    print(
        f"{solved} answered, {len(outcomes) - solved - failed} without an answer, {failed} failed; "
        f"strategy {write(strategy)}; a second run of the same command resumes",
        file=sys.stderr,
    )
    return Exit.ENGINE if failed else Exit.OK


def _answer_line(outcome: Outcome, budget: str) -> dict[str, object]:
    if outcome.result is not None:
        return record(outcome.result, budget)
    return {
        "problem": outcome.job.problem.id,
        "answer": None,
        "error": f"{type(outcome.error).__name__}: {outcome.error}",
    }
