"""Ideas with what was measured of them, and relations with how they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workspan.lab.map.ideas import EDGES, IDEAS, Edge, Idea
from workspan.lab.map.rows import KINDS, Kind, Row, Word, together

SEED: tuple[Kind, Kind] = ("reasoner", "model")
"""On both of these every idea is measured, or the map says why not."""
OTHERS = Idea(
    id="others",
    name="Others",
    claim="What sweeps and plug-ins measured beside the ideas of this map.",
    source="your own",
    published="Each row names its own source.",
)


@dataclass(frozen=True, slots=True)
class Node:
    """An idea with its rows."""

    idea: Idea
    rows: tuple[Row, ...]
    """What was measured first, then what was not."""

    @property
    def verdict(self) -> Word:
        """How the idea stands on all that are models: see `rows.together`.

        It held only if it did on the reasoner and on a model that people use.
        """
        rows = [row for row in self.rows if row.kind in SEED]
        word = together(row.verdict for row in rows)
        is_everywhere = {row.kind for row in rows if row.verdict != "not measured"} == {*SEED}
        return word if is_everywhere or word != "held" else "held in part"


@dataclass(frozen=True, slots=True)
class Link:
    """A relation with what its experiments came to."""

    edge: Edge
    verdict: Word
    rows: tuple[str, ...]
    """Ids of the rows that it rests on."""


@dataclass(frozen=True, slots=True)
class EvidenceMap:
    """All of it."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]

    @property
    def rows(self) -> list[Row]:
        """Every row, in the order of the ideas."""
        return [row for node in self.nodes for row in node.rows]


def gather(rows: Iterable[Row]) -> EvidenceMap:
    """Lay rows out on the map; an idea without a row on a kind of model says why."""
    found = [*rows]
    known = {idea.id for idea in IDEAS}
    nodes = [
        Node(idea, _with_gaps(idea, [row for row in found if row.idea == idea.id]))
        for idea in IDEAS
    ]
    others = tuple(row for row in found if row.idea not in known)
    if others:
        nodes.append(Node(OTHERS, others))
    return EvidenceMap(tuple(nodes), tuple(_link(edge, found) for edge in EDGES))


def _link(edge: Edge, rows: Sequence[Row]) -> Link:
    tested = [row for row in rows if row.name in edge.tests and row.verdict != "not measured"]
    models = [row for row in tested if row.kind in SEED] or tested
    return Link(edge, together(row.verdict for row in models), tuple(row.id for row in tested))


def _with_gaps(idea: Idea, rows: Sequence[Row]) -> tuple[Row, ...]:
    measured = {row.kind for row in rows if row.verdict != "not measured"}
    gaps = [_gap(idea, kind) for kind in SEED if kind not in measured]
    return (*rows, *gaps)


def _gap(idea: Idea, kind: Kind) -> Row:
    why, command = idea.gaps[kind]
    return Row(
        name=f"{idea.id} on {KINDS[kind]}",
        idea=idea.id,
        claim=idea.claim,
        source=idea.source,
        verdict="not measured",
        kind=kind,
        why=why,
        command=command,
    )
