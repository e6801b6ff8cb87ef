"""A sweep as one page: from pictures to cells, to problems, to the text of each call.

The page holds all that it shows and asks for nothing else. Its policy names its two scripts and its
style by their hashes, and Vega's expressions are interpreted, not compiled: nothing else can run,
whatever a model wrote. What a model wrote is data, and is put into the page as text alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import vl_convert
from markupsafe import Markup

from workspan import __version__
from workspan.lab.report.comparison import template
from workspan.lab.report.pages import write_page
from workspan.lab.report.sweep.calls import Calls, shortened
from workspan.lab.report.sweep.curves import accuracy, selection
from workspan.lab.report.sweep.drawing import HUES, Names, Spec
from workspan.lab.report.sweep.phased import phase_diagram
from workspan.lab.report.sweep.planes import plane
from workspan.lab.stats import CONFIDENCE
from workspan.lab.sweeping.comparing import Covering, Overtaking, Versus
from workspan.lab.sweeping.outcome import FINAL, CellRow, TrialRow
from workspan.lab.sweeping.phases import Phase
from workspan.lab.sweeping.results import SweepRow
from workspan.legible import counted, legible
from workspan.tasks.base import Task

CELLS = 2_000
"""Of one page; what is more stays in the store, and the page says so."""
TRIALS = 100_000
"""Problems of all cells together on one page: an equal number of each cell's first ones."""
COMPARED = 500
"""Comparisons that one page lists; those that are decided come first."""
ASKED = 2_000_000
"""Characters of all problems together."""
_OPEN = 24
"""Groups that are drawn at once; the others when they are opened."""
_HERE = Path(__file__).parent
_BUNDLE = "window.vegaEmbed = vegaEmbed;"
_ANSWER = 200
"""Characters of an answer in a list of problems."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """All that a report of a sweep shows; each figure comes from the module that is its own."""

    sweep: SweepRow
    cells: Sequence[CellRow]
    """In the sweep's order."""
    trials: Mapping[str, Sequence[TrialRow]]
    calls: Calls
    base: str
    """The strategy that others are held against; empty where no cell is done."""
    versus: Sequence[Versus]
    overtaking: Sequence[Overtaking]
    covering: Sequence[Covering]
    phases: Sequence[Phase]
    asked: Mapping[str, Sequence[Task]] = field(default_factory=dict)
    """The problems themselves, by `CellRow.problems_digest`, where they are at hand."""


@dataclass(frozen=True, slots=True)
class Group:
    """The cells of one engine, task and effort."""

    title: str
    rows: Sequence[CellRow]


def bounded(cells: Sequence[CellRow]) -> Sequence[CellRow]:
    """Return the cells that a page shows."""
    return cells[:CELLS]


def write_sweep_page(found: SweepReport, path: Path) -> None:
    """Write the page to `path`, readable by its owner only.

    Raises:
        InputError: something else is there.
        OutputError: the page can't be written.
    """
    write_page(render(found), path)


def render(found: SweepReport) -> str:
    """Return the page; the same each time."""
    held = _shown(found)
    names, pictures = Names.of(held.cells), _Pictures([], phase_diagram(held.phases))
    shown = groups(held.cells)
    scripts = [_sound(_bundle()), _sound((_HERE / "sweep.js").read_text())]
    style = _sound((_HERE.parent / "page.css").read_text() + (_HERE / "sweep.css").read_text())
    return template("sweep/sweep.html.j2").render(
        title=f"Sweep {found.sweep.name}",
        policy=_policy(scripts, style),
        scripts=[Markup(one) for one in scripts],  # a library, and our own
        style=Markup(style),
        facts=_facts(found),
        notes=_notes(found, held),
        phases=pictures.phases,
        unplaced=[one for one in held.phases if one.ratio is None],
        base=found.base,
        decided=[one for one in held.versus if _is_decided(one)],
        undecided=[one for one in held.versus if not _is_decided(one)],
        compared=len(found.versus),
        groups=[(i < _OPEN, one, pictures.of(one, names)) for i, one in enumerate(shown)],
        report=held,
        names=names,
        hues=HUES,
        pictures=_data(pictures.specs),
        cells=_data({row.id: _cell(row, held) for row in held.cells}),
        trials=_data(_trials(held)),
        calls=_data(held.calls.of),
        asked=_data(_asked(held)),
    )


def _shown(found: SweepReport) -> SweepReport:
    """Leave out what would be too much for one page."""
    cells = bounded(found.cells)
    kept = {(row.engine, row.task, row.effort) for row in cells}
    phases = [one for one in found.phases if (one.engine, one.task, one.effort) in kept]
    versus = sorted(found.versus, key=lambda one: not _is_decided(one))[:COMPARED]
    return replace(
        found,
        cells=cells,
        phases=phases,
        versus=versus,
        overtaking=found.overtaking[:COMPARED],
        covering=found.covering[:COMPARED],
    )


def _is_decided(one: Versus) -> bool:
    return one.p_holm < 1 - CONFIDENCE


def groups(rows: Sequence[CellRow]) -> list[Group]:
    """Put together what is drawn together, in the sweep's order."""
    found: dict[tuple[str, str, str], list[CellRow]] = {}
    for row in rows:
        found.setdefault((row.engine, row.task, row.effort), []).append(row)
    return [
        Group(f"{engine} on {task}" + (f", effort {effort}" if effort else ""), many)
        for (engine, task, effort), many in found.items()
    ]


class _Pictures:
    """The pictures of a page, each known by its number."""

    def __init__(self, specs: list[Spec], phases: Spec | None) -> None:
        self.specs = specs
        self.phases = self._add(phases)

    def of(self, group: Group, names: Names) -> dict[str, int | None]:
        """Draw a group."""
        return {
            "accuracy": self._add(accuracy(group.rows, names)),
            "plane": self._add(plane(group.rows, names)),
            "selection": self._add(selection(group.rows, names)),
        }

    def _add(self, spec: Spec | None) -> int | None:
        if spec is None:
            return None
        self.specs.append(spec)
        return len(self.specs) - 1


@cache
def _bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, as they come with vl-convert."""
    found: str = vl_convert.javascript_bundle(_BUNDLE)
    return found


def _sound(text: str) -> str:
    """Return what stands between two tags of a page, as a browser will read it there."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    lower = plain.lower()
    if any(mark in lower for mark in ("</script", "</style", "<!--")):
        raise ValueError("a script or a style of the page would end before its end")
    return plain


def _policy(scripts: Sequence[str], style: str) -> str:
    """Return what the page may do: run these scripts, wear this style, and nothing else."""
    allowed = " ".join(f"'{_hash(one)}'" for one in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(value: object) -> Markup:
    """Write data as JSON that no browser takes for anything else: nothing in it opens a tag."""
    text = msgspec.json.encode(_visible(msgspec.to_builtins(value, str_keys=True))).decode()
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def _visible(value: Any) -> Any:
    """Take out of every text what can't be seen or written."""
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, Mapping):
        return {_visible(key): _visible(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_visible(item) for item in value]
    return value


def _cell(row: CellRow, found: SweepReport) -> dict[str, object]:
    """Return what the page says of a cell above its problems."""
    return {
        "strategy": row.strategy,
        "on": f"{row.engine} on {row.task}" + (f", effort {row.effort}" if row.effort else ""),
        "budget": row.budget,
        "seed": row.seed,
        "model": row.model,
        "status": row.status,
        "error": row.error,
        "accuracy": row.accuracy,
        "low": row.low,
        "high": row.high,
        "problems": row.problems,
        "asked": row.problems_digest,
        "draws": row.draws if row.draws != row.id else "",
        "unread": found.calls.unread.get(row.id, ""),
    }


def _trials(found: SweepReport) -> dict[str, list[list[object]]]:
    """Return the problems of each cell, an equal number of each."""
    share = max(1, TRIALS // max(1, len(found.cells)))
    return {
        row.id: [
            [
                trial.place,
                trial.problem,
                trial.correct,
                (trial.answer or "")[:_ANSWER] if trial.answer is not None else None,
                trial.error,
                trial.stop,
                trial.work,
                trial.span,
                int(trial.is_shared),
            ]
            for trial in found.trials[row.id][:share]
        ]
        for row in found.cells
    }


def _asked(found: SweepReport) -> dict[str, list[list[str]]]:
    """Return what was asked and the reference, an equal share of the page for each set."""
    share, told = ASKED // max(1, len(found.asked)), dict[str, list[list[str]]]()
    for digest, tasks in found.asked.items():
        left, own = share, told.setdefault(digest, [])
        for task in tasks:
            prompt = shortened("\n\n".join(turn.text for turn in task.problem.prompt))
            reference = shortened(task.reference)
            left -= len(prompt) + len(reference)
            if left < 0:
                break
            own.append([prompt, reference])
    return told


def _facts(found: SweepReport) -> dict[str, str]:
    one = found.sweep
    began = datetime.fromtimestamp(one.began, UTC).strftime("%Y-%m-%d %H:%M UTC")
    spent = f"{counted(one.spent_work, 'token', ',')} decoded"
    if one.spent_cost:
        spent += f", ${one.spent_cost / 1e12:.4f}"
    return {
        "sweep": f"{one.name} ({one.id})",
        "began": began + ("" if one.ended is not None else ", not ended"),
        "cells": f"{one.done} of {one.cells} done",
        "spent in all": spent,
        "budget of the whole": one.total,
        "models": ", ".join(dict.fromkeys(row.model for row in found.cells)) or "none yet",
        "workspan": __version__,
    }


def _notes(found: SweepReport, held: SweepReport) -> list[str]:
    """Say what the page leaves out, and what in it is not as it seems."""
    said = []
    if not found.cells:
        said.append("No cell is kept yet: the same sweep command goes on.")
    if (more := len(found.cells) - len(held.cells)) > 0:
        said.append(
            f"The store has {counted(more, 'more cell', ',')}: the page shows the first {CELLS:,}."
        )
    if open_ := sum(row.status not in FINAL for row in held.cells):
        said.append(f"Not done: {counted(open_, 'cell', ',')}, in tables and in no picture.")
    if over := sum(row.status == "over" for row in held.cells):
        said.append(
            f"Over: of {counted(over, 'cell', ',')} the engine took more than a run's budget "
            "allows. They are in tables, and neither drawn nor compared."
        )
    share = max(1, TRIALS // max(1, len(held.cells)))
    if any(len(held.trials[row.id]) > share for row in held.cells):
        said.append(f"Of each cell one can look at the first {counted(share, 'problem', ',')}.")
    if held.calls.left_out:
        said.append(
            f"Without the texts of {counted(held.calls.left_out, 'run', ',')}, so that the page "
            "stays small: each cell shows as many of its first problems as fit into its share."
        )
    if held.calls.unread:
        n = len(held.calls.unread)
        said.append(
            f"No journal can be read here of {counted(n, 'cell', ',')}, so that no call is shown."
        )
    if any("simulated" in row.model for row in held.cells):
        said.append("simulated: no language model was asked.")
    return said
