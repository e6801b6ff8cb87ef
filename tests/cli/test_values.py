"""Options that are taken as they stand: the same as typer makes of them, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from hypothesis import example, given
from hypothesis import strategies as st

from workspan.cli.values import as_they_stand

HERE = str(Path(__file__))


def _made() -> Any:
    """Make a command with an option of each form that the commands have, and some they lack."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

    def every(
        *,
        words: Annotated[list[str] | None, typer.Argument()] = None,
        text: str = "a text",
        maybe: Annotated[str | None, typer.Option()] = None,
        needed: Annotated[str, typer.Option()],
        whole: Annotated[int, typer.Option(min=1, max=9_000)] = 3,
        clamped: Annotated[int, typer.Option(max=5, clamp=True)] = 3,
        real: Annotated[float, typer.Option(min=0)] = 0.5,
        path: Path | None = None,
        held: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
        paths: Annotated[list[Path] | None, typer.Option()] = None,
        several: Annotated[list[str] | None, typer.Option()] = None,
        flag: bool = False,
        parsed: Annotated[str, typer.Option(parser=str.upper)] = "up",
    ) -> dict[str, Any]:
        return dict(locals())

    app.command()(every)
    return typer.main.get_command(app)


REFUSED: type[Exception] = typer.BadParameter.__mro__[2]
PLAIN, QUICK = _made(), as_they_stand(_made())


def _said(command: Any, arguments: list[str]) -> object:
    """Return what a command was called with, or why it was not."""
    try:
        return repr(command.main([*arguments], "prog", standalone_mode=False))
    except REFUSED as error:
        return type(error).__name__, str(getattr(error, "format_message", error.__str__)())


NAMES = ("text", "maybe", "whole", "clamped", "real", "path", "held", "paths", "several", "parsed")
OPTIONS = tuple(f"--{name}" for name in NAMES)
values = st.one_of(
    st.text(max_size=8),
    st.integers(-20, 20_000).map(str),
    st.floats(allow_nan=True).map(str),
    st.sampled_from(["", " 7", "1_0", "٣", "0x1", "1e3", "nan", "-0", "00", HERE, "/", "no", "."]),
)


@given(
    st.lists(st.tuples(st.sampled_from(OPTIONS), values), max_size=5), st.lists(values, max_size=2)
)
@example([("--whole", "9001")], [])
@example([("--whole", "12345678901234567890")], ["a", "b"])
@example([("--held", "nowhere"), ("--paths", "a"), ("--paths", "b")], [])
@example([("--clamped", "77"), ("--real", "-1")], [])
def test_they_are_what_typer_makes_of_them(asked: list[tuple[str, str]], words: list[str]) -> None:
    arguments = [f"{name}={value}" for name, value in asked] + [
        "--needed=x",
        "--flag",
        "--",
        *words,
    ]
    assert _said(QUICK, arguments) == _said(PLAIN, arguments)


@pytest.mark.parametrize("arguments", [[], ["--needed"], ["--unknown"], ["--help"], ["--needed=1"]])
def test_what_is_missing_is_said_as_before(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    quick, shown = _said(QUICK, arguments), capsys.readouterr()
    assert (quick, shown) == (_said(PLAIN, arguments), capsys.readouterr())


def test_a_command_that_needs_no_converter_does_not_load_one() -> None:
    code = (
        "import sys; from workspan.cli.main import main\n"
        "try: main(['strategies', 'single'])\n"
        "except SystemExit: pass\n"
        "sys.exit('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "single" in done.stdout
