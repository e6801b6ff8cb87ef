"""What a person sees: text made safe for a terminal, accounts, and a run as it streams.

All that a command prints goes through `Terminal`, or through `plain`: what servers, models and
files say reaches the terminal as visible characters only, whatever the place it was put in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from workspan.app.engines import Opened
from workspan.core.context import Delta, Event
from workspan.core.engine import engine_names
from workspan.data.types import Usage
from workspan.legible import counted, legible, one_line
from workspan.runner import Result

_NARROWEST, _WIDEST = 20, 1_000
"""Columns that a terminal may say it has."""
_ROWS = 12
_LEFT_OUT = 5
_LONGEST_ERROR = 2_000
"""Characters of an error."""


class Terminal(Console):
    """A console on which no text is markup, and none steers the terminal.

    Text is cleaned as it is laid out, so that no caller can forget it: tables, bars and panels too.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)
        if not _NARROWEST <= self.width <= _WIDEST:  # COLUMNS=0 would print nothing
            self.width = 80

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Lay out as rich does; only its own control codes pass."""
        for text, style, control in super().render(renderable, options):
            if control:
                yield Segment(text, style, control)
            else:
                yield Segment(legible(text), _without_link(style), None)


def _without_link(style: Style | None) -> Style | None:
    return style.update_link(None) if style is not None and style.link else style


def say_error(text: str, *, is_one_line: bool = False) -> None:
    """Print an error: one line, and where it shows a text that it points into, two more."""
    head, _, pointed = text.partition("\n")
    if is_one_line or pointed.count("\n") != 1 or not pointed.endswith("^"):
        head, pointed = text, ""
    line = one_line(head, _LONGEST_ERROR)
    rest = f"\n{legible(pointed)}" if pointed else ""
    Terminal(stderr=True).print(Text(f"error: {line}{rest}"), style="red", soft_wrap=True)


@contextmanager
def watching(console: Console) -> Iterator[Callable[[Event], None]]:
    """Show the calls in flight, a row each, while the block runs."""
    from rich.live import Live

    pieces: dict[str, list[str]] = {}
    counts: dict[str, int] = {}

    def view() -> Group:
        table = Table.grid(padding=(0, 1))
        for key in list(pieces)[-_ROWS:]:
            tail = legible("".join(pieces[key][-40:])).replace("\n", " ")[-(console.width - 20) :]
            table.add_row(Text(key, "dim"), Text(str(counts[key]), "cyan"), Text(tail))
        hidden = max(0, len(pieces) - _ROWS)
        return Group(table, Text(f"… and {hidden} more" if hidden else "", "dim"))

    with Live(console=console, refresh_per_second=8, transient=True, get_renderable=view):

        def observe(event: Event) -> None:
            if isinstance(event, Delta):
                pieces.setdefault(event.key, []).append(event.chunk.reasoning + event.chunk.text)
                counts[event.key] = counts.get(event.key, 0) + 1

        yield observe


def account(result: Result, opened: Opened) -> Table:
    """Lay out how the budget was spent."""
    usage, engine = result.usage, opened.engine.info
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    about = f", {usage.unseen_tokens} more at most after cuts" if usage.unseen_tokens else ""
    rows = {
        "engine": engine_names(f"{engine.name}, {engine.model}", opened.models),
        "work": f"{counted(result.work, 'token')} decoded ({usage.source}{about})",
        "span": f"{counted(result.span, 'token')} on the longest chain of calls",
        "parallelism": f"{result.parallelism:.1f} (work / span)",
        "prefill": f"{counted(usage.prefill, 'prompt token')} "
        f"({usage.cached_tokens} more from a cache)",
        "calls": f"{usage.calls}" + (f", {result.failures} failed" if result.failures else ""),
        "seconds": f"{result.seconds:.2f}{_line(result)}",
        "money": money(usage),
        "ended by": "the strategy" if result.stop == "done" else f"the limit on {result.stop}",
    }
    for name, value in rows.items():
        table.add_row(Text(name, "dim"), Text(value))
    return table


def _line(result: Result) -> str:
    """Tell the time in line from the engine's, where calls had to wait."""
    if result.queue_seconds < 0.01:
        return ""
    return f" (calls {result.call_seconds:.2f}, in line before {result.queue_seconds:.2f}: sums)"


def noticed(result: Result) -> Iterator[str]:
    """Say what was odd about a run: limits that were passed, and its notices, a line each."""
    for limit, excess in result.overruns.items():
        yield f"the limit on {limit} may have been passed by {excess}"
    for notice in result.notices:
        yield legible(notice.text) + (f" ({notice.times} times)" if notice.times > 1 else "")


def money(usage: Usage) -> str:
    """Write what `usage` cost."""
    return "unknown (the model has no price)" if usage.cost is None else f"${usage.cost:.6f}"


def say_left_out(left_out: Mapping[str, str]) -> None:
    """Say what of a recording is not used, and why; the first few."""
    aside = Terminal(stderr=True)
    for name, why in [*left_out.items()][:_LEFT_OUT]:
        aside.print(f"left out: {name}: {why}", soft_wrap=True)
    if len(left_out) > _LEFT_OUT:
        aside.print(f"left out: {len(left_out) - _LEFT_OUT} more")
