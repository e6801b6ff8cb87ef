"""``--dry-run``: what a command will take, before it takes anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from workspan.app.comparing import estimate
from workspan.app.engines import Opened
from workspan.cli.plain import say_json
from workspan.cli.terminal import Terminal
from workspan.core.engine import EngineInfo
from workspan.core.session import Strategy
from workspan.data.budget import Budget, within
from workspan.data.types import Problem
from workspan.lab.estimating import Estimate, Range, Speed
from workspan.lab.report.caveats import power
from workspan.legible import counted

_HABITS = (
    "from the least to the most on simulated models: chains of 32 tokens up to their caps, answers "
    "that agree or never do"
)
_WHOLE = (
    "each rollout at the most that was stated of one, by --tokens, --cost and --seconds: no "
    "command was run"
)


async def say_plan(
    strategies: Sequence[Strategy],
    problems: Sequence[Problem],
    opened: Opened,
    budget: Budget,
    *,
    json: bool,
) -> None:
    """Print what `strategies` will take on `problems`.

    Nothing that costs money is asked: only the speed of a model that is free is measured.
    """
    made = await estimate(problems, strategies, engine=opened, budget=budget)
    say_made(made, opened, budget, json=json)


def say_made(made: Estimate, opened: Opened, budget: Budget, *, json: bool) -> None:
    """Print an estimate."""
    if json:
        for need in (*made.needs, made.total):
            record = {"problems": made.problems, "budget": str(budget), **asdict(need)}
            record["unsized_media"] = made.unsized_media
            say_json(record)
    else:
        Terminal().print(_table(made))
    for note in _notes(made, opened, made.speed):
        Terminal(stderr=True).print(note)


def _table(made: Estimate) -> Table:
    table = Table(
        title=f"{counted(made.problems, 'problem')}, each run {within(made.budget)}: "
        "nothing was asked yet",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    table.add_column("strategy", overflow="fold")
    for column in ("calls", "work", "span", "prefill", "seconds", "money"):
        table.add_column(column, justify="right", overflow="fold")
    needs = made.needs if len(made.needs) == 1 else (*made.needs, made.total)
    for need in needs:
        table.add_row(
            need.strategy,
            *map(Ends, (shown_range(x) for x in (need.calls, need.work, need.span, need.prefill))),
            Ends(shown_range(need.seconds, "{:.1f}")),
            Ends(money_range(need.cost)),
            style="bold" if need.strategy == "all" else "",
        )
    return table


class Ends:
    """A range in a table: on two lines where one is too wide, since nothing of it is left out."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the widths that it takes."""
        return Measurement(max(map(len, self._lines())), len(self._text))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Write it."""
        is_wide = len(self._text) > options.max_width
        yield Text("\n".join(self._lines()) if is_wide else self._text)

    def _lines(self) -> list[str]:
        low, dash, high = self._text.partition("–")
        return [low + dash, high] if dash else [low]


def shown_range(value: Range | None, form: str = "") -> str:
    """Write a range; its ends once where they are the same."""
    if value is None:
        return "unknown"
    low, high = (form.format(end) if form else _short(end) for end in (value.low, value.high))
    return low if low == high else f"{low}–{high}"


def money_range(value: Range | None) -> str:
    """Write what is to be paid, from the least to the most."""
    return "free" if value == Range(0, 0) else shown_range(value, "${:.4f}")


def _short(count: float) -> str:
    """Write a count in at most five characters."""
    for scale, sign in ((1e6, "M"), (1e3, "k")):
        if count >= scale:
            return f"{count / scale:.{1 if count < 100 * scale else 0}f}{sign}"
    return f"{count:.0f}"


def unseen(infos: Iterable[EngineInfo]) -> list[str]:
    """Say of which models nobody answered, so that what they offer is as the user says."""
    away = dict.fromkeys(info.model for info in infos if not info.is_seen)
    return [
        f"{name} is taken at your word: its server is not there, so that its context, and whether "
        "it continues an answer, are as you state them"
        for name in away
    ]


def _notes(made: Estimate, opened: Opened, speed: Speed | None) -> list[str]:
    infos = [engine.info for engine in (opened.engine, *opened.engines.values())]
    said = unseen(infos)
    said.append(_HABITS if opened.engine.info.whole is None else _WHOLE)
    if speed is not None:
        said.append(
            f"seconds from {speed.together:.0f} tokens/s, measured on short chains just now"
            + (" on the slowest engine" if opened.engines else "")
        )
    elif made.total.seconds is None:
        limits = "" if made.budget == Budget() else "; limit them: '30s'"
        said.append(f"seconds: the speed of {opened.identity} is not known{limits}")
    whole = opened.engine.info.whole
    if whole is not None and whole.work is None:
        said.append("work and span leave out rollouts: state what one decodes at most (--tokens)")
    if whole is not None and whole.cost is None:
        said.append("money: state what a rollout costs at most (--cost)")
    elif made.total.cost is None:
        unpriced = ", ".join(info.model for info in infos if info.price is None)
        said.append(f"money: no price is known for {unpriced}; give it with --price")
    if made.unsized_media:
        said.append(
            f"prefill and money leave out {counted(made.unsized_media, 'image')}, sounds or files "
            "among them: nobody states what one takes at most; say so with -o media_tokens=N"
        )
    if len(made.needs) > 1:
        said.append(power(made.problems))
    return said
