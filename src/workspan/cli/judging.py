"""One answer before a person: how it is shown, and what was typed."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import typer

from workspan.legible import legible

if TYPE_CHECKING:
    from workspan.lab.labelling.kappa import Kappa
    from workspan.lab.labelling.labels import Verdict

_SHOWN = 4_000
"""Characters of a question or an answer."""
_KEYS: Mapping[str, Verdict] = {"r": "right", "w": "wrong", "u": "unsure"}


class Typed(NamedTuple):
    """What a labeller typed."""

    verdict: Verdict | None = None
    is_back: bool = False
    is_over: bool = False


def user() -> str:
    """Return whoever sits here."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # as in a container without a name for its user
        return "me"


def cut(text: str) -> str:
    """Return a text as it is shown: its two ends, where it is long."""
    safe = legible(text)
    if len(safe) <= _SHOWN:
        return safe
    half = _SHOWN // 2
    return f"{safe[:half]}\n[… {len(safe) - 2 * half} characters are left out …]\n{safe[-half:]}"


def ask() -> Typed:
    """Ask for a judgement."""
    line = read_line("right, wrong, unsure, back or quit [r/w/u/b/q]: ")
    if line is None or line == "q":
        return Typed(is_over=True)
    if line == "b":
        return Typed(is_back=True)
    return Typed(_KEYS.get(line))


def read_line(prompt: str, *, is_key: bool = True) -> str | None:
    """Read a line; None where there is no more, or the labeller breaks off."""
    typer.echo(prompt, nl=False, err=True)
    try:
        line = sys.stdin.readline()
    except (KeyboardInterrupt, UnicodeDecodeError):
        line = ""
    if not line:
        typer.echo("", err=True)
        return None
    told = line.strip()
    return told[:1].lower() if is_key else told


def said_of(kappa: Kappa) -> str:
    """Say how far two labellers agree."""
    value, low, high, both, agreed = kappa
    if not both:
        return "none was judged by both"
    said = f"the same of {agreed} of {both}"
    if value is None or low is None or high is None:
        return f"{said}; both say one thing of all, so kappa is not defined"
    return f"{said}, Cohen's kappa {value:.2f} [{low:.2f}, {high:.2f}]"
