"""``workspan compare``: strategies at the same budget on the same problems."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from workspan.budget import Budget
from workspan.cli.choosing import every, named
from workspan.cli.comparison import table
from workspan.cli.corpus import CorpusOption, EmbedderOption, open_search
from workspan.cli.drawing import drawing, journal_output, named_inputs, report_output
from workspan.cli.exits import Exit
from workspan.cli.grading import GraderOption, ReaderOption, said_reading
from workspan.cli.opening import (
    EngineOption,
    ModelOption,
    Opened,
    PriceOption,
    open_engines,
    private_files,
    state_folder,
)
from workspan.cli.screen import Screen, say_json
from workspan.cli.settings import KeyOption, SettingOption
from workspan.entry import FORMAT, Header
from workspan.errors import EngineError, InputError, MissingDependency
from workspan.lab.bench import Trial
from workspan.lab.compare import Comparison
from workspan.lab.compare import compare as run_comparison
from workspan.lab.records import Record, records
from workspan.lab.remarks import remarks
from workspan.outputs import check_outputs
from workspan.retrieval import Passage
from workspan.session import Strategy
from workspan.store import JournalFile
from workspan.tasks import MOST, open_tasks, read_tasks
from workspan.tasks.base import BringsPassages, Task

LIMIT = 20
"""Problems of a task set, unless told otherwise."""
ALONE = "single,self_consistency(n=8)"
SEARCHING = "retrieve(mode='sequential'),retrieve(mode='parallel'),retrieve"
"""What is compared unless told otherwise; the second with a corpus."""


def compare(
    *,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", "-t", help="demo, a data set, FILE.jsonl or hf:OWNER/NAME; repeat."),
    ] = None,
    input: Annotated[
        Path | None, typer.Option(help="All problems of a file: JSONL, JSON, CSV, Parquet.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=MOST, help=f"Problems of each task.  [default: {LIMIT}]"),
    ] = None,
    strategies: Annotated[
        str | None,
        typer.Option(
            "--strategies",
            "-s",
            help=f"The first is the base; all is every one.  [default: {ALONE}]",
        ),
    ] = None,
    corpus: CorpusOption = None,
    embedder: EmbedderOption = None,
    budget: Annotated[
        str, typer.Option("--budget", "-b", help="Of each run: '8k work, 2k span, 30s, $0.05'.")
    ] = "1k work",
    engine: EngineOption = None,
    model: ModelOption = None,
    price: PriceOption = None,
    setting: SettingOption = None,
    api_key_env: KeyOption = None,
    reader: ReaderOption = None,
    grader: GraderOption = None,
    seed: int = 0,
    parallel: Annotated[int | None, typer.Option(min=1, help="Runs at a time.")] = None,
    journal: Annotated[Path | None, typer.Option(help="Kept calls; resumes from it.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page with plots here.")] = None,
    chart: Annotated[bool, typer.Option("--chart", help="Draw even if not on a terminal.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON record a strategy.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take, spend nothing.")
    ] = False,
) -> None:
    """Run strategies on the same problems at the same budget, and say which is ahead."""
    brought = _brought(task or [], limit, seed)
    if strategies is None:
        strategies = SEARCHING if corpus or brought else ALONE
    plan = named(strategies)
    limits = Budget.parse(budget)
    problems = _problems(task or [], input, limit, seed, reader)
    problems = said_reading(problems, grader, json=json)
    write = _report_writer(report)
    outputs = [journal_output(journal)] if journal else []
    outputs += [report_output(report)] if report else []
    check_outputs(outputs, named_inputs(input, task or [], corpus))
    found = open_search(corpus, embedder, brought)
    opened = replace(open_engines(engine, model, price, setting, api_key_env), tools=found.tools)
    plan += every(strategies, opened)
    if dry_run:
        from workspan.cli.dry import say_plan

        say_plan(plan, [t.problem for t in problems], opened, limits, json=json)
        raise typer.Exit(Exit.OK)
    with private_files():
        asked = [str(engine), str(model), str(seed), str(limits), str(input), *(task or [])]
        asked += [found.identity] if found.tools else []
        path = journal or state_folder() / f"compare-{digest(asked)}.jsonl"
        done = _Job(plan, problems, opened, limits, seed, parallel, path).execute()
    summed = records(done)
    _show(done, summed, json=json)
    kept = f"the results above are whole, and every call is kept in {path}"
    try:
        if not json and (chart or Screen().is_terminal):
            with drawing("the chart", kept):
                _chart(summed)
    finally:
        with drawing(f"the report {report}", kept):
            write(done)
    raise typer.Exit(_code(done))


@dataclass(frozen=True, slots=True)
class _Job:
    """A comparison that is ready to start."""

    strategies: Sequence[Strategy]
    tasks: Sequence[Task]
    opened: Opened
    budget: Budget
    seed: int
    parallel: int | None
    journal: Path

    def execute(self) -> Comparison:
        """Compare under a progress bar; if it is stopped, say what is kept and where."""
        console = Screen(stderr=True)
        progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("runs, {task.fields[tokens]} tokens"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        header = Header(self.opened.identity, self.seed, self.opened.engine.info.model)
        with JournalFile(self.journal, header) as journals, progress:
            planned = len(self.strategies) * len(self.tasks)
            bar = progress.add_task(self.opened.identity, total=planned, tokens=0)
            finished: list[Trial] = []

            def show(trial: Trial) -> None:
                finished.append(trial)
                progress.update(
                    bar, completed=len(finished), tokens=sum(t.usage.work for t in finished)
                )

            try:
                return anyio.run(self._compare, journals, show)
            except (KeyboardInterrupt, EngineError) as error:
                progress.stop()
                kept = sum(trial.result is not None for trial in finished)
                console.print(
                    f"stopped: {kept} of {planned} runs are finished; they and every finished call "
                    f"are kept in {self.journal}: the same command goes on from there",
                    soft_wrap=True,
                )
                if isinstance(error, KeyboardInterrupt):
                    raise typer.Exit(Exit.INTERRUPTED) from None
                raise

    async def _compare(self, journals: JournalFile, show: Callable[[Trial], None]) -> Comparison:
        try:
            return await run_comparison(
                self.strategies,
                self.tasks,
                self.opened.engine,
                budget=self.budget,
                seed=self.seed,
                journals=journals,
                parallel=self.parallel,
                on_progress=show,
                engines=self.opened.engines,
                tools=self.opened.tools,
            )
        finally:
            await self.opened.aclose()


def _report_writer(path: Path | None) -> Callable[[Comparison], None]:
    """Find out before anything is spent whether a report can be drawn."""
    if path is None:
        return lambda _: None
    try:
        from workspan.lab.report import write_report
    except ImportError:
        raise MissingDependency("a report", "lab") from None
    return lambda done: write_report(done, path)


def _problems(
    names: Sequence[str],
    source: Path | None,
    limit: int | None,
    seed: int,
    reader: str | None = None,
) -> list[Task]:
    """Load the problems that the command names."""
    if reader is not None and source is None:
        raise InputError("--reader reads the rows of a file: give it with --input FILE")
    if bool(names) == (source is not None):
        raise InputError("say which problems: --task NAME (such as demo), or --input FILE")
    if source is not None:
        return read_tasks(source, reader)[:limit]
    return [
        task for name in names for task in open_tasks(name, imports=True).load(limit or LIMIT, seed)
    ]


def _brought(names: Sequence[str], limit: int | None, seed: int) -> list[Passage]:
    """Return the passages of the task sets that come with a corpus of their own."""
    sets = [open_tasks(name, imports=True) for name in names]
    bringing = [one for one in sets if isinstance(one, BringsPassages)]
    corpora = [one.passages(limit or LIMIT, seed) for one in bringing]
    return [passage for corpus in corpora for passage in corpus]


def digest(parts: Sequence[str]) -> str:
    """Name a journal after what was asked; one of another format has another name."""
    return hashlib.blake2b(msgspec.json.encode([FORMAT, *parts]), digest_size=6).hexdigest()


def _show(done: Comparison, found: Sequence[Record], *, json: bool) -> None:
    console, aside = Screen(), Screen(stderr=True)
    if json:
        for record in found:
            say_json(record)
    else:
        console.print(table(found, console.width))
    for remark in remarks(done, found):
        aside.print(remark)


def _chart(found: Sequence[Record]) -> None:
    from workspan.cli.chart import draw

    Screen().print(draw(found))


def _code(done: Comparison) -> Exit:
    if done.ungraded:
        return Exit.ENGINE
    answered = any(trial.result and trial.result.answer.best for trial in done.trials)
    return Exit.OK if answered else Exit.NO_ANSWER
