"""``workspan``: the commands, and how every error leaves the process."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Annotated

import typer

from workspan import __version__
from workspan.cli.commands import Commands
from workspan.cli.exits import Exit, exit_for
from workspan.errors import InputError, WorkspanError
from workspan.legible import quoted
from workspan.registry.table import author

_DEBUG = "WORKSPAN_DEBUG"
"""Set in the environment, it shows where an error came from."""

_CLICK_ERROR: type[Exception] = typer.BadParameter.__mro__[2]  # ClickException, wherever typer
# has its click from

_NEGATIVE = re.compile(r"-+[\d.]")
"""What is no option's name: a number with its sign, or what begins with one."""

app = typer.Typer(
    cls=Commands,
    help="Spend a test-time budget in breadth, in depth, or both, under one exact account.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half of the time to show it was the drawing of boxes
)


def _say_version(asked: bool) -> None:  # noqa: FBT001  # the library calls it so
    if asked:
        typer.echo(f"workspan {__version__}")
        raise typer.Exit


@app.callback()
def workspan(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="And exit.")
    ] = False,
) -> None:
    """Stand for the program itself: a group needs a callback where it has no command yet."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every error ends as one message and an exit code."""
    logging.getLogger().addHandler(logging.NullHandler())  # else libraries write to stderr
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without UTF-8, a name that is not UTF-8
            stream.reconfigure(errors="backslashreplace")
    code = _end(arguments)
    if not _is_written() and code is Exit.OK:
        code = Exit.MACHINE
    sys.exit(code)


def _end(arguments: Sequence[str] | None) -> Exit:
    """Run a command; return the code that the process ends with."""
    try:
        _check(sys.argv[1:] if arguments is None else arguments)
        code = app(args=arguments, standalone_mode=False)
        return Exit(code) if isinstance(code, int) else Exit.OK
    except WorkspanError as error:
        _say_error(str(error))
        code = exit_for(error)
    except _CLICK_ERROR as error:
        _say_usage(error)
        code = Exit.BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.MACHINE  # whoever read the output has left: there is nobody to tell
    except OSError as error:
        _say_error(_of_system(error))
        code = Exit.MACHINE
    except MemoryError:
        _say_error("the memory of this machine is used up")
        code = Exit.MACHINE
    except Exception as error:  # noqa: BLE001  # the last resort of a process
        code = _say_bug(error)
    if os.environ.get(_DEBUG):
        traceback.print_exc()
    return code


def _say_bug(error: Exception) -> Exit:
    """Say whose bug it is."""
    who = author(error)
    what = f"{type(error).__name__}: {error} ({_DEBUG}=1 shows where"
    if who:
        _say_error(f"this is a bug in {who}, not in workspan: {what})", is_one_line=True)
        return Exit.MACHINE
    _say_error(f"this is a bug in workspan: {what}; please report it)")
    return Exit.BUG


def _say_error(text: str, *, is_one_line: bool = False) -> None:
    """Print an error; what shows it is loaded only for that."""
    from workspan.cli.terminal import say_error

    say_error(text, is_one_line=is_one_line)


def _check(arguments: Sequence[str]) -> None:
    """Refuse what could be neither sent nor kept."""
    for place, text in enumerate(arguments, 1):
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise InputError(f"argument {place}, {quoted(text)}, is not UTF-8")


def _say_usage(error: Exception) -> None:
    """Say what is wrong with an option, on one line; without arguments, show the help."""
    say = getattr(error, "format_message", None)
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(str(error), err=True)
        return
    where = f"; see {context.command_path} --help" if context is not None else ""
    if _NEGATIVE.match(getattr(error, "option_name", None) or ""):
        where += "; after -- a text may begin with a dash: -- '-3'"
    _say_error(f"{str(say() if say else error).rstrip('.')}{where}", is_one_line=True)


def _of_system(error: OSError) -> str:
    """Name the file that the system refused, and why."""
    why = error.strerror or str(error) or type(error).__name__
    if error.errno == errno.ENOSPC:
        why = "the disk is full"
    return f"{os.fsdecode(error.filename)}: {why}" if error.filename else why


def _is_written() -> bool:
    """Write out what was said; False if that is lost, since the output is closed or full.

    Python would try again when it ends, and report that in words of its own.
    """
    is_whole = True
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            is_whole = False
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            is_whole = False
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return is_whole
