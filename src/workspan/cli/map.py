"""``workspan map``: what the field says and what was measured of it, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from workspan.cli.exits import Exit
from workspan.cli.plain import say, say_json
from workspan.cli.sweep import StoreOption
from workspan.cli.terminal import Terminal

if TYPE_CHECKING:  # what these need is loaded when the command runs
    from workspan.lab.map.gathered import EvidenceMap
    from workspan.lab.map.rows import Row


def map_(
    *,
    store: StoreOption,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write the map as a page.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON record a verdict.")] = False,
) -> None:
    """Draw what the field claims of breadth and depth, each idea with its live verdicts.

    Verdicts come from `workspan claims --store` and `workspan runs compare --verdicts`.
    """
    from workspan.app.mapping import evidence_map, write_map
    from workspan.boundary.outputs import Output, check_outputs
    from workspan.lab.report.pages import is_page

    if to is not None:
        check_outputs(
            [Output("--to", to, "a map", is_page)],
            [("--store", Path(store))] if "://" not in store else [],
        )
    found = anyio.run(evidence_map, store)
    if json:
        for row in found.rows:
            say_json(record(row))
    elif to is None:
        _list(found)
    if to is not None:
        write_map(found, to)
        Terminal(stderr=True).print(f"written: {to}", soft_wrap=True)
    raise typer.Exit(Exit.OK)


def record(row: Row) -> dict[str, object]:
    """Flatten a row for ``--json``: what identifies it first, then the rest."""
    return {
        "id": row.id,
        "claim": row.claim,
        "source": row.source,
        "verdict": row.verdict,
        "low": row.low,
        "high": row.high,
        "budget": row.budget,
        "model": row.model,
        "date": row.date,
        "command": row.command,
        "idea": row.idea,
        "name": row.name,
        "kind": row.kind,
        "statistic": row.statistic,
        "found": row.found,
        "line": row.line,
        "problems": row.problems,
        "machine": row.machine,
        "why": row.why,
        "parts": [part._asdict() for part in row.parts],
    }


def _list(found: EvidenceMap) -> None:
    """Say each idea with its rows, in plain lines."""
    from workspan.lab.map.drawn import sign
    from workspan.lab.map.rows import KINDS

    for node in found.nodes:
        say(f"{sign(node.verdict)} {node.idea.name}: {node.verdict}. {node.idea.claim}")
        for row in node.rows:
            told = f"  {sign(row.verdict)} {row.verdict}: {row.name}"
            if row.model or row.verdict != "not measured":  # else its name says of which kind
                told += f", {row.model or f'on {KINDS[row.kind]}'}"
            if row.found is not None and row.low is not None and row.high is not None:
                told += f": {row.found:.3g} [{row.low:.3g}, {row.high:.3g}]"
            say(told)
