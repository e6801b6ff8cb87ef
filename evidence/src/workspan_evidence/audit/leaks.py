"""What could tell a problem's two candidates apart before the graph is walked.

Two exact checks of one problem; what many problems are counted for is in `cues`. They see the graph
and not how its labels and orders were drawn.

- *Colours*. Colour refinement (1-WL; Weisfeiler & Leman 1968): after k rounds a node's colour is
  all that its neighbourhood of radius k says but its labels.
- *Crossing*. Exchange the two copies beyond a distance from the source: another problem with the
  same source and candidates whose answer is the other one, drawn as often, since labels and orders
  are uniform. A reader that leaves the exchanged rows unread says the same of both, so that it is
  right in exactly half of all problems. Where a problem can't be crossed, nothing is promised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from workspan_evidence.families.graph import GraphInstance
from workspan_evidence.grammar import QUERY, ROW

Rows = Mapping[int, tuple[int, ...]]


def prompt_rows(prompt: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """Return the graph that a prompt shows: its rows, in the prompt's order."""
    facts = prompt[1 : prompt.index(QUERY)]
    starts = [i for i, symbol in enumerate(facts) if symbol == ROW]
    ends = [*starts[1:], len(facts)]
    return {facts[i + 1]: facts[i + 2 : end] for i, end in zip(starts, ends, strict=True)}


def parents(rows: Rows) -> dict[int, list[int]]:
    """Return for each node the nodes whose rows name it, in the order of the rows."""
    above: dict[int, list[int]] = {u: [] for u in rows}
    for u, below in rows.items():
        for v in below:
            above[v].append(u)
    return above


def distances(rows: Rows, start: int) -> dict[int, int]:
    """Return how many edges, of either direction, are between a node and each that it reaches."""
    above = parents(rows)
    found, frontier = {start: 0}, [start]
    while frontier:
        reached = [v for u in frontier for v in (*rows[u], *above[u]) if v not in found]
        found |= dict.fromkeys(reached, found[frontier[0]] + 1)
        frontier = list(dict.fromkeys(reached))
    return found


def distance(instance: GraphInstance) -> int:
    """Return how many edges are between the source and the answer."""
    return distances(instance.rows, instance.source)[instance.answer]


def exact_leaks(instance: GraphInstance) -> list[str]:
    """Say what gives the answer away in fewer rounds than edges; nothing in a sound problem."""
    edges = distance(instance)
    first = {
        "candidates' colours": told_apart(instance, source_marked=False),
        "candidates' colours, source marked": told_apart(instance, source_marked=True),
        "source's colours, candidates marked": source_tells(instance),
    }
    found = [
        f"{what} differ after {k} rounds, {edges} edges"
        for what, k in first.items()
        if k is not None and (k < edges or "marked" not in what)
    ]
    uncrossed = [depth for depth in range(edges) if crossed(instance, depth) is None]
    return found + ([f"not to be crossed at depths {uncrossed}"] if uncrossed else [])


def told_apart(instance: GraphInstance, *, source_marked: bool) -> int | None:
    """Return after how many rounds the candidates' colours differ first; None if never.

    Args:
        instance: its prompt's graph is what is coloured, in both directions of its edges.
        source_marked: whether the source begins with a colour of its own.
    """
    marks = {instance.source: "source"} if source_marked else {}
    return _first_difference(instance.rows, (marks, instance.answer), (marks, instance.decoy))


def source_tells(instance: GraphInstance) -> int | None:
    """Return after how many rounds the source's colour says which of two marked candidates is it.

    It is compared with its own colour when the marks are exchanged.
    """
    marks = {instance.answer: "first", instance.decoy: "second"}
    exchanged = {instance.answer: "second", instance.decoy: "first"}
    return _first_difference(instance.rows, (marks, instance.source), (exchanged, instance.source))


_Marked = tuple[Mapping[int, str], int]
"""What some nodes begin with, and the node that is looked at."""


def _first_difference(rows: Rows, one: _Marked, other: _Marked) -> int | None:
    names: dict[object, int] = {}  # shared, so that equal colours have equal numbers
    above = parents(rows)

    def name(colour: object) -> int:
        return names.setdefault(colour, len(names))

    def begin(marks: Mapping[int, str]) -> dict[int, int]:
        return {u: name((len(rows[u]), len(above[u]), marks.get(u))) for u in rows}

    def refine(colours: dict[int, int]) -> dict[int, int]:
        def seen(nodes: tuple[int, ...] | list[int]) -> tuple[int, ...]:
            return tuple(sorted(colours[v] for v in nodes))

        return {u: name((colours[u], seen(rows[u]), seen(above[u]))) for u in rows}

    (marks, here), (other_marks, there) = one, other
    colours, others = begin(marks), begin(other_marks)
    k = kinds = 0
    while colours[here] == others[there]:
        before, kinds = kinds, len({*colours.values(), *others.values()})
        if kinds == before:  # what a round does not split, no later one does
            return None
        colours, others, k = refine(colours), refine(others), k + 1
    return k


def crossed(instance: GraphInstance, depth: int) -> GraphInstance | None:
    """Exchange what lies more than `depth` edges from the source with its like in the other copy.

    Everything in the prompt stays in its place but the exchanged symbols, which are in rows of
    nodes at `depth` and, where edges go both ways, `depth` + 1. The answer is then the decoy.
    None where the two halves of the graph are no copies of each other, candidates included.

    Args:
        instance: the copies are the first and the second half of its rows, in corresponding order.
        depth: from 0 to the answer's distance less 1.
    """
    partner = partners(instance.rows)
    if not _is_two_copies(instance, partner):
        return None
    away = distances(instance.rows, instance.source)
    away |= {partner[node]: edges for node, edges in away.items()}

    def cross(u: int, v: int) -> int:
        return partner[v] if (away[u] > depth) != (away[v] > depth) else v

    rows = {u: tuple(cross(u, v) for v in vs) for u, vs in instance.rows.items()}
    prompt = list(instance.prompt)
    at = 1
    for u in prompt_rows(instance.prompt):
        prompt[at + 2 : at + 2 + len(rows[u])] = rows[u]
        at += 2 + len(rows[u])
    return replace(
        instance,
        prompt=tuple(prompt),
        rows=rows,
        answer=instance.decoy,
        decoy=instance.answer,
    )


def partners(rows: Rows) -> dict[int, int]:
    """Return each node's like in the other copy, where the copies are drawn one after the other."""
    nodes = list(rows)
    half = len(nodes) // 2
    return dict(zip(nodes, nodes[half:] + nodes[:half], strict=True))


def _is_two_copies(instance: GraphInstance, partner: Mapping[int, int]) -> bool:
    return partner[instance.answer] == instance.decoy and all(
        partner[partner[u]] == u and {partner[v] for v in below} == set(instance.rows[partner[u]])
        for u, below in instance.rows.items()
    )
