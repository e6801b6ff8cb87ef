"""Two copies of one graph, a source in the first, and which of two targets it reaches.

The task of "Let Me Think!" (Mirtaheri et al., arXiv:2505.21825), (s, t1, t2)-connectivity. The two
copies are drawn by one recipe and shuffled together under fresh labels, so nothing but the path
from the source tells the targets apart: exchanging the copies gives a problem as likely.

A prompt holds one row ``; u v1 v2 ..`` for each node u with the nodes it leads to, then
``? a b FORMAT : s``. A chain walks from s: a node is a step to a neighbour, ``< p`` climbs back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from workspan_evidence.families.base import Chain, Instance, Verdict, split_answer
from workspan_evidence.grammar import (
    ABSTAIN,
    ANSWER,
    BACK,
    BOS,
    EOS,
    FORMATS,
    GO,
    N_LABELS,
    QUERY,
    ROW,
)

Format = Literal["dfs", "path", "shortest", "direct"]
"""The whole walk with its dead ends; the same without them; the shortest; no walk at all."""

LONGEST = 120
"""Tokens of a training chain; a longer walk is cut there, unfinished."""

Rows = dict[int, list[int]]


@dataclass(frozen=True, slots=True)
class GraphInstance(Instance):
    """A connectivity problem and its graph."""

    rows: Mapping[int, tuple[int, ...]]
    """For each node the nodes it leads to: its children in a tree, else all its neighbours."""
    source: int
    decoy: int
    """The candidate that the source does not reach; `answer` is the one that it does."""
    format: Format


def two_copies(
    component: Callable[[Callable[[], int], Rows], tuple[int, int]], format: Format, rng: Random
) -> GraphInstance:
    """Draw a problem from a recipe that adds one copy to the rows and returns its two ends.

    Args:
        component: is given a source of fresh labels and the rows to write.
        format: the kind of chain that the prompt asks for.
        rng: draws labels and every order.
    """
    labels = list(range(N_LABELS))
    rng.shuffle(labels)
    rows: Rows = {}
    source, target = component(labels.pop, rows)
    _, decoy = component(labels.pop, rows)
    for neighbours in rows.values():
        rng.shuffle(neighbours)
    order = list(rows)
    rng.shuffle(order)
    candidates = [target, decoy]
    rng.shuffle(candidates)
    facts = [symbol for node in order for symbol in (ROW, node, *rows[node])]
    prompt = (BOS, *facts, QUERY, *candidates, FORMATS[format], GO, source)
    return GraphInstance(
        prompt=prompt,
        answer=target,
        candidates=tuple(candidates),
        rows={node: tuple(neighbours) for node, neighbours in rows.items()},
        source=source,
        decoy=decoy,
        format=format,
    )


def graph_chain(instance: GraphInstance, rng: Random) -> Chain:
    """Draw a chain in the instance's format."""
    ending = (ANSWER, instance.answer, EOS)
    if instance.format == "direct":
        return Chain(ending, tuple((symbol,) for symbol in ending), unsure=0)
    ids, choices = _walk(instance, rng)
    if instance.format != "dfs":
        ids = _shortest(instance) if instance.format == "shortest" else _without_dead_ends(ids)
        choices = [(node,) for node in ids]
    unsure = len(ids)
    if ids[-1:] == [instance.answer]:
        ids, choices = [*ids, *ending], [*choices, *((symbol,) for symbol in ending)]
    return Chain(tuple(ids[:LONGEST]), tuple(choices[:LONGEST]), min(unsure, LONGEST))


def _walk(instance: GraphInstance, rng: Random) -> tuple[list[int], list[tuple[int, ...]]]:
    """Search depth first from the source, each unseen neighbour as likely as the next.

    Returns the tokens up to the target and, for each, what was to choose from.
    """
    stack, seen = [instance.source], {instance.source}
    ids: list[int] = []
    choices: list[tuple[int, ...]] = []
    while stack[-1] != instance.answer and len(ids) < LONGEST:
        unseen = tuple(node for node in instance.rows[stack[-1]] if node not in seen)
        if unseen:
            node = rng.choice(unseen)
            seen.add(node)
            stack.append(node)
            ids.append(node)
            choices.append(unseen)
        else:
            stack.pop()
            ids += (BACK, stack[-1])
            choices += ((BACK,), (stack[-1],))
    return ids, choices


def _without_dead_ends(walk: list[int]) -> list[int]:
    """Return the walk's stack at its end: every step that was not climbed back."""
    path: list[int] = []
    climbed = False
    for symbol in walk:
        if symbol == BACK:
            path.pop()
        elif not climbed:
            path.append(symbol)
        climbed = symbol == BACK
    return path


def _shortest(instance: GraphInstance) -> list[int]:
    """Return the nodes of the shortest path, without the source."""
    before = {instance.source: instance.source}
    frontier = [instance.source]
    while instance.answer not in before:
        reached = [(node, v) for node in frontier for v in instance.rows[node] if v not in before]
        before |= {v: node for node, v in reversed(reached)}
        frontier = list(dict.fromkeys(v for _, v in reached))
    path = [instance.answer]
    while before[path[-1]] != instance.source:
        path.append(before[path[-1]])
    return path[::-1]


def check_walk(instance: GraphInstance, ids: tuple[int, ...]) -> Verdict:
    """Follow a model's walk on the graph.

    A step must go to a neighbour that was not visited, a climb to the node it came from.
    """
    steps, answer = split_answer(ids)
    stack, seen, legal, climbs = [instance.source], {instance.source}, True, 0
    symbols = iter(steps)
    for symbol in symbols:
        if symbol == BACK:
            climbs += 1
            stack.pop()
            to = next(symbols, None)  # a chain may be cut between "<" and its node
            if not stack or to not in (stack[-1], None):
                legal = False
                break
        elif symbol in instance.rows[stack[-1]] and symbol not in seen:
            seen.add(symbol)
            stack.append(symbol)
        else:
            legal = False
            break
    found = legal and stack[-1] == instance.answer
    correct = answer == instance.answer
    return Verdict(
        answer=None if answer in (ABSTAIN, None) else answer,
        correct=correct,
        found=found and correct,
        legal=legal,
        moves=len(steps),
        backtracks=climbs,
    )
