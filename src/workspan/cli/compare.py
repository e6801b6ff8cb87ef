"""``workspan compare``: strategies at the same budget on the same problems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import anyio
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from workspan.app.answers import Compared
from workspan.app.comparing import ALONE
from workspan.app.comparing import compare as run_comparison
from workspan.app.engines import open_engines
from workspan.app.problems import LIMIT, brought_passages, named_tasks
from workspan.app.searching import open_search
from workspan.app.specs import DEFAULT_BUDGET, as_budget, as_kind
from workspan.app.state import kept_journal, private_files
from workspan.batch.compare import Comparison
from workspan.batch.trials import Trial
from workspan.boundary.outputs import check_outputs
from workspan.cli.choosing import every, named
from workspan.cli.comparison import table
from workspan.cli.corpus import CorpusOption, EmbedderOption
from workspan.cli.drawing import drawing, journal_output, named_inputs, report_output
from workspan.cli.engine_options import EngineOption, ModelOption, PriceOption
from workspan.cli.exits import Exit
from workspan.cli.grading import GraderOption, ReaderOption, said_reading
from workspan.cli.plain import say_json
from workspan.cli.settings import KeyOption, SettingOption
from workspan.cli.standard_input import problems_file
from workspan.cli.terminal import Terminal
from workspan.errors import EngineError, MissingDependency
from workspan.lab.records import Record
from workspan.lab.report.caveats import caveats
from workspan.legible import counted
from workspan.store.journals import JournalFile
from workspan.tasks import MOST

T = TypeVar("T")

SEARCHING = "retrieve(mode='sequential'),retrieve(mode='parallel'),retrieve"
"""What is compared unless told otherwise, with a corpus."""


def compare(
    *,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", "-t", help="demo, a data set, FILE.jsonl or hf:OWNER/NAME; repeat."),
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option(help="All problems of a file: JSONL, JSON, CSV, Parquet; - reads JSONL."),
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
        str,
        typer.Option(
            "--budget", "-b", help="Of each run: '8k work, 2k span, 30s, $0.05', or unlimited."
        ),
    ] = DEFAULT_BUDGET,
    kind: Annotated[
        str | None, typer.Option(help="How answers are read, where the file does not say.")
    ] = None,
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
    brought = brought_passages(task or [], limit, seed)
    if strategies is None:
        strategies = SEARCHING if corpus or brought else ALONE
    plan, limits = named(strategies), as_budget(budget)
    with problems_file(input) as source:
        read_as = as_kind(kind) if kind else None
        problems = named_tasks(task or [], source, limit, seed, reader, kind=read_as)
    problems = said_reading(problems, grader, json=json)
    write = _report_writer(report)
    outputs = [journal_output(journal)] if journal else []
    outputs += [report_output(report)] if report else []
    check_outputs(outputs, named_inputs(input, task or [], corpus))
    bar = _Bar()

    async def main() -> Compared | None:
        found = await open_search(corpus, embedder, brought)
        opened = await open_engines(engine, model, price, setting, api_key_env, is_dry=dry_run)
        opened = replace(opened, tools=found.tools)
        try:
            plans = [*plan, *every(strategies, opened)]
            if dry_run:
                from workspan.cli.dry import say_plan

                asked = [one.problem for one in problems]
                await say_plan(plans, asked, opened, limits, json=json)
                return None
            told = [str(engine), str(model), str(seed), str(limits), str(input), *(task or [])]
            told += [found.identity] if found.tools else []
            kept = journal or kept_journal("compare", told)
            with JournalFile(kept, opened.header(seed)) as journals:
                bar.begin(opened.identity, len(plans) * len(problems), kept)
                return await run_comparison(
                    problems,
                    plans,
                    engine=opened,
                    budget=limits,
                    parallel=parallel,
                    seed=seed,
                    journal=journals,
                    on_progress=bar.show,
                )
        finally:
            await opened.aclose()

    with private_files():
        compared = bar.run(main)
    if compared is None:
        raise typer.Exit(Exit.OK)
    done, summed = compared.done, compared.records
    _show(done, summed, json=json)
    said = f"the results above are whole, and every call is kept in {bar.journal}"
    try:
        if not json and (chart or Terminal().is_terminal):
            with drawing("the chart", said):
                _chart(summed)
    finally:
        with drawing(f"the report {report}", said):
            write(done)
    raise typer.Exit(_code(done))


class _Bar:
    """Runs as they are finished; if they are stopped, says what is kept and where."""

    def __init__(self) -> None:
        self.journal: Path | None = None
        self._console = Terminal(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("runs, {task.fields[tokens]} tokens"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._finished: list[Trial] = []
        self._planned = 0

    def begin(self, title: str, planned: int, journal: Path) -> None:
        """Show the bar, for runs that are kept in a journal."""
        self.journal, self._planned = journal, planned
        self._progress.add_task(title, total=planned, tokens=0)
        self._progress.start()

    def show(self, trial: Trial) -> None:
        """Count a run."""
        self._finished.append(trial)
        tokens = sum(one.usage.work for one in self._finished)
        bar = self._progress.task_ids[0]
        self._progress.update(bar, completed=len(self._finished), tokens=tokens)

    def run(self, main: Callable[[], Awaitable[T]]) -> T:
        """Run what begins it, from ordinary code."""
        try:
            return anyio.run(main)
        except (KeyboardInterrupt, EngineError) as error:
            self._progress.stop()
            if self.journal is not None:
                kept = sum(trial.result is not None for trial in self._finished)
                self._console.print(
                    f"stopped: {kept} of {counted(self._planned, 'run')} finished; they and every "
                    f"finished call are kept in {self.journal}: the same command goes on from "
                    "there",
                    soft_wrap=True,
                )
            if isinstance(error, KeyboardInterrupt):
                raise typer.Exit(Exit.INTERRUPTED) from None
            raise
        finally:
            self._progress.stop()


def _report_writer(path: Path | None) -> Callable[[Comparison], None]:
    """Find out before anything is spent whether a report can be drawn."""
    if path is None:
        return lambda _: None
    try:
        from workspan.lab.report.comparison import write_report
    except ImportError:
        raise MissingDependency("a report", "lab") from None
    return lambda done: write_report(done, path)


def _show(done: Comparison, found: Sequence[Record], *, json: bool) -> None:
    console, aside = Terminal(), Terminal(stderr=True)
    if json:
        for record in found:
            say_json(record)
    else:
        console.print(table(found, console.width))
    for caveat in caveats(done, found):
        aside.print(caveat)


def _chart(found: Sequence[Record]) -> None:
    from workspan.cli.chart import draw

    Terminal().print(draw(found))


def _code(done: Comparison) -> Exit:
    if done.ungraded:
        return Exit.ENGINE
    answered = any(trial.result and trial.result.answer.best for trial in done.trials)
    return Exit.OK if answered else Exit.NO_ANSWER
