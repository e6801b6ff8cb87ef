from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.panel import Panel
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from workspan.cli.plain import json_line
from workspan.cli.terminal import Terminal, say_error
from workspan.legible import legible

EVIL = (
    "\x1b[31mred\x1b]8;;http://evil\x07link\x9b2J\u202eright\u200b\u2066x\rback\x08\x7f"
    "[link=http://evil]y[/link][/z]:bomb:\U000e0041\ufe0f"
)
TEXTS = st.text() | st.lists(st.sampled_from([*EVIL, "[", "/", "]", "ab"])).map("".join)


def shown(*things: object) -> str:
    """Print on a console that takes itself for a terminal with colours."""
    console = Terminal()
    console.file = io.StringIO()
    console._force_terminal = True
    console._color_system = None
    for thing in things:
        console.print(thing)
    return console.file.getvalue()


def everywhere(text: str) -> str:
    table = Table(text, title=text, caption=text)
    table.add_row(text)
    return shown(text, Text(text), table, Panel(Text(text)))


@given(TEXTS)
def test_no_text_steers_the_terminal_wherever_it_is_put(text: str) -> None:
    out = everywhere(text)
    assert legible(out) == out


def test_text_is_no_markup_and_no_link() -> None:
    out = everywhere(EVIL)
    assert "[link=http://evil]y[/link][/z]:bomb:" in out.replace("\n", "")
    assert "\x1b" not in out


def test_a_bar_of_progress_shows_text_as_it_is() -> None:
    console = Terminal()
    console.file = io.StringIO()
    with Progress(console=console) as progress:
        progress.add_task("replay", total=1)
    assert legible(console.file.getvalue()) == console.file.getvalue()


@given(TEXTS)
def test_records_are_visible_and_read_back_equal(text: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in text):
        return
    line = json_line({"text": text})
    assert legible(line) == line
    assert "\n" not in line
    assert json.loads(line) == {"text": text}


@pytest.mark.parametrize("text", [EVIL, "a\nb\nc\nd", "x" * 100_000, "said\n  text\n  ^", ""])
def test_an_error_is_one_line_or_points_into_its_text(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say_error(text)
    lines = capsys.readouterr().err.rstrip("\n").split("\n")
    assert len(lines) == 1 or (len(lines) == 3 and lines[2].strip() == "^")
    assert all(len(line) < 3_000 and legible(line) == line for line in lines)
