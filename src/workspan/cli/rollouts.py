"""``workspan rollouts``: best of n over a coding agent, chosen by tests or by a judge."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import anyio
import typer
from rich.table import Table
from rich.text import Text

from workspan.app.engines import open_engines
from workspan.app.rolling import DEFAULT_BUDGET, Rolled, Rolling, Tests, begin, money
from workspan.app.specs import as_budget
from workspan.app.state import kept_journal, private_files
from workspan.boundary.outputs import Output, check_outputs, replace_file
from workspan.cli.drawing import journal_output
from workspan.cli.exits import Exit
from workspan.cli.plain import say, say_json
from workspan.cli.settings import KeyOption, SettingOption
from workspan.cli.standard_input import question_text
from workspan.cli.terminal import Terminal, account, noticed
from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.data.types import Candidate
from workspan.engines.rollout.engine import Command, Source
from workspan.errors import InputError
from workspan.legible import legible, one_line
from workspan.runner import Result
from workspan.store.journals import JournalFile

_HEAD = b"# A patch that `workspan rollouts` chose: git apply FILE\n"
_UNJUDGED = b"# Nobody judged it: the time or the budget ended before its tests did.\n"


def rollouts(
    task: Annotated[str, typer.Argument(help="What is to be done; - for standard input.")],
    *,
    run: Annotated[
        str,
        typer.Option(
            help="The command that does it, in a copy of the folder; it reads the task on standard "
            "input. Such as 'claude -p --output-format json > $WORKSPAN_USAGE'."
        ),
    ],
    test: Annotated[
        str | None,
        typer.Option(help="The command that chooses: 0 is a pass. Runs in a sandbox."),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Rollouts, at most.")] = 4,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            "-s",
            help="auto stops at the first that passes; or any other, written out. Best of n by the "
            "tests, or a tournament by the judge, unless told.",
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(help="A model that compares rollouts' summaries: http://HOST/v1, embedded…"),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Model behind the judge's endpoint.")
    ] = None,
    price: Annotated[str | None, typer.Option(help="Of the judge: 0.15/0.60.")] = None,
    setting: SettingOption = None,
    api_key_env: KeyOption = None,
    budget: Annotated[
        str,
        typer.Option(
            "--budget",
            "-b",
            help="Of all together: '30min', '$5', '400k work'. Money and work need --cost or "
            "--tokens, the most of one rollout.",
        ),
    ] = DEFAULT_BUDGET,
    folder: Annotated[Path, typer.Option(help="Copied as it stands; never written to.")] = Path(),
    usage: Annotated[
        Literal["none", "stdout", "file"],
        typer.Option(
            help="Where the command says what it used: JSON on stdout, or in $WORKSPAN_USAGE."
        ),
    ] = "none",
    tokens: Annotated[
        int | None, typer.Option(min=1, help="Decoded tokens of a rollout, at most.")
    ] = None,
    cost: Annotated[str | None, typer.Option(help="USD of a rollout, at most: 0.50.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Of a rollout, at most.")] = 1800.0,
    test_seconds: Annotated[float, typer.Option(min=1, help="Of a test, at most.")] = 300.0,
    test_memory: Annotated[int, typer.Option(min=1, help="MiB of a test, at most.")] = 2048,
    parallel: Annotated[int, typer.Option(min=1, help="Rollouts at a time.")] = 4,
    carry: Annotated[
        list[str] | None,
        typer.Option(help="A path in the folder that git ignores and that is needed; repeat."),
    ] = None,
    show: Annotated[
        list[Path] | None, typer.Option(help="A further path that tests may read; repeat.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="A file for the patch; printed unless named.")
    ] = None,
    journal: Annotated[Path | None, typer.Option(help="Kept rollouts; resumes from it.")] = None,
    seed: int = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it may take, run nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON record, with the diff.")] = False,
) -> None:
    """Run a coding agent several times, each in a copy of the folder, and keep the best change."""
    limits = as_budget(budget)
    said: Source = "" if usage == "none" else usage
    try:
        command = Command(run, said, tokens, None, money(cost), seconds, parallel=parallel)
    except ValueError as error:
        raise InputError(f"--run: {error}") from None
    tests = None
    if test is not None:
        shown = tuple(str(path.expanduser().resolve()) for path in show or ())
        tests = Tests(test, shown, test_seconds, test_memory)
    outputs = [Output("--output", output, "a patch", _is_patch)] if output else []
    outputs += [journal_output(journal)] if journal else []
    check_outputs(outputs)

    async def main() -> Rolled | None:
        judging: Engine | None = None
        if judge is not None:
            models, prices = ([one] if one else None for one in (model, price))
            named = ([judge], models, prices, setting, api_key_env)
            judging = (await open_engines(*named, is_dry=dry_run)).engine
        rolling = await begin(
            question_text(task),
            command,
            folder=folder,
            carry=carry or (),
            without=[path for path in (output, journal) if path],
            n=n,
            tests=tests,
            strategy=strategy,
            judge=judging,
        )
        try:
            if dry_run:
                await _say_plan(rolling, limits, json=json)
                return None
            told = [rolling.opened.identity, str(folder.resolve()), str(seed)]
            kept = journal or kept_journal("rollouts", told)
            if not json:
                Terminal(stderr=True).print(Text(f"rollouts are kept in {kept}", "dim"))
            with JournalFile(kept, rolling.opened.header(seed)) as journals:
                done = await rolling.run(limits, seed=seed, journal=journals)
            _show(done, rolling, json=json)
            return done
        finally:
            await rolling.aclose()

    with private_files():
        done = anyio.run(main)
    if done is None:
        raise typer.Exit(Exit.OK)
    if done.diff and output is not None:
        marked = _UNJUDGED if done.is_unjudged else b""
        replace_file(output, _HEAD + marked + done.diff.encode())
    elif done.diff and not json:
        _print_diff(done.diff)
    raise typer.Exit(Exit.OK if done.diff and not done.is_unjudged else Exit.NO_ANSWER)


async def _say_plan(rolling: Rolling, limits: Budget, *, json: bool) -> None:
    from workspan.cli.dry import say_made

    say_made(await rolling.plan(limits), rolling.opened, limits, json=json)


def _show(done: Rolled, rolling: Rolling, *, json: bool) -> None:
    """Tell of each rollout, and of the account; the diff itself is printed apart."""
    if json:
        say_json(done.record)
        return
    console, result = Terminal(stderr=True), done.result
    offered = next((x.key for x in result.answer.candidates if x.text == done.diff != ""), None)
    table = Table(box=None, pad_edge=False)
    for name in ("rollout", "verdict", "lines", "said"):
        table.add_column(name, overflow="fold")
    for number, one in enumerate(result.answer.candidates, 1):
        mark = " *" if one.key == offered else ""
        table.add_row(f"{number}{mark}", *_told(one))
    console.print(table)
    if done.is_unjudged:
        console.print(Text(f"the patch is unjudged: {_unchosen(result)}", "yellow"))
    elif not done.diff:
        console.print(Text(f"no change was chosen: {_unchosen(result)}", "yellow"))
    console.print(account(result, rolling.opened))
    for line in noticed(result):
        console.print(Text(f"note: {line}", "yellow"))


def _unchosen(result: Result) -> str:
    """Say why no patch passed."""
    if not any(one.text for one in result.answer.candidates) and result.answer.candidates:
        return "no rollout changed anything"
    waiting = sum(one.score is None and bool(one.text) for one in result.answer.candidates)
    if result.unanswered or not waiting:
        return result.unanswered or "no rollout passed"
    told = (
        "no rollout was judged"
        if waiting == len(result.answer.candidates)
        else (f"no rollout passed, and {waiting} {'was' if waiting == 1 else 'were'} not judged")
    )
    return f"{told}; under a larger --budget the same command judges what is there already"


def _told(one: Candidate) -> tuple[str, str, str]:
    verdict = "" if one.score is None else "passes" if one.score == 1 else "fails"
    lines = one.text.splitlines()
    more = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    less = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    last = one.feedback.strip().rpartition("\n")[2]
    return verdict, f"+{more} -{less}" if one.text else "none", one_line(last, 80)


def _print_diff(diff: str) -> None:
    """Print it as it is for a program, and without what a terminal would obey for people."""
    if os.isatty(1):
        say(legible(diff))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(diff.encode())


def _is_patch(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_HEAD)) == _HEAD
