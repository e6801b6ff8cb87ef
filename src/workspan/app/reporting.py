"""A report of a sweep: what its modules found, drawn into a file when all of it is in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workspan.app.sweeping import journals_of, problems_of
from workspan.app.swept import held, judged, list_sweeps
from workspan.errors import InputError, MissingDependency, nearest
from workspan.lab.sweeping.cell import problems_digest
from workspan.lab.sweeping.outcome import CellRow
from workspan.lab.sweeping.written import read_sweep
from workspan.tasks.base import Task
from workspan.tasks.catalogue import serial_depth

_PAGE = ".html"
SUFFIXES = (_PAGE, ".png", ".svg")
"""Forms of a report, by the suffix of its file."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What was written."""

    sweep: str
    """Its id."""
    path: Path
    cells: int
    bytes: int


def suffix_of(path: Path) -> str:
    """Return the suffix that says in which form a report is written.

    Raises:
        InputError: it is none of them.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        said = f"ends in {path.suffix!r}" if path.suffix else "has no suffix"
        raise InputError(f"--to {path} {said}: name a file that ends in {known}")
    return suffix


def is_report(path: Path) -> Callable[[Path], bool]:
    """Return what tells a report of ours from other files of its suffix.

    Raises:
        InputError: the suffix is of no report.
        MissingDependency: the extra `lab` is not installed.
    """
    suffix = suffix_of(path)
    try:
        from workspan.lab.report.pages import is_page
        from workspan.lab.report.sweep.image import FORMS
    except ImportError:
        raise MissingDependency("a report", "lab") from None
    return is_page if suffix == _PAGE else FORMS[suffix].is_ours


async def report(
    store: str,
    path: Path | str,
    said: str | None = None,
    *,
    base: str | None = None,
    serial: Mapping[str, int] | None = None,
    journals: Path | str | None = None,
    problems: Path | str | None = None,
) -> Reported:
    """Draw a sweep into a file: one page to walk through, or one picture.

    Args:
        store: where its cells are.
        path: ends in .html, .png or .svg.
        said: its id or name; the latest of the store unless told.
        base: the strategy that others are held against; unless told the least parallel one.
        serial: depths of tasks, in steps that each need the one before, beside those that the task
            sets state themselves.
        journals: the folder of the calls; beside the store by default.
        problems: the sweep's TOML file: what was asked is shown, where it is still what the file
            names.

    Raises:
        InputError: there is no such store, sweep or base; the suffix is of no report; something
            else is at the path; or a picture is asked for and no cell is done.
        MissingDependency: the extra `lab` is not installed.
        OutputError: it can't be written.
    """
    path = Path(path)
    suffix = suffix_of(path)
    try:
        from workspan.lab.report.sweep.calls import read_calls
        from workspan.lab.report.sweep.image import write_image
        from workspan.lab.report.sweep.page import SweepReport, bounded, write_sweep_page
        from workspan.lab.sweeping.phases import deepest, phases
    except ImportError:
        raise MissingDependency("a report", "lab") from None
    one = await held(store, said or await _latest(store))
    chosen = base or deepest(one.cells)
    depths = _depths({cell.task for cell in one.cells}, serial or {})
    is_done = chosen is not None and any(cell.status == "done" for cell in one.cells)
    found = judged(one, chosen) if is_done else None
    shown, folder = bounded(one.cells), Path(journals) if journals else journals_of(store)
    drawn = SweepReport(
        sweep=one.sweep,
        cells=one.cells,
        trials=one.trials,
        calls=read_calls(shown if suffix == _PAGE else (), one.trials, folder),
        base=chosen or "",
        versus=found.versus if found else (),
        overtaking=found.overtaking if found else (),
        covering=found.covering if found else (),
        phases=phases(one.cells, one.trials, found.versus, depths) if found else (),
        asked=_asked(problems, shown) if problems else {},
    )
    (write_sweep_page if suffix == _PAGE else write_image)(drawn, path)
    return Reported(one.sweep.id, path, len(one.cells), path.stat().st_size)


async def _latest(store: str) -> str:
    found = await list_sweeps(store)
    if not found:
        raise InputError(f"the store {store} has no sweep: `workspan sweep` makes one")
    return found[0].id


def _asked(file: Path | str, cells: Sequence[CellRow]) -> dict[str, list[Task]]:
    """Load what cells were run on, by its hash: a set that has changed since is left out.

    Raises:
        WorkspanError: the file is no sweep, or its problems are not there.
    """
    sweep = read_sweep(file)
    wanted = {(cell.task, cell.problems): cell.problems_digest for cell in cells}
    found = {}
    for stated in sweep.engines:
        for (task, n), digest in wanted.items():
            if digest not in found and (task in stated.tasks or stated.recording):
                tasks = problems_of(sweep, stated, task, n)
                if problems_digest(tasks) == digest:
                    found[digest] = tasks
    return found


def _depths(tasks: Iterable[str], told: Mapping[str, int]) -> dict[str, int]:
    """Return the serial depth of each task that has one: as told, else as its set states.

    Raises:
        InputError: a depth is of a task that the sweep does not have, or below 1.
    """
    known = sorted(tasks)
    for task, depth in told.items():
        if task not in known:
            raise InputError(f"the sweep has no task {task!r}: {nearest(task, known)}")
        if depth < 1:
            raise InputError(f"the serial depth of {task} is {depth}: at least 1 step")
    stated = {task: serial_depth(task) for task in known}
    return {task: depth for task, depth in stated.items() if depth is not None} | dict(told)
